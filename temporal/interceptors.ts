import type { Context } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import type { ActivityExecuteInput, ActivityInboundCallsInterceptor, Next } from '@temporalio/worker';
import { AttemptCanceled, AttemptGone } from '../activities/region/fence.ts';
import type { RegionCall } from '../activities/types.ts';
import { type ErrorInfo, MillwrightError, ProviderError, toErrorInfo } from '../src/errors.ts';
import type { Logger } from '../src/log.ts';
import { createMask, maskError, secretsIn } from '../src/secrets/mask.ts';
import { storable, storableText } from '../src/storable.ts';
import { inSpan, stepContext } from '../src/telemetry/tracing.ts';
import type { Attempt, AttemptOutcome } from './attempt-metrics.ts';
import { type AttemptReport, attemptSignal, heartbeatIntervalMs } from './names.ts';
import { timeLeftMs } from './time-left.ts';

/** Not zero, which means the policy's own pause. */
const handBackMs = 10;

/**
 * Around every provider activity: heartbeats while it runs, turns what a driver throws into what Temporal retries or
 * not, and tells the workflow how each attempt but the first went, so that `RETRYING` and its next try are seen.
 */
export class RegionActivityInterceptor implements ActivityInboundCallsInterceptor {
  readonly #context: Context;
  readonly #client: Client;
  readonly #log: Logger;
  readonly #measure: (attempt: Attempt, seconds: number) => void;

  constructor(context: Context, client: Client, log: Logger, measure: (attempt: Attempt, seconds: number) => void) {
    this.#context = context;
    this.#client = client;
    this.#log = log;
    this.#measure = measure;
  }

  async execute(input: ActivityExecuteInput, next: Next<ActivityInboundCallsInterceptor, 'execute'>): Promise<unknown> {
    const { attempt, activityType } = this.#context.info;
    // Region activities are called by `workflows/activities.ts` alone, always with the call first.
    const call = input.args[0] as RegionCall;
    const { jobId, step, key, region, provider, trail } = call;
    const log = this.#log.child({
      requestId: trail?.requestId,
      jobId,
      workflowId: this.#context.info.workflowExecution?.workflowId,
      activityType,
      step,
      key,
      region,
      provider,
      attempt,
    });
    // Before anything that Temporal may take its time to answer.
    const heart = setInterval(() => this.#context.heartbeat(), heartbeatIntervalMs);
    this.#context.heartbeat();
    if (attempt > 1) await this.#report({ jobId, step, attempt });
    const leftMs = call.deadlineAt ? await timeLeftMs(this.#client, this.#context.info, call.deadlineAt) : undefined;
    const startedAt = performance.now();
    let outcome: AttemptOutcome = 'internal';
    try {
      const attributes = { 'millwright.job.id': jobId, 'millwright.attempt': attempt, 'millwright.region': region };
      const parent = stepContext(trail, jobId, step);
      const result = await inSpan(`attempt ${activityType}`, { parent, attributes }, () =>
        next({ ...input, args: [inOwnClock(call, leftMs), ...input.args.slice(1)] }),
      );
      outcome = 'succeeded';
      log.info({ milliseconds: Math.round(performance.now() - startedAt) }, 'attempt succeeded');
      return typeof result === 'object' && result !== null ? storable(result) : result;
    } catch (error) {
      const { aborted } = this.#context.cancellationSignal;
      if (aborted || error instanceof AttemptCanceled) {
        outcome = 'canceled';
        if (aborted && (await this.#isShutDown())) {
          log.info('attempt handed back: this worker is stopping');
          throw handedBack(call.region);
        }
        log.info('attempt canceled');
        throw error instanceof CancelledFailure ? error : new CancelledFailure('The step was canceled.');
      }
      if (error instanceof ProviderError) outcome = error.providerClass;
      if (error instanceof AttemptGone) {
        log.warn('attempt given up by Temporal: it has changed nothing since');
        throw asFailure(toErrorInfo(error), error, {});
      }
      // Masked at its source: the log, the workflow and the database are told of it from here.
      const spec: unknown = input.args[1];
      const mask = createMask(secretsIn(input.args), [key, region, nameOf(spec)]);
      maskError(error, (text) => storableText(mask(text)));
      log.warn({ err: error }, 'attempt failed');
      const endMs = startedAt + (leftMs ?? Number.POSITIVE_INFINITY);
      throw await this.#failure(call, error, endMs);
    } finally {
      clearInterval(heart);
      const retry = attempt > 1 ? 'yes' : 'no';
      const attempted = { region, provider, activity: activityType, outcome, retry } as const;
      this.#measure(attempted, (performance.now() - startedAt) / 1000);
    }
  }

  /** Whether it was this worker's end that canceled the attempt, and nobody's wish. */
  async #isShutDown(): Promise<boolean> {
    const reason: unknown = await this.#context.cancelled.catch((why: unknown) => why);
    return reason instanceof CancelledFailure && reason.message === 'WORKER_SHUTDOWN';
  }

  /** `endMs`: when the step's time is up, by `performance.now()`. */
  async #failure(
    { jobId, step, retry, deadlineAt }: RegionCall,
    error: unknown,
    endMs: number,
  ): Promise<ApplicationFailure> {
    const { attempt } = this.#context.info;
    if (performance.now() + earlyMs >= endMs)
      return asFailure(lateOf(step, deadlineAt, error), error, { nonRetryable: true });
    const info = toErrorInfo(error);
    const permanent = error instanceof ProviderError && error.providerClass === 'permanent';
    if (permanent || attempt >= retry.maximumAttempts) return asFailure(info, error, { nonRetryable: true });
    const pauseSeconds = Math.max(
      Math.min(retry.initialSeconds * 2 ** (attempt - 1), retry.maximumSeconds),
      (error instanceof ProviderError && error.retryAfterSeconds) || 0,
    );
    const pauseMs = Math.round(pauseSeconds * 1000);
    if (performance.now() + pauseMs >= endMs) {
      return asFailure(lateOf(step, deadlineAt, error), error, { nonRetryable: true });
    }
    await this.#report({
      jobId,
      step,
      attempt,
      failed: { error: info, nextAttemptAt: new Date(Date.now() + pauseMs).toISOString() },
    });
    return asFailure(info, error, { nextRetryDelay: pauseMs });
  }

  /** A report that is lost costs a line of progress, never the step. */
  async #report(report: AttemptReport): Promise<void> {
    const execution = this.#context.info.workflowExecution;
    if (!execution) return;
    try {
      await this.#client.workflow
        .getHandle(execution.workflowId, execution.runId)
        .signal<[AttemptReport]>(attemptSignal, report);
    } catch (error) {
      this.#log.warn({ err: error, jobId: report.jobId }, 'could not report an attempt to its workflow');
    }
  }
}

/** A timer may fire so much before its time. */
const earlyMs = 20;

/** The deadline as this process's clock has it, right or wrong. */
const inOwnClock = (call: RegionCall, leftMs: number | undefined): RegionCall =>
  leftMs === undefined ? call : { ...call, deadlineAt: new Date(Date.now() + leftMs).toISOString() };

/** The step has no time left; why the last try failed is said, where that was not for want of time. */
function lateOf(step: string, deadlineAt: string | undefined, error: unknown): ErrorInfo {
  const last = error instanceof MillwrightError ? ` The last try: ${error.message}` : '';
  return {
    code: 'unavailable',
    message: `Step "${step}" was not done in the time it had, until ${deadlineAt}.${last}`,
  };
}

/** A failure that is tried again at once, by a worker that stays: without it the attempt is lost until its heartbeat is missed. */
const handedBack = (region: string): ApplicationFailure =>
  ApplicationFailure.create({
    message: 'The worker of this attempt was stopped.',
    type: 'unavailable',
    details: [{ code: 'unavailable', message: `The worker of region ${region} was stopped during this attempt.` }],
    nextRetryDelay: handBackMs,
  });

const nameOf = (spec: unknown): string =>
  typeof spec === 'object' && spec !== null && 'name' in spec && typeof spec.name === 'string' ? spec.name : '';

function asFailure(
  info: ErrorInfo,
  cause: unknown,
  options: { nonRetryable?: boolean; nextRetryDelay?: number },
): ApplicationFailure {
  return ApplicationFailure.create({
    message: info.message,
    type: info.providerClass ?? info.code,
    details: [info],
    ...(cause instanceof Error ? { cause } : {}),
    ...options,
  });
}

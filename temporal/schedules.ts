import {
  type Client,
  ScheduleAlreadyRunning,
  type ScheduleDescription,
  type ScheduleHandle,
  ScheduleNotFoundError,
  type ScheduleOptions,
  ScheduleOverlapPolicy,
} from '@temporalio/client';
import type { Reconciliation } from '../src/domain/drift.ts';
import type { RunOutcome, Scope } from '../src/domain/observation.ts';
import { MillwrightError } from '../src/errors.ts';
import { isTemporalAway } from './away.ts';
import { controlQueue, reconcileWorkflow, scheduleIdOf } from './names.ts';

interface Timing {
  /** 0: only when somebody asks for it. */
  readonly everySeconds: number;
  readonly workflowTaskTimeoutMs: number;
}

/** A run that takes longer is ended: it would keep all later ones from beginning. */
const longestRun = '1 hour';
const firstPart = 'reconcile/';

function optionsOf({ region, provider }: Scope, { everySeconds, workflowTaskTimeoutMs }: Timing) {
  return {
    scheduleId: scheduleIdOf(region, provider),
    spec: everySeconds === 0 ? {} : { intervals: [{ every: everySeconds * 1000 }], jitter: everySeconds * 100 },
    action: {
      type: 'startWorkflow',
      workflowType: reconcileWorkflow,
      workflowId: scheduleIdOf(region, provider),
      taskQueue: controlQueue,
      args: [{ region, provider }],
      workflowExecutionTimeout: longestRun,
      workflowTaskTimeout: workflowTaskTimeoutMs,
      staticSummary: `Compare ${provider} in ${region} with what should be there`,
    },
    // One at a time, and none is made up for: the next comparison sees what a missed one would have.
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1 minute' },
  } as const satisfies ScheduleOptions;
}

/**
 * Makes the schedule of each scope as it is to be, and removes those of scopes that are gone. One that is paused stays so.
 * Written anew even where it is there: its arguments are encrypted with the key of whoever wrote it last.
 */
export async function writeSchedules(client: Client, scopes: readonly Scope[], timing: Timing): Promise<void> {
  const wanted = new Set(scopes.map(({ region, provider }) => scheduleIdOf(region, provider)));
  for await (const { scheduleId } of client.schedule.list()) {
    if (scheduleId.startsWith(firstPart) && !wanted.has(scheduleId))
      await client.schedule.getHandle(scheduleId).delete().catch(passOverMissing);
  }
  for (const scope of scopes) {
    const options = optionsOf(scope, timing);
    const { spec, action, policies } = options;
    await client.schedule
      .getHandle(options.scheduleId)
      .update(({ state }) => ({ spec, action, policies, state }))
      .catch(async (error: unknown) => {
        passOverMissing(error);
        await client.schedule.create(options).catch(passOverMade);
      });
  }
}

function passOverMissing(error: unknown): void {
  if (!(error instanceof ScheduleNotFoundError)) throw error;
}
/** Another control worker made it at the same moment. */
function passOverMade(error: unknown): void {
  if (!(error instanceof ScheduleAlreadyRunning)) throw error;
}

/** When it runs, and what its last run came to. */
export async function describeReconciliation(client: Client, { region, provider }: Scope): Promise<Reconciliation> {
  const description = await asked({ region, provider }, () => handleOf(client, { region, provider }).describe());
  const { state, spec, info } = description;
  return {
    region,
    provider,
    paused: state.paused,
    pausedBecause: state.paused ? (state.note ?? null) : null,
    everySeconds: Math.round((spec.intervals?.[0]?.every ?? 0) / 1000),
    nextRunAt: state.paused ? null : (info.nextActionTimes[0]?.toISOString() ?? null),
    lastRun: await lastRunOf(client, description),
  };
}

async function lastRunOf(client: Client, { info }: ScheduleDescription): Promise<Reconciliation['lastRun']> {
  const last = info.recentActions.at(-1);
  if (last === undefined) return null;
  const { workflowId, firstExecutionRunId } = last.action.workflow;
  const startedAt = last.takenAt.toISOString();
  // Two runs that begin within a second have one id. One that went on in another history is the newest of its chain.
  const handle = client.workflow.getHandle(workflowId, undefined, { firstExecutionRunId });
  const { status } = await handle.describe();
  if (status.name === 'RUNNING') return { workflowId, startedAt, outcome: null };
  if (status.name !== 'COMPLETED') return { workflowId, startedAt, outcome: { state: 'failed' } };
  return { workflowId, startedAt, outcome: (await handle.result()) as RunOutcome };
}

/** Begins a run now, unless one is under way. */
export const triggerReconciliation = (client: Client, scope: Scope): Promise<void> =>
  asked(scope, () => handleOf(client, scope).trigger(ScheduleOverlapPolicy.SKIP));

/** No run begins until it is resumed; one that is asked for does. */
export const pauseReconciliation = (client: Client, scope: Scope, reason: string): Promise<void> =>
  asked(scope, () => handleOf(client, scope).pause(reason));

export const resumeReconciliation = (client: Client, scope: Scope): Promise<void> =>
  asked(scope, () => handleOf(client, scope).unpause('resumed'));

const handleOf = (client: Client, { region, provider }: Scope): ScheduleHandle =>
  client.schedule.getHandle(scheduleIdOf(region, provider));

async function asked<Result>({ region, provider }: Scope, ask: () => Promise<Result>): Promise<Result> {
  try {
    return await ask();
  } catch (cause) {
    if (cause instanceof ScheduleNotFoundError) {
      throw new MillwrightError(
        'conflict',
        `The schedule for "${provider}" in "${region}" is not written yet: a control worker does so within seconds. Ask again.`,
        { cause },
      );
    }
    if (isTemporalAway(cause)) {
      const message = 'Temporal does not answer, so its schedules are not known now. Ask again in a few seconds.';
      throw new MillwrightError('unavailable', message, { cause });
    }
    throw cause;
  }
}

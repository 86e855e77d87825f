import { CancellationScope, CancelledFailure, isCancellation, patched, sleep } from '@temporalio/workflow';
import type { Job, JobResult } from '../src/domain/job.ts';
import type { ErrorInfo } from '../src/errors.ts';
import { heartbeatTimeoutMs } from '../temporal/names.ts';
import { withoutDeadline } from './activities.ts';
import { canceledError, toErrorInfo, unknownError } from './failures.ts';
import { hold } from './hold.ts';
import { type Listener, listen, unlisten } from './messages.ts';
import { Progress } from './progress.ts';
import { rollBack, type Undo } from './rollback.ts';

/** A step with nothing to undo says why. */
export interface NoUndo {
  readonly none: string;
}
export const none = (reason: string): NoUndo => ({ none: reason });

/**
 * `do` acts; `undo` takes away whatever `do` may have left, finding it by the job's key, whether or not `do` answered,
 * or began at all. Both may run any number of times.
 */
interface StepParts<Result> {
  readonly do: () => Promise<Result>;
  readonly undo: (() => Promise<unknown>) | NoUndo;
}
export type RunStep = <Result extends JobResult>(name: string, parts: StepParts<Result>) => Promise<Result>;

/** How a job ended. A saga never throws: whatever its steps throw ends here. */
export interface SagaEnd {
  readonly state: 'SUCCEEDED' | 'FAILED' | 'CANCELED';
  readonly error?: ErrorInfo;
  /** The steps that may have left something at the provider. */
  readonly leftovers?: readonly string[];
}

/**
 * Runs a job as a saga: each step's undo is registered before the step runs. When a step fails the job does as its
 * request said: the undos run in reverse, or it is `HELD` for a decision, or it ends as it is. A canceled job is undone.
 * Undoing is shielded from cancellation; an undo that keeps failing leaves the job `HELD` with `rollback: stuck` and
 * the list of leftovers, until it is settled.
 *
 * A job with a checkpoint goes on from there: a step that it calls done is not run again, a hold is held again, and a
 * rollback is taken up where it was.
 */
export async function saga(job: Job, body: (step: RunStep) => Promise<JobResult>): Promise<SagaEnd> {
  const run = new Run(job);
  const end = await run.toEnd(body);
  unlisten(job.id);
  return end;
}

class Run {
  readonly #job: Job;
  readonly #progress: Progress;
  readonly #listener: Listener;
  readonly #scope = new CancellationScope();
  readonly #undos: Undo[] = [];
  /** The job was being undone when its workflow was lost. */
  readonly #wasUndoing: boolean;
  /** Why it was canceled, if it was: by a message, or in Temporal. */
  #canceled = canceledError('');
  /** Something may have been done at the provider. */
  #acted: boolean;

  constructor(job: Job) {
    const progress = new Progress(job);
    this.#job = job;
    this.#progress = progress;
    this.#wasUndoing = progress.now.rollback !== 'none';
    this.#acted = (job.checkpoint?.steps.length ?? 0) > 0;
    this.#listener = listen(job.id, {
      attempt: (report) => progress.attempt(report),
      recorded: () => progress.recorded(),
      cancel: (reason) => this.#cancel(reason),
    });
    if (this.#wasUndoing || progress.now.cancelRequested) this.#listener.cancel = undefined;
    if (progress.now.cancelRequested && progress.now.error) this.#canceled = progress.now.error;
  }

  #cancel(reason: string): void {
    this.#listener.cancel = undefined;
    this.#canceled = canceledError(reason);
    this.#progress.cancelRequested(this.#canceled);
    this.#scope.cancel();
  }

  async toEnd(body: (step: RunStep) => Promise<JobResult>): Promise<SagaEnd> {
    let result: JobResult;
    try {
      await this.#outliveAttempts();
      result = await this.#scope.run(() => {
        if (this.#progress.now.cancelRequested && !this.#wasUndoing) this.#scope.cancel();
        return body((name, parts) => this.#step(name, parts));
      });
      if (this.#wasUndoing) throw new Undoing();
      // A step may be done before it hears that it is not wanted any more; what can be undone is.
      if (this.#scope.consideredCancelled && this.#undos.length > 0 && patched('canceled-though-done')) {
        throw new CancelledFailure('Canceled.');
      }
    } catch (error) {
      this.#listener.cancel = undefined;
      return await CancellationScope.nonCancellable(() => this.#failed(error));
    }
    this.#listener.cancel = undefined;
    // Outside of the try: what is done is never undone for want of a record.
    return await CancellationScope.nonCancellable(() => this.#succeeded(result));
  }

  /**
   * An attempt that the job's earlier workflow began may still be under way: its worker gives it up when it next hears
   * from Temporal, or has lost it by then.
   */
  async #outliveAttempts(): Promise<void> {
    const underWay = this.#job.checkpoint?.steps.some(({ endedAt }) => endedAt === null);
    if (underWay) await CancellationScope.nonCancellable(() => sleep(2 * heartbeatTimeoutMs));
  }

  async #step<Result extends JobResult>(name: string, parts: StepParts<Result>): Promise<Result> {
    const before = this.#progress.stepNow(name);
    if (typeof parts.undo === 'function' && before?.state !== 'UNDONE') this.#undos.push({ name, run: parts.undo });
    // What an earlier workflow of this job recorded is what this step gave.
    if (before?.result) return before.result as Result;
    if (this.#wasUndoing) throw new Undoing();
    if (before?.state === 'FAILED' && this.#progress.now.state === 'HELD') {
      const skipped = await this.#hold(name, before.error ?? unknownError);
      if (skipped) return skipped as Result;
    }
    for (;;) {
      const refused = await this.#progress.begin(name, 'RUNNING');
      if (refused) throw refused.code === 'precondition' ? new Superseded(refused) : new Refused(refused);
      try {
        this.#seeDeadline(name);
        this.#acted = true;
        const result = await parts.do();
        this.#progress.stepEnded(name, { state: 'SUCCEEDED', error: null, result });
        return result;
      } catch (error) {
        const info = error instanceof Refused ? error.info : toErrorInfo(error, this.#job);
        this.#progress.stepEnded(name, { state: 'FAILED', error: info });
        if (this.#job.onFailure !== 'hold' || this.#isCancellation(error)) throw error;
        const skipped = await this.#hold(name, info);
        if (skipped) return skipped as Result;
      }
    }
  }

  /** Waits for a decision on a step that failed. Gives what a skipped step gives, or nothing where it is to be run again. */
  async #hold(name: string, error: ErrorInfo): Promise<JobResult | undefined> {
    const progress = this.#progress;
    const leftovers = this.#leftovers(name);
    const action = await hold(this.#job.type, this.#listener, progress, { rollback: 'none', error, leftovers });
    switch (action) {
      case 'retry':
        withoutDeadline.add(this.#job.id);
        return undefined;
      case 'skip':
        progress.skip(name);
        return {};
      case 'rollback':
        throw new Refused(error);
      case 'mark-done':
        throw new MarkedDone();
      case 'abandon':
        throw new Abandoned(error);
    }
  }

  /** What may be left at the provider: of what has undos, those steps; else (of a deletion) what was to be taken away. */
  #leftovers(step?: string): readonly string[] {
    if (this.#undos.length > 0) return this.#undos.map(({ name }) => name);
    return step === undefined ? this.#progress.unfinished : [step];
  }

  #seeDeadline(name: string): void {
    const { deadlines, id } = this.#job;
    if (!deadlines || withoutDeadline.has(id) || Date.now() < Date.parse(deadlines.jobAt)) return;
    throw new Refused({
      code: 'unavailable',
      message: `The job was not done by its deadline, ${deadlines.jobAt}: step "${name}" was still to be done.`,
    });
  }

  /** A step may fail by itself in the moment in which it is canceled. */
  #isCancellation(error: unknown): boolean {
    return isCancellation(error) || this.#scope.consideredCancelled;
  }

  async #succeeded(result: JobResult): Promise<SagaEnd> {
    await this.#progress.end('SUCCEEDED', { error: null }, { resource: 'done', result });
    return { state: 'SUCCEEDED' };
  }

  async #failed(cause: unknown): Promise<SagaEnd> {
    if (cause instanceof Superseded) return { state: 'FAILED', error: cause.info };
    if (cause instanceof MarkedDone) return await this.#succeeded(this.#progress.results);
    const { now } = this.#progress;
    const canceled = now.cancelRequested || (!(cause instanceof Undoing) && this.#isCancellation(cause));
    const state = canceled ? 'CANCELED' : 'FAILED';
    const error = this.#errorOf(cause);
    if (!this.#acted) {
      await this.#progress.end(state, { error }, { resource: 'untouched' });
      return { state, error };
    }
    if (cause instanceof Abandoned || (state === 'FAILED' && this.#job.onFailure === 'keep')) {
      const leftovers = this.#leftovers();
      await this.#progress.end('FAILED', { error, leftovers }, { resource: 'failed' });
      return { state: 'FAILED', error, leftovers };
    }
    if (this.#undos.length > 0 || this.#wasUndoing) {
      const undoing = { job: this.#job, progress: this.#progress, listener: this.#listener, undos: this.#undos };
      return await rollBack(undoing, state, error);
    }
    await this.#progress.end(state, { error }, { resource: 'failed' });
    return { state, error };
  }

  #errorOf(cause: unknown): ErrorInfo {
    if (cause instanceof Refused || cause instanceof Abandoned) return cause.info;
    if (cause instanceof Undoing) return this.#progress.now.error ?? unknownError;
    return this.#isCancellation(cause) ? this.#canceled : toErrorInfo(cause, this.#job);
  }
}

/** This job is not to go on: the database refused it, its deadline has passed, or an operator wants it undone. */
class Refused extends Error {
  readonly info: ErrorInfo;
  constructor(info: ErrorInfo) {
    super(info.message);
    this.info = info;
  }
}

/** The job has a newer workflow: this one leaves everything to it. */
class Superseded extends Refused {}

/** An operator says that the job is as good as done. */
class MarkedDone extends Error {}

/** An operator gives the job up, as it is. */
class Abandoned extends Refused {}

/** The job was being undone when its workflow was lost: it is not to do anything more. */
class Undoing extends Error {}

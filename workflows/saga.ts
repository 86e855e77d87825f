import { CancellationScope, isCancellation, sleep } from '@temporalio/workflow';
import type { Job, JobResult } from '../src/domain/job.ts';
import type { ErrorInfo } from '../src/errors.ts';
import { toErrorInfo } from './failures.ts';
import { hold } from './hold.ts';
import { listen, unlisten } from './messages.ts';
import { Progress } from './progress.ts';

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

interface Undo {
  readonly name: string;
  readonly run: () => Promise<unknown>;
}

/** How a job ended. A saga never throws: whatever its steps throw ends here. */
export interface SagaEnd {
  readonly state: 'SUCCEEDED' | 'FAILED' | 'CANCELED';
  readonly error?: ErrorInfo;
}

/** An undo that fails is run this often, with growing pauses, before the job is held. */
const undoRounds = 3;

/**
 * Runs a job as a saga: each step's undo is registered before the step runs; when one fails, or the job is canceled,
 * the undos run in reverse, shielded from cancellation. An undo that keeps failing leaves the job `HELD` with
 * `rollback: stuck` and the list of leftovers, until it is settled.
 */
export async function saga(job: Job, body: (step: RunStep) => Promise<JobResult>): Promise<SagaEnd> {
  const progress = new Progress(job);
  const undos: Undo[] = [];
  listen(job.id, progress);

  const step: RunStep = async (name, parts) => {
    if (typeof parts.undo === 'function') undos.push({ name, run: parts.undo });
    const refused = await progress.step(name, { state: 'RUNNING' });
    if (refused) throw new Refused(refused);
    try {
      const result = await parts.do();
      progress.stepEnded(name, {
        state: 'SUCCEEDED',
        error: null,
        providerReference: result.providerReference ?? null,
      });
      return result;
    } catch (error) {
      progress.stepEnded(name, { state: 'FAILED', error: toErrorInfo(error, job) });
      throw error;
    }
  };

  const end = await run(job, progress, undos, () => body(step));
  unlisten(job.id);
  return end;
}

async function run(
  job: Job,
  progress: Progress,
  undos: readonly Undo[],
  body: () => Promise<JobResult>,
): Promise<SagaEnd> {
  let result: JobResult;
  try {
    result = await body();
  } catch (error) {
    // A step may fail by itself in the moment in which it is canceled.
    const canceled = isCancellation(error) || CancellationScope.current().consideredCancelled;
    const state = canceled ? 'CANCELED' : 'FAILED';
    return await CancellationScope.nonCancellable(() => rollBack(job, progress, undos, error, state));
  }
  // Outside of the try: what is done is never undone for want of a record.
  await CancellationScope.nonCancellable(() => progress.end('SUCCEEDED', 'done', result));
  return { state: 'SUCCEEDED' };
}

/** The database says that this job is not to go on. */
class Refused extends Error {
  readonly info: ErrorInfo;
  constructor(info: ErrorInfo) {
    super(info.message);
    this.info = info;
  }
}

async function rollBack(
  job: Job,
  progress: Progress,
  undos: readonly Undo[],
  cause: unknown,
  state: 'FAILED' | 'CANCELED',
): Promise<SagaEnd> {
  const error = cause instanceof Refused ? cause.info : toErrorInfo(cause, job);
  if (undos.length === 0) {
    progress.note({ error });
    await progress.end(state, 'failed');
    return { state, error };
  }
  void progress.tell({ state: 'RUNNING', rollback: 'running', error });
  let left: readonly Undo[] = undos.toReversed();
  for (let round = 1; ; round += 1) {
    left = await unwind(job, progress, left);
    if (left.length === 0) break;
    const names = left.map(({ name }) => name);
    if (round % undoRounds === 0) await hold(job.id, progress, names);
    else {
      const pauseSeconds = Math.min(job.retry.initialSeconds * 2 ** round, job.retry.maximumSeconds);
      const nextAttemptAt = new Date(Date.now() + pauseSeconds * 1000).toISOString();
      void progress.tell({ state: 'RETRYING', nextAttemptAt, leftovers: names });
      await sleep(pauseSeconds * 1000);
    }
  }
  progress.note({ rollback: 'complete', leftovers: [] });
  await progress.end(state, 'undone');
  return { state, error };
}

/** Runs each undo, whatever becomes of the others; gives those that failed. */
async function unwind(job: Job, progress: Progress, undos: readonly Undo[]): Promise<readonly Undo[]> {
  const failed: Undo[] = [];
  for (const undo of undos) {
    void progress.step(
      undo.name,
      { state: 'UNDOING', attempts: 1 },
      { state: 'RUNNING', nextAttemptAt: null, leftovers: [] },
    );
    try {
      await undo.run();
      progress.stepEnded(undo.name, { state: 'UNDONE' });
    } catch (error) {
      failed.push(undo);
      progress.stepEnded(undo.name, { state: 'UNDO_FAILED', error: toErrorInfo(error, job) });
    }
  }
  return failed;
}

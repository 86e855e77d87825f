import { sleep } from '@temporalio/workflow';
import type { Job, JobResult } from '../src/domain/job.ts';
import type { ErrorInfo } from '../src/errors.ts';
import { undoing, withoutDeadline } from './activities.ts';
import { isUntaken, toErrorInfo } from './failures.ts';
import { hold } from './hold.ts';
import type { Listener } from './messages.ts';
import type { Progress } from './progress.ts';
import type { SagaEnd } from './saga.ts';

export interface Undo {
  readonly name: string;
  readonly run: () => Promise<unknown>;
}

/** A job that is being undone, with its undos in the order in which they were registered. */
interface Undoing {
  readonly job: Job;
  readonly progress: Progress;
  readonly listener: Listener;
  readonly undos: readonly Undo[];
}

/** An undo that fails is run this often, with growing pauses, before the job is held. */
const rounds = 3;

/** Runs a job's undos in reverse until none is left; one that keeps failing holds the job until an operator decides. */
export async function rollBack(
  { job, progress, listener, undos }: Undoing,
  state: 'FAILED' | 'CANCELED',
  error: ErrorInfo,
): Promise<SagaEnd> {
  withoutDeadline.add(job.id);
  undoing.add(job.id);
  let left: readonly Undo[] = undos.toReversed();
  let result: JobResult = {};
  let stuck = progress.now.state === 'HELD' && progress.now.rollback === 'stuck';
  for (let round = 1; ; round += 1) {
    if (stuck) {
      const leftovers = left.map(({ name }) => name);
      const action = await hold(job.type, listener, progress, { rollback: 'stuck', leftovers });
      if (action === 'mark-done') break;
      if (action === 'abandon') {
        await progress.end('FAILED', { leftovers }, { resource: 'failed' });
        return { state: 'FAILED', error, leftovers };
      }
    }
    if (round === 1 || stuck) {
      const cancelRequested = state === 'CANCELED';
      void progress.tell({ state: 'RUNNING', rollback: 'running', error, cancelRequested, leftovers: [] });
      // Recorded by itself, as the histories of jobs held by earlier releases have it.
      if (stuck) await Promise.resolve();
    }
    const unwound = await unwind(job, progress, left);
    left = unwound.failed;
    result = { ...result, ...unwound.result };
    if (left.length === 0) break;
    stuck = unwound.outOfTime || round % rounds === 0;
    if (!stuck) await pause(progress, Math.min(job.retry.initialSeconds * 2 ** round, job.retry.maximumSeconds), left);
  }
  await progress.end(state, { error, rollback: 'complete' }, { resource: 'undone', result });
  return { state, error };
}

async function pause(progress: Progress, seconds: number, left: readonly Undo[]): Promise<void> {
  const nextAttemptAt = new Date(Date.now() + seconds * 1000).toISOString();
  void progress.tell({ state: 'RETRYING', nextAttemptAt, leftovers: left.map(({ name }) => name) });
  await sleep(seconds * 1000);
}

/**
 * Runs each undo, whatever becomes of the others; gives those that failed, and by what a thing that was made anew is
 * known from now on. `outOfTime`: one had all the time that a step may take, or no worker took it, and another round
 * would take as long again.
 */
async function unwind(
  job: Job,
  progress: Progress,
  undos: readonly Undo[],
): Promise<{ readonly failed: readonly Undo[]; readonly result: JobResult; readonly outOfTime: boolean }> {
  const failed: Undo[] = [];
  let result: JobResult = {};
  let outOfTime = false;
  for (const undo of undos) {
    const startedAt = Date.now();
    void progress.begin(undo.name, 'UNDOING');
    try {
      const given = await undo.run();
      if (isReferred(given)) result = { providerReference: given.providerReference };
      progress.stepEnded(undo.name, { state: 'UNDONE' });
    } catch (error) {
      failed.push(undo);
      outOfTime ||= job.deadlines !== undefined && Date.now() - startedAt >= job.deadlines.stepSeconds * 1000;
      outOfTime ||= isUntaken(error);
      progress.stepEnded(undo.name, { state: 'UNDO_FAILED', error: toErrorInfo(error, job) });
    }
  }
  return { failed, result, outOfTime };
}

const isReferred = (given: unknown): given is { readonly providerReference: string } =>
  typeof given === 'object' &&
  given !== null &&
  'providerReference' in given &&
  typeof given.providerReference === 'string';

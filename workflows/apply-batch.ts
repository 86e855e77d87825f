import { CancellationScope, isCancellation, setCurrentDetails } from '@temporalio/workflow';
import type { BatchGraph, BeginOperation, Begun } from '../activities/types.ts';
import { dependantsFirst, type Outcome, ReadySet } from '../src/batch/graph.ts';
import type { BatchInput } from '../src/domain/start.ts';
import type { ErrorInfo } from '../src/errors.ts';
import { control } from './activities.ts';
import { canceledError } from './failures.ts';
import { hold, watchHolds } from './hold.ts';
import { endAs, runJob } from './job.ts';
import { handleMessages, type Listener, listen } from './messages.ts';
import { Progress, watchProgress } from './progress.ts';
import { beginner } from './record.ts';
import type { SagaEnd } from './saga.ts';

/** What `none` undoes. */
const done: SagaEnd = { state: 'SUCCEEDED' };

type Operation = BatchGraph['operations'][number];

/**
 * The workflow of batches that began under a release up to 0.2, which had one workflow for all their life. Nothing new
 * is started with it, and what of a batch is newer than that release it does not know; see `hostBatch`.
 */
export async function applyBatch(input: BatchInput): Promise<void> {
  handleMessages();
  const batch = new Batch(input);
  await endAs(await batch.run());
}

interface Failure {
  readonly operationId: string;
  readonly end: SagaEnd;
}

/** The first operation that failed speaks for the batch. */
const errorOf = ({ operationId, end }: Failure): ErrorInfo => ({
  ...(end.error ?? { code: 'internal', message: 'failed' }),
  message: `Operation "${operationId}": ${end.error?.message ?? 'failed.'}`,
});

const hasFailed = ({ state }: Operation): boolean => state === 'FAILED' || state === 'CANCELED';
const isDone = (state: Operation['state']): boolean =>
  state === 'SUCCEEDED' || state === 'UNCHANGED' || state === 'ROLLING_BACK' || state === 'ROLLBACK_FAILED';

const asDone = (ids: ReadonlySet<string>): ReadonlyMap<string, Outcome> => new Map([...ids].map((id) => [id, 'done']));

class Batch {
  readonly #input: BatchInput;
  readonly #progress: Progress;
  readonly #listener: Listener;
  readonly #begin: (begin: BeginOperation) => Promise<Begun>;
  readonly #scope = new CancellationScope();
  readonly #done = new Set<string>();
  /** Operations that failed and may have left something: an operator gave them up, or the policy is to keep it. */
  readonly #left = new Set<string>();
  #failure: Failure | undefined;
  #canceled = canceledError('');

  constructor(input: BatchInput) {
    const progress = new Progress({ ...input, id: input.jobId, resourceName: input.name });
    this.#input = input;
    this.#progress = progress;
    this.#begin = beginner(input.batchId);
    this.#listener = {
      attempt: () => undefined,
      recorded: () => progress.recorded(),
      cancel: (reason) => {
        this.#listener.cancel = undefined;
        this.#canceled = canceledError(reason);
        progress.cancelRequested(this.#canceled);
        this.#scope.cancel();
      },
    };
    this.#showProgress();
  }

  async run(): Promise<SagaEnd> {
    const { rollback, cancelRequested } = this.#progress.now;
    if (rollback !== 'none' || cancelRequested) this.#listener.cancel = undefined;
    if (cancelRequested) this.#scope.cancel();
    const refused = this.#progress.now.state === 'HELD' ? null : await this.#progress.tell({ state: 'RUNNING' });
    if (refused) return { state: 'FAILED', error: refused };
    let operations = await this.#load();
    listen(this.#input.jobId, this.#listener);
    for (;;) {
      if (rollback === 'none') await this.#scope.run(() => this.#apply(operations));
      const next = await this.#decide();
      if (next !== 'retry') {
        this.#listener.cancel = undefined;
        return await CancellationScope.nonCancellable(() => this.#end(operations, next));
      }
      await CancellationScope.nonCancellable(() => control.retryOperations(this.#input.batchId));
      this.#failure = undefined;
      this.#left.clear();
      operations = await this.#load();
    }
  }

  /** The graph, page by page: a result of Temporal's holds 2 MB. */
  async #load(): Promise<readonly Operation[]> {
    const operations: Operation[] = [];
    for (let from = 0; ; from = operations.length) {
      const page = await CancellationScope.nonCancellable(() =>
        from === 0 ? control.loadBatch(this.#input.batchId) : control.loadBatch(this.#input.batchId, from),
      );
      operations.push(...page.operations);
      if (!page.more) break;
    }
    for (const { id, state, error, left } of operations) {
      if (isDone(state)) this.#done.add(id);
      if (left) this.#left.add(id);
      if (state !== 'FAILED' && state !== 'CANCELED') continue;
      this.#failure ??= { operationId: id, end: { state, ...(error ? { error } : {}) } };
    }
    return operations;
  }

  /**
   * Runs each operation as soon as its dependencies allow, until all that can be done is. One that fails keeps any other
   * from beginning where the batch is then rolled back; else only those that depend on it.
   */
  async #apply(operations: readonly Operation[]): Promise<void> {
    const begun = new Set(operations.filter(({ state }) => state === 'RUNNING').map(({ id }) => id));
    const ended = new Set(operations.filter(hasFailed).map(({ id }) => id));
    const ready = new ReadySet(operations, asDone(this.#done));
    const stops = (this.#input.onFailure ?? 'rollback') === 'rollback';
    await this.#inSlots(
      () => {
        for (;;) {
          const id = ready.take();
          if (id === undefined) return undefined;
          const stopped = ended.has(id) || (this.#failure && stops) || this.#scope.consideredCancelled;
          // What was begun before the workflow was lost is seen to its end, whatever that is.
          if (!stopped || begun.has(id)) return id;
        }
      },
      async (id) => {
        const end = await this.#operation({ operationId: id, direction: 'forth' });
        if (end.state === 'SUCCEEDED') {
          this.#done.add(id);
          ready.finish(id);
        } else {
          this.#failure ??= { operationId: id, end };
          if (end.leftovers?.length) this.#left.add(id);
        }
      },
    );
  }

  /** How the batch goes on when nothing more can be begun: its policy says, or an operator. */
  async #decide(): Promise<'done' | 'keep' | 'rollback' | 'retry'> {
    const { now } = this.#progress;
    if (now.rollback !== 'none' || now.cancelRequested || this.#scope.consideredCancelled) return 'rollback';
    if (!this.#failure) return 'done';
    switch (this.#input.onFailure ?? 'rollback') {
      case 'rollback':
        return 'rollback';
      case 'keep':
        return 'keep';
      case 'hold': {
        const error = errorOf(this.#failure);
        const held = { rollback: 'none', leftovers: [], error } as const;
        const action = await this.#scope
          .run(() => hold('batch.apply', this.#listener, this.#progress, held))
          .catch(() => 'cancel' as const);
        if (action === 'retry') {
          void this.#progress.tell({ state: 'RUNNING', error: null });
          return 'retry';
        }
        return action === 'abandon' ? 'keep' : 'rollback';
      }
    }
  }

  async #end(operations: readonly Operation[], how: 'done' | 'keep' | 'rollback'): Promise<SagaEnd> {
    if (how === 'done') {
      await this.#progress.end('SUCCEEDED', { error: null });
      return { state: 'SUCCEEDED' };
    }
    const canceled = this.#progress.now.cancelRequested || this.#scope.consideredCancelled;
    const state = canceled || this.#failure?.end.state === 'CANCELED' ? 'CANCELED' : 'FAILED';
    const failed = this.#failure && !canceled ? errorOf(this.#failure) : this.#canceled;
    const error = this.#progress.now.error ?? failed;
    await this.#cancelBegun((await control.skipOperations(this.#input.batchId)) ?? []);
    if (how === 'keep') {
      await this.#progress.end('FAILED', { error, leftovers: [...this.#left] });
      return { state: 'FAILED', error };
    }
    return await this.#undo(operations, state, error);
  }

  /** Ends what a workflow task began that was lost: its job is on record, and has done nothing yet that it would not undo. */
  async #cancelBegun(ids: readonly string[]): Promise<void> {
    const canceled = new CancellationScope();
    canceled.cancel();
    await canceled.run(() =>
      Promise.all(ids.map((operationId) => this.#operation({ operationId, direction: 'forth' }))),
    );
  }

  async #undo(operations: readonly Operation[], state: 'FAILED' | 'CANCELED', error: ErrorInfo): Promise<SagaEnd> {
    const { now } = this.#progress;
    let stuck = now.state === 'HELD' && now.rollback === 'stuck';
    let left: readonly string[] = now.leftovers.filter((id) => !this.#left.has(id));
    for (;;) {
      if (stuck) {
        const action = await hold('batch.apply', this.#listener, this.#progress, {
          rollback: 'stuck',
          leftovers: left,
        });
        if (action === 'mark-done') break;
        if (action === 'abandon') {
          await this.#progress.end('FAILED', { error, leftovers: [...this.#left, ...left] });
          return { state: 'FAILED', error };
        }
      }
      void this.#progress.tell({
        state: 'RUNNING',
        rollback: 'running',
        error,
        cancelRequested: state === 'CANCELED',
        leftovers: [],
      });
      left = await this.#rollBack(operations);
      if (left.length === 0) break;
      stuck = true;
    }
    const leftovers = [...this.#left];
    await this.#progress.end(state, { error, rollback: leftovers.length > 0 ? 'stuck' : 'complete', leftovers });
    return { state, error };
  }

  /** Takes back what was done, dependants first, in parallel where the graph allows; gives what could not be. */
  async #rollBack(operations: readonly Operation[]): Promise<readonly string[]> {
    const toDo = operations.filter(({ id, state }) => this.#done.has(id) && state !== 'UNCHANGED').map(({ id }) => id);
    const reversible = new Set(operations.filter((operation) => operation.reversible).map(({ id }) => id));
    const left: string[] = [];
    // What is not to be taken back still stands in the order between what is.
    const rest = new Set(operations.map(({ id }) => id)).difference(new Set(toDo));
    const ready = new ReadySet(dependantsFirst(operations), asDone(rest));
    await this.#inSlots(
      () => ready.take(),
      async (id) => {
        const end = reversible.has(id) ? await this.#operation({ operationId: id, direction: 'back' }) : done;
        if (end.state === 'SUCCEEDED') this.#done.delete(id);
        else left.push(id);
        // What could not be taken back does not keep the rest from being tried.
        ready.finish(id);
      },
    );
    return left;
  }

  /** One operation, to its end; whatever goes wrong in it is its own end and nobody else's. */
  async #operation(begin: BeginOperation): Promise<SagaEnd> {
    try {
      const begun = await this.#begin(begin);
      if ('error' in begun) return { state: 'FAILED', error: begun.error };
      if ('job' in begun) return await runJob(begun.job);
      return { state: 'SUCCEEDED' };
    } catch (error) {
      if (isCancellation(error)) return { state: 'CANCELED', error: canceledError('') };
      return {
        state: 'FAILED',
        error: { code: 'internal', message: error instanceof Error ? error.message : String(error) },
      };
    }
  }

  /** Keeps at most `parallelLimit` of what `take` gives under way; returns when nothing is under way and nothing is left. */
  #inSlots(take: () => string | undefined, run: (id: string) => Promise<void>): Promise<void> {
    return new Promise((finished, failed) => {
      let free = this.#input.parallelLimit;
      let underWay = 0;
      const fill = (): void => {
        while (free > 0) {
          const id = take();
          if (id === undefined) break;
          free -= 1;
          underWay += 1;
          run(id).then(() => {
            free += 1;
            underWay -= 1;
            fill();
          }, failed);
        }
        if (underWay === 0) finished();
      };
      // One that is held gives its slot to another; one that an operator settles goes on at once, slot or not.
      watchHolds({
        held: (type) => {
          if (type === 'batch.apply') return;
          free += 1;
          fill();
        },
        released: (type) => {
          if (type !== 'batch.apply') free -= 1;
        },
      });
      fill();
    });
  }

  #showProgress(): void {
    const running = new Map<string, string>();
    watchProgress((job, now, step) => {
      if (job.id === this.#input.jobId) running.delete(job.id);
      else if (now.state === 'RUNNING' || now.state === 'RETRYING' || now.state === 'HELD') {
        running.set(job.id, `- \`${job.resourceName}\`: ${now.state}${step ? `, step \`${step.name}\`` : ''}`);
      } else running.delete(job.id);
      const shown = [...running.values()].slice(0, 20);
      setCurrentDetails(
        [`**batch** \`${this.#input.name}\`: ${this.#done.size} done, ${running.size} under way`, ...shown].join('\n'),
      );
    });
  }
}

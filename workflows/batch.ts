import { CancellationScope, isCancellation, setCurrentDetails } from '@temporalio/workflow';
import type { BatchGraph, BeginOperation, Begun } from '../activities/types.ts';
import { dependantsFirst, ReadySet } from '../src/batch/graph.ts';
import type { BatchInput } from '../src/domain/start.ts';
import type { ErrorInfo } from '../src/errors.ts';
import { control } from './activities.ts';
import { hold } from './hold.ts';
import { runJob, throwUnlessDone } from './job.ts';
import { handleMessages, listen } from './messages.ts';
import { Progress, watchProgress } from './progress.ts';
import { beginner } from './record.ts';
import type { SagaEnd } from './saga.ts';

/** What `none` undoes. */
const done: SagaEnd = { state: 'SUCCEEDED' };

type Operation = BatchGraph['operations'][number];

/**
 * A generation of a batch: it holds the graph, the ready set and the slots, and hosts its operations' jobs inline.
 * What each operation is, and what it gave, stays in the database.
 */
export async function applyBatch(input: BatchInput): Promise<void> {
  handleMessages();
  const batch = new Batch(input);
  throwUnlessDone(await batch.run());
}

class Batch {
  readonly #input: BatchInput;
  readonly #progress: Progress;
  readonly #begin: (begin: BeginOperation) => Promise<Begun>;
  readonly #done = new Set<string>();
  #failure: { readonly operationId: string; readonly end: SagaEnd } | undefined;

  constructor(input: BatchInput) {
    this.#input = input;
    this.#progress = new Progress({ id: input.jobId, resourceName: input.name, sequence: input.sequence });
    this.#begin = beginner(input.batchId);
    this.#showProgress();
  }

  async run(): Promise<SagaEnd> {
    await this.#progress.tell({ state: 'RUNNING' });
    const { operations } = await CancellationScope.nonCancellable(() => control.loadBatch(this.#input.batchId));
    for (const { id, state } of operations) {
      if (state === 'SUCCEEDED' || state === 'UNCHANGED') this.#done.add(id);
    }
    listen(this.#input.jobId, this.#progress);
    await this.#apply(operations);
    return await CancellationScope.nonCancellable(() => this.#end(operations));
  }

  /** Runs each operation as soon as its dependencies allow, until all are done or one has failed. */
  async #apply(operations: readonly Operation[]): Promise<void> {
    const ready = new ReadySet(operations, this.#done);
    await this.#inSlots(
      () => (this.#failure ? undefined : ready.take()),
      async (id) => {
        const end = await this.#operation({ operationId: id, direction: 'forth' });
        if (end.state === 'SUCCEEDED') {
          this.#done.add(id);
          ready.finish(id);
        } else {
          this.#failure ??= { operationId: id, end };
        }
      },
    );
  }

  async #end(operations: readonly Operation[]): Promise<SagaEnd> {
    const failure = this.#failure;
    if (!failure) {
      await this.#progress.end('SUCCEEDED', undefined);
      return { state: 'SUCCEEDED' };
    }
    const state = failure.end.state;
    const error: ErrorInfo = {
      ...(failure.end.error ?? { code: 'internal', message: 'Failed.' }),
      message: `Operation "${failure.operationId}": ${failure.end.error?.message ?? 'failed.'}`,
    };
    await control.skipOperations(this.#input.batchId);
    void this.#progress.tell({ rollback: 'running', error });
    for (;;) {
      const left = await this.#rollBack(operations);
      if (left.length === 0) break;
      await hold(this.#input.jobId, this.#progress, left);
    }
    this.#progress.note({ rollback: 'complete' });
    await this.#progress.end(state, undefined);
    return { state, error };
  }

  /** Takes back what was done, dependants first, in parallel where the graph allows; gives what could not be. */
  async #rollBack(operations: readonly Operation[]): Promise<readonly string[]> {
    const toDo = operations.filter(({ id, state }) => this.#done.has(id) && state !== 'UNCHANGED').map(({ id }) => id);
    const reversible = new Set(operations.filter((operation) => operation.reversible).map(({ id }) => id));
    const left: string[] = [];
    // What is not to be taken back still stands in the order between what is.
    const rest = new Set(operations.map(({ id }) => id)).difference(new Set(toDo));
    const ready = new ReadySet(dependantsFirst(operations), rest);
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
      if ('done' in begun) return { state: 'SUCCEEDED' };
      return await runJob(begun.job);
    } catch (error) {
      if (isCancellation(error)) return { state: 'CANCELED', error: { code: 'conflict', message: 'Canceled.' } };
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
      const fill = (): void => {
        while (free > 0) {
          const id = take();
          if (id === undefined) break;
          free -= 1;
          run(id).then(() => {
            free += 1;
            fill();
          }, failed);
        }
        if (free === this.#input.parallelLimit) finished();
      };
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

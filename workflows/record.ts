import { CancellationScope } from '@temporalio/workflow';
import type { BeginOperation, Begun } from '../activities/types.ts';
import type { Transition } from '../src/domain/transition.ts';
import type { ErrorInfo } from '../src/errors.ts';
import { control } from './activities.ts';

/** What waits for the next flush: an item, and whoever awaits its answer. */
interface Due<Item, Answer> {
  readonly item: Item;
  readonly answer: (answer: Answer) => void;
  readonly fail: (error: unknown) => void;
}

/**
 * Collects whatever becomes due at the same moment, or while the flush before is under way, into one local activity.
 * Shielded from cancellation: a flush is shared by all the jobs that a workflow hosts.
 */
function coalesce<Item, Answer>(flush: (items: Item[]) => Promise<Answer[]>): (item: Item) => Promise<Answer> {
  let waiting: Due<Item, Answer>[] = [];
  let flushing = false;

  async function run(): Promise<void> {
    await Promise.resolve();
    while (waiting.length > 0) {
      const due = waiting;
      waiting = [];
      try {
        const answers = await CancellationScope.nonCancellable(() => flush(due.map(({ item }) => item)));
        due.forEach(({ answer, fail }, index) => {
          const given = answers[index];
          if (given === undefined) fail(new Error('a flush answered fewer items than it was given'));
          else answer(given);
        });
      } catch (error) {
        for (const { fail } of due) fail(error);
      }
    }
    flushing = false;
  }

  return (item) =>
    new Promise((answer, fail) => {
      waiting.push({ item, answer, fail });
      if (flushing) return;
      flushing = true;
      void run();
    });
}

/** Records a transition; gives why it was refused, or null. */
export const record: (transition: Transition) => Promise<ErrorInfo | null> = coalesce((transitions) =>
  control.record(transitions),
);

/** Begins operations of the batch that this workflow hosts. */
export function beginner(batchId: string, host?: string): (begin: BeginOperation) => Promise<Begun> {
  const ask = (begin: readonly BeginOperation[]): Promise<Begun[]> =>
    host ? control.beginOperations(batchId, begin, host) : control.beginOperations(batchId, begin);
  return coalesce(async (begin) => {
    const begun: Begun[] = [];
    do begun.push(...(await ask(begun.length === 0 ? begin : begin.slice(begun.length))));
    while (begun.length < begin.length);
    return begun;
  });
}

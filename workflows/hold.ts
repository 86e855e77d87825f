import { CancellationScope } from '@temporalio/workflow';
import { type JobType, type Settlement, settlementsFor } from '../src/domain/job-states.ts';
import { type Listener, needsAttention } from './messages.ts';
import type { JobNow, Progress } from './progress.ts';

/** Told of each hold of a job, for whoever hosts several: one that is held needs no slot. */
interface HoldWatcher {
  held(type: JobType): void;
  released(type: JobType): void;
}
let watcher: HoldWatcher = { held: () => undefined, released: () => undefined };
export function watchHolds(watch: HoldWatcher): void {
  watcher = watch;
}

/**
 * Holds a job until an operator settles it, and gives the decision. Ends too when the scope that it is called in is
 * canceled: it then throws what that throws.
 */
export async function hold(
  type: JobType,
  listener: Listener,
  progress: Progress,
  change: Pick<JobNow, 'rollback' | 'leftovers'> & Partial<Pick<JobNow, 'error'>>,
): Promise<Settlement> {
  const held = { type, state: 'HELD', ...change } as const;
  needsAttention(1);
  if (progress.now.state !== 'HELD') void progress.tell({ ...change, state: 'HELD', nextAttemptAt: null });
  const scope = CancellationScope.current();
  watcher.held(type);
  try {
    return await new Promise<Settlement>((settle, cancel) => {
      listener.held = { settlements: settlementsFor(held), settle };
      // A scope that is shielded tells of its parent's cancellation all the same.
      if (scope.cancellable) scope.cancelRequested.catch(cancel);
    });
  } finally {
    listener.held = undefined;
    watcher.released(type);
    needsAttention(-1);
  }
}

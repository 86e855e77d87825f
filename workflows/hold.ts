import { CancellationScope } from '@temporalio/workflow';
import { type JobType, type Settlement, settlementsFor } from '../src/domain/job-states.ts';
import { type Listener, needsAttention } from './messages.ts';
import type { JobNow, Progress } from './progress.ts';

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
  try {
    return await new Promise<Settlement>((settle, cancel) => {
      listener.held = { settlements: settlementsFor(held), settle };
      CancellationScope.current().cancelRequested.catch(cancel);
    });
  } finally {
    listener.held = undefined;
    needsAttention(-1);
  }
}

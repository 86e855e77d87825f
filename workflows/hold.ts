import { listen, needsAttention } from './messages.ts';
import type { Progress } from './progress.ts';

/** Holds a job whose rollback is stuck until an operator settles it; then it rolls back what is left once more. */
export async function hold(jobId: string, progress: Progress, leftovers: readonly string[]): Promise<void> {
  needsAttention(1);
  void progress.tell({ state: 'HELD', rollback: 'stuck', nextAttemptAt: null, leftovers });
  await new Promise<void>((settled) => {
    listen(jobId, { attempt: () => undefined, settle: () => settled() });
  });
  listen(jobId, progress);
  needsAttention(-1);
  void progress.tell({ state: 'RUNNING', rollback: 'running', leftovers: [] });
}

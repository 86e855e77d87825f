import type { Sql } from 'postgres';
import { jobState, skipPending } from '../db/queries/batch-work.ts';
import { recordTransitions } from '../db/queries/record.ts';
import type { JobView } from '../domain/job.ts';

/**
 * Cancels a job that nobody has begun, by the database alone: there is nothing to undo, and whoever comes to begin it finds
 * that it has ended. False where it has been begun, and its workflow is to be told.
 */
export async function cancelPending(sql: Sql, job: JobView, reason: string): Promise<boolean> {
  if (job.state !== 'PENDING' || job.batchId !== null) return false;
  await recordTransitions(sql, [
    {
      jobId: job.id,
      sequence: 1,
      // A workflow may have begun it since it was looked at.
      onlyFrom: 'PENDING',
      at: new Date().toISOString(),
      state: 'CANCELED',
      rollback: 'none',
      error: { code: 'conflict', message: `Canceled: ${reason}` },
      cancelRequested: true,
      nextAttemptAt: null,
      leftovers: [],
      resource: 'untouched',
    },
  ]);
  if ((await jobState(sql, job.id)) !== 'CANCELED') return false;
  if (job.type === 'batch.apply') await skipPending(sql, job.resource.id);
  return true;
}

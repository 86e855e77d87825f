import type { Sql } from 'postgres';
import { timelineOf, type Went } from '../../batch/timeline.ts';
import type { Timeline } from '../../domain/batch-timeline.ts';
import { iso } from './iso.ts';

type Head = Omit<Timeline, 'lanes' | 'criticalPath' | 'operations'>;

/** What became of a batch's operations in time. Three readings, however many operations there are. */
export async function batchTimeline(sql: Sql, batchId: string): Promise<Timeline> {
  const [[head], rows, attempts, rollbacks] = await Promise.all([
    sql.unsafe<Head[]>(
      `SELECT b.id, b.name, j.state, j.rollback, ${iso('b.created_at')} AS "createdAt", ${iso('j.started_at')} AS "startedAt",
        ${iso('j.ended_at')} AS "endedAt", ${iso('now()')} AS at FROM batches b JOIN jobs j ON j.id = b.job_id WHERE b.id = $1`,
      [batchId],
      { prepare: true },
    ),
    sql.unsafe<Omit<Went, 'attempts' | 'rollback'>[]>(
      `SELECT id, type, region, state, depends_on || soft_depends_on AS "dependsOn", ${iso('started_at')} AS "startedAt",
        ${iso("CASE WHEN state IN ('ROLLING_BACK', 'ROLLED_BACK', 'ROLLBACK_FAILED') THEN coalesce(forth_ended_at, ended_at) ELSE ended_at END")} AS "endedAt"
      FROM (SELECT o.*, f.ended_at AS forth_ended_at FROM batch_operations o
        LEFT JOIN jobs f ON f.id = o.job_id WHERE o.batch_id = $1) o ORDER BY position`,
      [batchId],
      { prepare: true },
    ),
    sql<{ id: string; attempts: number }[]>`
      SELECT o.id, sum(s.attempts)::int AS attempts FROM batch_operations o JOIN job_steps s ON s.job_id = o.job_id
      WHERE o.batch_id = ${batchId} GROUP BY o.id`,
    sql.unsafe<{ id: string; startedAt: string; endedAt: string | null }[]>(
      `SELECT o.id, ${iso('coalesce(j.started_at, j.created_at)')} AS "startedAt", ${iso('j.ended_at')} AS "endedAt"
      FROM batch_operations o JOIN jobs j ON j.id = o.rollback_job_id WHERE o.batch_id = $1 AND o.state IN ('ROLLING_BACK', 'ROLLED_BACK', 'ROLLBACK_FAILED')`,
      [batchId],
      { prepare: true },
    ),
  ]);
  if (!head) throw new Error(`batch ${batchId} is not in the database`);
  const tries = new Map(attempts.map((row) => [row.id, row.attempts]));
  const back = new Map(rollbacks.map(({ id, ...times }) => [id, times]));
  return timelineOf(
    head,
    rows.map((row) => ({ ...row, attempts: tries.get(row.id) ?? 0, rollback: back.get(row.id) ?? null })),
  );
}

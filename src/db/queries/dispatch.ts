import type { Sql } from 'postgres';
import type { StartableJob } from '../../domain/start.ts';

/** Accepted jobs whose workflow has not been heard of for some time: a crash may have come between commit and start. */
export async function overdueJobs(sql: Sql, olderThanSeconds: number, limit: number): Promise<readonly StartableJob[]> {
  return await sql<StartableJob[]>`
    SELECT id, type, workflow_id AS "workflowId", sequence, input FROM jobs
    WHERE state = 'PENDING' AND batch_id IS NULL AND created_at < now() - make_interval(secs => ${olderThanSeconds})
    ORDER BY created_at LIMIT ${limit}`;
}

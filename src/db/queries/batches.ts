import type { Sql } from 'postgres';
import type { BatchBasic, BatchDetail, BatchView } from '../../domain/batch.ts';
import { isId } from '../../domain/common.ts';
import { allOperations, type IsAway, momentOf } from './batch-operations.ts';
import { progressOf } from './batch-progress.ts';
import { iso } from './iso.ts';
import { Filter, listPage } from './listing.ts';
import type { Page, PageRequest } from './pages.ts';

const columns = `b.id, b.organization_id AS "organizationId", b.project_id AS "projectId", b.name, b.version,
    b.parallel_limit AS "parallelLimit", b.on_failure AS "onFailure", j.state, j.rollback, b.job_id AS "jobId", j.error,
    j.workflow_id AS "workflowId", ${iso('b.created_at')} AS "createdAt", ${iso('j.started_at')} AS "startedAt", ${iso('j.ended_at')} AS "endedAt",
    coalesce((SELECT jsonb_object_agg(c.state, c.count) FROM (
      SELECT o.state, count(*) FROM batch_operations o WHERE o.batch_id = b.id GROUP BY o.state) c), '{}') AS counts`;
const joins = 'JOIN jobs j ON j.id = b.job_id';

/** A batch by id, or the newest of this name, without its operations. */
async function findOne(sql: Sql, projectId: string, reference: string): Promise<BatchView | undefined> {
  const by = isId(reference) ? 'b.id = $2::uuid' : 'b.name = $2::text';
  const [batch] = await sql.unsafe<BatchView[]>(
    `SELECT ${columns} FROM batches b ${joins} WHERE b.project_id = $1 AND ${by} ORDER BY b.id DESC LIMIT 1`,
    [projectId, reference],
    { prepare: true },
  );
  return batch;
}

/** A batch by id, or the newest of this name, and how far it has come. */
export async function findBatch(
  sql: Sql,
  projectId: string,
  reference: string,
  isAway: IsAway,
): Promise<BatchBasic | undefined> {
  const batch = await findOne(sql, projectId, reference);
  if (!batch) return undefined;
  return { ...batch, progress: await progressOf(sql, await momentOf(sql, batch.id), isAway) };
}

/** Likewise, with all its operations. */
export async function findWholeBatch(
  sql: Sql,
  projectId: string,
  reference: string,
  isAway: IsAway,
): Promise<BatchDetail | undefined> {
  const batch = await findOne(sql, projectId, reference);
  if (!batch) return undefined;
  const moment = await momentOf(sql, batch.id);
  const [progress, operations] = await Promise.all([
    progressOf(sql, moment, isAway),
    allOperations(sql, batch.id, moment, isAway),
  ]);
  return { ...batch, progress, operations };
}

/** A batch's id, by itself or by the newest of this name; undefined where there is none in the project. */
export async function batchIdOf(sql: Sql, projectId: string, reference: string): Promise<string | undefined> {
  const [row] = await sql<{ id: string }[]>`
    SELECT id FROM batches WHERE project_id = ${projectId} AND ${isId(reference) ? sql`id = ${reference}` : sql`name = ${reference}`}
    ORDER BY id DESC LIMIT 1`;
  return row?.id;
}

/** The newest first. */
export function listBatches(sql: Sql, projectId: string, page: PageRequest): Promise<Page<BatchView>> {
  const filter = new Filter().fixed(projectId, 'b.project_id', 'uuid');
  const listing = { table: 'batches', alias: 'b', columns, joins, newestFirst: true, filter };
  return listPage<BatchView, BatchView>(sql, listing, page, (row) => row);
}

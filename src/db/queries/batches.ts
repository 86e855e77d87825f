import type { Sql } from 'postgres';
import type { BatchDetail, BatchOperationView, BatchView } from '../../domain/batch.ts';
import { isId } from '../../domain/common.ts';
import { iso } from './iso.ts';
import { outputsFor } from './outputs.ts';
import { afterOf, type Page, type PageRequest, toPage } from './pages.ts';

const select = `SELECT b.id, b.organization_id AS "organizationId", b.project_id AS "projectId", b.name, b.version,
    b.parallel_limit AS "parallelLimit", b.on_failure AS "onFailure", j.state, j.rollback, b.job_id AS "jobId", j.error,
    j.workflow_id AS "workflowId", ${iso('b.created_at')} AS "createdAt", ${iso('j.started_at')} AS "startedAt", ${iso('j.ended_at')} AS "endedAt",
    coalesce((SELECT jsonb_object_agg(c.state, c.count) FROM (
      SELECT o.state, count(*) FROM batch_operations o WHERE o.batch_id = b.id GROUP BY o.state) c), '{}') AS counts
  FROM batches b JOIN jobs j ON j.id = b.job_id`;

/** A batch by id, or the newest of this name. */
export async function findBatch(sql: Sql, projectId: string, reference: string): Promise<BatchDetail | undefined> {
  const by = isId(reference) ? 'b.id = $2::uuid' : 'b.name = $2::text';
  const [batch] = await sql.unsafe<BatchView[]>(
    `${select} WHERE b.project_id = $1 AND ${by} ORDER BY b.id DESC LIMIT 1`,
    [projectId, reference],
    { prepare: true },
  );
  if (!batch) return undefined;
  return { ...batch, operations: await operationsOf(sql, batch.id) };
}

async function operationsOf(sql: Sql, batchId: string): Promise<BatchOperationView[]> {
  const rows = await sql.unsafe<Omit<BatchOperationView, 'outputs'>[]>(
    `SELECT o.id, o.type, o.region, o.provider, o.depends_on AS "dependsOn", o.state,
      CASE WHEN j.id IS NOT NULL THEN j.id END AS "jobId",
      CASE WHEN r.id IS NOT NULL THEN jsonb_build_object('id', r.id, 'kind', r.kind, 'name', r.name) END AS resource,
      o.error, ${iso('o.started_at')} AS "startedAt", ${iso('o.ended_at')} AS "endedAt"
    FROM batch_operations o LEFT JOIN jobs j ON j.id = o.job_id LEFT JOIN resources r ON r.id = o.resource_id
    WHERE o.batch_id = $1 ORDER BY o.position`,
    [batchId],
    { prepare: true },
  );
  const done = rows.filter(({ state }) => state === 'SUCCEEDED' || state === 'UNCHANGED');
  const outputs = await outputsFor(
    sql,
    batchId,
    done.map(({ id }) => id),
  );
  return rows.map((row) => ({ ...row, outputs: outputs.get(row.id) ?? null }));
}

/** The newest first. */
export async function listBatches(sql: Sql, projectId: string, page: PageRequest): Promise<Page<BatchView>> {
  const rows = await sql.unsafe<BatchView[]>(
    `${select} WHERE b.project_id = $1 AND b.id < coalesce($2::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff') ORDER BY b.id DESC LIMIT $3`,
    [projectId, afterOf(page.cursor), page.limit + 1],
    { prepare: true },
  );
  return toPage(rows, page.limit, (row) => row);
}

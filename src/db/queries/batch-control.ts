import type { Sql, TransactionSql } from 'postgres';
import { oldSuffix } from '../../batch/schedule.ts';
import type { Caller } from '../../requests/caller.ts';
import { iso } from './iso.ts';
import { insertEvent } from './outbox.ts';

/** A batch as what is asked of it is decided by. */
export interface BatchTarget {
  readonly id: string;
  readonly name: string;
  readonly jobId: string;
  readonly jobState: string;
  readonly workflowId: string;
  readonly generation: number;
  readonly hasEnded: boolean;
  /** ISO 8601. */
  readonly pausedAt: string | null;
  readonly pausedBy: string | null;
}

/** The batch, its row locked until the end of the transaction; undefined where the project has none. */
export async function lockBatch(
  sql: TransactionSql,
  projectId: string,
  batchId: string,
): Promise<BatchTarget | undefined> {
  const [batch] = await sql.unsafe<BatchTarget[]>(
    `SELECT b.id, b.name, b.job_id AS "jobId", j.state AS "jobState", j.workflow_id AS "workflowId", b.generation,
      j.ended_at IS NOT NULL AS "hasEnded", ${iso('b.paused_at')} AS "pausedAt", b.paused_by AS "pausedBy"
    FROM batches b JOIN jobs j ON j.id = b.job_id WHERE b.project_id = $1 AND b.id = $2 FOR UPDATE OF b`,
    [projectId, batchId],
  );
  return batch;
}

/** From now on nothing is begun, or (`false`) again; tells so. */
export async function setPaused(
  sql: TransactionSql,
  caller: Caller,
  batch: BatchTarget,
  paused: boolean,
): Promise<void> {
  await sql`
    UPDATE batches SET paused_at = ${paused ? sql`now()` : null}, paused_by = ${paused ? caller.actor : null} WHERE id = ${batch.id}`;
  await insertEvent(sql, {
    organizationId: caller.organization.id,
    projectId: caller.project.id,
    type: paused ? 'batch.paused' : 'batch.resumed',
    resource: { id: batch.id, kind: 'batch', name: batch.name },
    jobId: batch.jobId,
    data: { by: caller.actor },
  });
}

/** An approval that waits, and what is to be decided. */
export interface Approval {
  readonly type: string;
  readonly state: string;
  readonly role: string | null;
  readonly decided: boolean;
}

export async function lockApproval(
  sql: TransactionSql,
  batchId: string,
  operationId: string,
): Promise<Approval | undefined> {
  const [row] = await sql<Approval[]>`
    SELECT type, state, spec ->> 'role' AS role, decision IS NOT NULL AS decided FROM batch_operations
    WHERE batch_id = ${batchId} AND id = ${operationId} FOR UPDATE`;
  return row;
}

export async function decideApproval(
  sql: TransactionSql,
  batchId: string,
  operationId: string,
  { approved, by, reason }: { readonly approved: boolean; readonly by: string; readonly reason: string },
): Promise<void> {
  await sql`
    UPDATE batch_operations SET decision = jsonb_build_object('approved', ${approved}::boolean, 'by', ${by}::text,
      'reason', ${reason}::text, 'at', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
    WHERE batch_id = ${batchId} AND id = ${operationId}`;
}

/** The job of an operation that waits for a decision; undefined where none does. */
export async function heldJobOf(sql: Sql, batchId: string, operationId: string): Promise<string | undefined> {
  const [row] = await sql<{ id: string }[]>`
    SELECT id FROM jobs WHERE batch_id = ${batchId} AND operation_id = ${operationId} AND state = 'HELD' LIMIT 1`;
  return row?.id;
}

/**
 * Makes ready again whatever of a batch is not done: what failed, was canceled, left out or taken back, and what has gone
 * since it was made. What is done, and still there, stays done.
 */
export async function renewUndone(sql: TransactionSql, batchId: string): Promise<void> {
  await replaceKept(sql, batchId);
  await sql`
    UPDATE batch_operations o SET state = 'PENDING', job_id = uuidv7(), rollback_job_id = uuidv7(), error = NULL,
      reason = NULL, started_at = NULL, ended_at = NULL, wait_until = NULL, decision = NULL, outputs = NULL,
      resource_id = CASE WHEN o.type LIKE '%.create' THEN NULL ELSE o.resource_id END
    WHERE o.batch_id = ${batchId} AND (o.state IN ('FAILED', 'CANCELED', 'SKIPPED', 'ROLLED_BACK')
      OR (o.state IN ('SUCCEEDED', 'UNCHANGED', 'ROLLBACK_FAILED') AND o.type LIKE '%.create'
        AND EXISTS (SELECT FROM resources r WHERE r.id = o.resource_id AND r.deleted_at IS NOT NULL)))`;
  await sql`
    UPDATE batch_operations o SET state = 'SUCCEEDED', error = NULL, rollback_job_id = uuidv7()
    WHERE o.batch_id = ${batchId} AND o.state = 'ROLLBACK_FAILED'`;
}

/** An operation as it was accepted, its secrets sealed, and how far it has come. */
export interface OperationNow {
  readonly id: string;
  readonly type: string;
  readonly state: string;
  readonly spec: unknown;
}

export async function operationsNow(sql: TransactionSql, batchId: string): Promise<readonly OperationNow[]> {
  return await sql<OperationNow[]>`
    SELECT id, type, state, spec FROM batch_operations WHERE batch_id = ${batchId} ORDER BY position`;
}

/** What failed and was kept, in `error`, is deleted before it is made anew: by an operation of its own, as a plan has it. */
async function replaceKept(sql: TransactionSql, batchId: string): Promise<void> {
  await sql.unsafe(
    `WITH kept AS (
      SELECT o.*, r.kind FROM batch_operations o JOIN resources r ON r.id = o.resource_id
      WHERE o.batch_id = $1 AND o.type LIKE '%.create' AND o.state IN ('FAILED', 'CANCELED') AND r.deleted_at IS NULL
    ),
    old AS (
      INSERT INTO batch_operations (batch_id, id, position, type, region, provider, depends_on, soft_depends_on, action,
        conditions, policy, spec, resource_id)
      SELECT batch_id, id || $2, position, kind || '.delete', region, provider, depends_on, soft_depends_on, 'delete',
        conditions, policy, jsonb_build_object('name', resource_id), resource_id FROM kept
      ON CONFLICT (batch_id, id) DO UPDATE SET state = 'PENDING', resource_id = excluded.resource_id, spec = excluded.spec,
        job_id = uuidv7(), rollback_job_id = uuidv7(), error = NULL, reason = NULL, started_at = NULL, ended_at = NULL
    )
    UPDATE batch_operations o SET action = 'replace', depends_on = array_append(array_remove(o.depends_on, o.id || $2), o.id || $2)
    FROM kept WHERE o.batch_id = kept.batch_id AND o.id = kept.id`,
    [batchId, oldSuffix],
  );
  await sql`
    UPDATE batch_operations o SET position = n.position FROM (
      SELECT id, row_number() OVER (ORDER BY position, length(id) DESC, id) - 1 AS position
      FROM batch_operations WHERE batch_id = ${batchId}) n
    WHERE o.batch_id = ${batchId} AND o.id = n.id AND o.position <> n.position`;
}

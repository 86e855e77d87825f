import type { Sql } from 'postgres';
import type { OperationState } from '../../domain/batch.ts';
import type { Checkpoint, FailurePolicy, Job, JobState } from '../../domain/job.ts';
import type { OperationType } from '../../domain/kinds.ts';
import type { Trail } from '../../domain/trail.ts';
import type { ErrorInfo } from '../../errors.ts';
import type { Sealer } from '../../secrets/sealer.ts';
import { openInput } from '../../secrets/specs.ts';
import { checkpointOf } from './dispatch.ts';

/** A batch as its workflow's activities need it. */
export interface BatchRow {
  readonly id: string;
  readonly name: string;
  readonly jobId: string;
  readonly workflowId: string;
  readonly onFailure: FailurePolicy;
  readonly hasEnded: boolean;
  readonly caller: {
    readonly organization: { readonly id: string; readonly name: string };
    readonly project: { readonly id: string; readonly name: string };
    /** Null where it was accepted by a release that kept none. */
    readonly trail: Trail | null;
  };
}

export interface OperationRow {
  readonly id: string;
  readonly type: OperationType;
  readonly region: string | null;
  readonly provider: string | null;
  readonly dependsOn: string[];
  readonly spec: Record<string, unknown>;
  readonly state: OperationState;
  readonly jobId: string;
  readonly rollbackJobId: string;
  readonly resourceId: string | null;
}

export async function batchForWork(sql: Sql, batchId: string): Promise<BatchRow> {
  const [row] = await sql<BatchRow[]>`
    SELECT b.id, b.name, b.job_id AS "jobId", j.workflow_id AS "workflowId", b.on_failure AS "onFailure", j.ended_at IS NOT NULL AS "hasEnded",
      jsonb_build_object('organization', jsonb_build_object('id', o.id, 'name', o.name), 'project', jsonb_build_object('id', p.id, 'name', p.name),
        'trail', j.input -> 'trail') AS caller
    FROM batches b JOIN jobs j ON j.id = b.job_id JOIN organizations o ON o.id = b.organization_id JOIN projects p ON p.id = b.project_id
    WHERE b.id = ${batchId}`;
  if (!row) throw new Error(`batch ${batchId} is not in the database`);
  return row;
}

/** A batch's operations in the order of its file; all, or those named. */
export async function operationsForWork(
  sql: Sql,
  batchId: string,
  only?: readonly string[],
): Promise<readonly OperationRow[]> {
  return await sql<OperationRow[]>`
    SELECT id, type, region, provider, depends_on AS "dependsOn", spec, state, job_id AS "jobId", rollback_job_id AS "rollbackJobId", resource_id AS "resourceId"
    FROM batch_operations WHERE batch_id = ${batchId} ${only ? sql`AND id = ANY(${[...only]})` : sql``} ORDER BY position`;
}

/** An operation as its batch's workflow decides by it. */
interface GraphRow {
  readonly id: string;
  readonly type: OperationType;
  readonly dependsOn: string[];
  readonly state: OperationState;
  readonly error: ErrorInfo | null;
  /** Its job has ended and may have left something at the provider. */
  readonly left: boolean;
}

/** A batch's operations in the order of its file, from this place on. */
export async function graphForWork(sql: Sql, batchId: string, from: number): Promise<readonly GraphRow[]> {
  return await sql<GraphRow[]>`
    SELECT o.id, o.type, o.depends_on AS "dependsOn", o.state, o.error,
      j.ended_at IS NOT NULL AND cardinality(j.leftovers) > 0 AS left
    FROM batch_operations o LEFT JOIN jobs j ON j.id = o.job_id
    WHERE o.batch_id = ${batchId} AND o.position >= ${from} ORDER BY o.position`;
}

/** Undefined where no such job has been accepted. */
export async function jobState(sql: Sql, jobId: string): Promise<JobState | undefined> {
  const [row] = await sql<{ state: JobState }[]>`SELECT state FROM jobs WHERE id = ${jobId}`;
  return row?.state;
}

/** A job as its workflow gets it, from its checkpoint if it has been begun; undefined where it has not been accepted. */
export async function jobForWork(
  sql: Sql,
  sealer: Sealer,
  jobId: string,
): Promise<{ job: Job; checkpoint: Checkpoint } | undefined> {
  const [row] = await sql<{ input: Omit<Job, 'sequence'>; sequence: number; checkpoint: Checkpoint }[]>`
    SELECT j.input, j.sequence, ${sql.unsafe(checkpointOf)} AS checkpoint FROM jobs j WHERE j.id = ${jobId}`;
  if (!row) return undefined;
  const { sequence, checkpoint } = row;
  const input = await openInput(sealer, jobId, row.input);
  return { job: { ...input, sequence, ...(sequence > 0 ? { checkpoint } : {}) }, checkpoint };
}

/** An operation is under way, on this resource. */
export async function markBegun(
  sql: Sql,
  batchId: string,
  operationId: string,
  direction: 'forth' | 'back',
  resourceId: string,
): Promise<void> {
  const state: OperationState = direction === 'forth' ? 'RUNNING' : 'ROLLING_BACK';
  await sql`
    UPDATE batch_operations SET state = ${state}, resource_id = ${resourceId}, started_at = coalesce(started_at, now())
    WHERE batch_id = ${batchId} AND id = ${operationId} AND state = ANY(${direction === 'forth' ? ['PENDING'] : ['SUCCEEDED', 'ROLLBACK_FAILED']})`;
}

/** An operation that ended without a job: refused, or with nothing to do. */
export async function endOperation(
  sql: Sql,
  batchId: string,
  operationId: string,
  state: OperationState,
  error: ErrorInfo | null,
): Promise<void> {
  await sql.unsafe(
    'UPDATE batch_operations SET state = $3, error = $4::text::jsonb, started_at = coalesce(started_at, now()), ended_at = now() WHERE batch_id = $1 AND id = $2',
    [batchId, operationId, state, error && JSON.stringify(error)],
  );
}

export async function renewRollbackJob(sql: Sql, batchId: string, operationId: string): Promise<string> {
  const [row] = await sql<{ id: string }[]>`
    UPDATE batch_operations SET rollback_job_id = uuidv7() WHERE batch_id = ${batchId} AND id = ${operationId} RETURNING rollback_job_id AS id`;
  if (!row) throw new Error(`batch ${batchId} has no operation ${operationId}`);
  return row.id;
}

/** Has what failed tried again, each by a new job; what a job of it left was undone, or is in the way and will say so. */
export async function renewFailed(sql: Sql, batchId: string): Promise<void> {
  await sql`
    UPDATE batch_operations SET state = 'PENDING', job_id = uuidv7(), error = NULL, ended_at = NULL
    WHERE batch_id = ${batchId} AND state IN ('FAILED', 'CANCELED')`;
}

/**
 * What has not begun will not. Gives what is under way, which is nothing that the batch's workflow knows of: the
 * workflow task that began it was lost after the database had it, and the next one went another way.
 */
export async function skipPending(sql: Sql, batchId: string): Promise<readonly string[]> {
  await sql`
    UPDATE batch_operations o SET state = 'SKIPPED', ended_at = now()
    WHERE batch_id = ${batchId} AND state = 'PENDING' AND NOT EXISTS (SELECT FROM jobs j WHERE j.id = o.job_id)`;
  const begun = await sql<{ id: string }[]>`
    SELECT o.id FROM batch_operations o JOIN jobs j ON j.id = o.job_id
    WHERE o.batch_id = ${batchId} AND o.state IN ('PENDING', 'RUNNING') AND j.ended_at IS NULL ORDER BY o.position`;
  return begun.map(({ id }) => id);
}

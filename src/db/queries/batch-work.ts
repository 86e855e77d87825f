import type { Sql } from 'postgres';
import type { Condition } from '../../batch/file.ts';
import type { OperationState, PlanAction } from '../../domain/batch.ts';
import type { ResourceChange } from '../../domain/change.ts';
import type { ResourceUpdate } from '../../domain/common.ts';
import type { Checkpoint, FailurePolicy, Job, JobState, RetryPolicy } from '../../domain/job.ts';
import type { BatchOperationType } from '../../domain/kinds.ts';
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
  readonly paused: boolean;
  /** By name, sealed. */
  readonly secrets: Readonly<Record<string, unknown>>;
  readonly caller: {
    readonly organization: { readonly id: string; readonly name: string };
    readonly project: { readonly id: string; readonly name: string };
    /** Null where it was accepted by a release that kept none. */
    readonly trail: Trail | null;
  };
}

/** What the file says of how an operation is run. */
interface OperationPolicy {
  readonly retry?: Partial<RetryPolicy>;
  readonly timeoutSeconds?: number;
  readonly onFailure?: FailurePolicy;
}

/** What was decided of an approval. */
interface ApprovalDecision {
  readonly approved: boolean;
  readonly by: string;
  readonly reason: string;
  /** ISO 8601. */
  readonly at: string;
}

export interface OperationRow {
  readonly id: string;
  readonly type: BatchOperationType;
  /** Null where an earlier release accepted it. */
  readonly action: PlanAction | null;
  readonly region: string | null;
  readonly provider: string | null;
  readonly dependsOn: string[];
  readonly spec: Record<string, unknown>;
  readonly conditions: readonly Condition[];
  readonly policy: OperationPolicy;
  readonly state: OperationState;
  readonly jobId: string;
  readonly rollbackJobId: string;
  readonly resourceId: string | null;
  readonly before: ResourceUpdate | null;
  readonly decision: ApprovalDecision | null;
  /** Null where no job has been accepted under `jobId`, or under `rollbackJobId`. */
  readonly jobState: JobState | null;
  readonly rollbackJobState: JobState | null;
}

export async function batchForWork(sql: Sql, batchId: string): Promise<BatchRow> {
  const [row] = await sql<BatchRow[]>`
    SELECT b.id, b.name, b.job_id AS "jobId", j.workflow_id AS "workflowId", b.on_failure AS "onFailure", j.ended_at IS NOT NULL AS "hasEnded",
      b.paused_at IS NOT NULL AS paused, b.secrets,
      jsonb_build_object('organization', jsonb_build_object('id', o.id, 'name', o.name), 'project', jsonb_build_object('id', p.id, 'name', p.name),
        'trail', j.input -> 'trail') AS caller
    FROM batches b JOIN jobs j ON j.id = b.job_id JOIN organizations o ON o.id = b.organization_id JOIN projects p ON p.id = b.project_id
    WHERE b.id = ${batchId}`;
  if (!row) throw new Error(`batch ${batchId} is not in the database`);
  return row;
}

/** These operations of a batch, with the states of their jobs. */
export async function operationsForWork(
  sql: Sql,
  batchId: string,
  only: readonly string[],
): Promise<readonly OperationRow[]> {
  return await sql<OperationRow[]>`
    SELECT o.id, o.type, o.action, o.region, o.provider, o.depends_on AS "dependsOn", o.spec, o.conditions, o.policy, o.state,
      o.job_id AS "jobId", o.rollback_job_id AS "rollbackJobId", o.resource_id AS "resourceId", o.before, o.decision,
      j.state AS "jobState", k.state AS "rollbackJobState"
    FROM batch_operations o LEFT JOIN jobs j ON j.id = o.job_id LEFT JOIN jobs k ON k.id = o.rollback_job_id
    WHERE o.batch_id = ${batchId} AND o.id = ANY(${[...only]})`;
}

/** An operation as its batch's workflow decides by it. */
interface GraphRow {
  readonly id: string;
  readonly type: BatchOperationType;
  readonly action: PlanAction | null;
  readonly dependsOn: string[];
  readonly softDependsOn: string[];
  readonly onFailure: FailurePolicy | null;
  /** It is an HTTP request that says how it is taken back. */
  readonly hasUndo: boolean;
  readonly state: OperationState;
  readonly error: ErrorInfo | null;
  /** Its job has ended and may have left something at the provider. */
  readonly left: boolean;
}

/** A batch's operations in the order of its file, from this place on. */
export async function graphForWork(sql: Sql, batchId: string, from: number): Promise<readonly GraphRow[]> {
  return await sql<GraphRow[]>`
    SELECT o.id, o.type, o.action, o.depends_on AS "dependsOn", o.soft_depends_on AS "softDependsOn",
      o.policy ->> 'onFailure' AS "onFailure", o.spec ? 'undo' AS "hasUndo", o.state, o.error,
      j.ended_at IS NOT NULL AND cardinality(j.leftovers) > 0 AS left
    FROM batch_operations o LEFT JOIN jobs j ON j.id = o.job_id
    WHERE o.batch_id = ${batchId} AND o.position >= ${from} ORDER BY o.position`;
}

/** Undefined where no such job has been accepted. */
export async function jobState(sql: Sql, jobId: string): Promise<JobState | undefined> {
  const [row] = await sql<{ state: JobState }[]>`SELECT state FROM jobs WHERE id = ${jobId}`;
  return row?.state;
}

/** What takes a job's act back; undefined where nothing does, or the job was never accepted. */
export async function changeBack(sql: Sql, jobId: string): Promise<ResourceChange['back']> {
  const [row] = await sql<{ back: ResourceChange['back'] | null }[]>`
    SELECT change -> 'back' AS back FROM jobs WHERE id = ${jobId}`;
  return row?.back ?? undefined;
}

/** A job as its workflow gets it, from its checkpoint if it has been begun; undefined where it has not been accepted. */
export async function jobForWork(
  sql: Sql,
  sealer: Sealer,
  jobId: string,
): Promise<{ job: Job; checkpoint: Checkpoint; workflowId: string } | undefined> {
  const [row] = await sql<
    { input: Omit<Job, 'sequence'>; sequence: number; epoch: number; workflowId: string; checkpoint: Checkpoint }[]
  >`
    SELECT j.input, j.sequence, j.epoch, j.workflow_id AS "workflowId", ${sql.unsafe(checkpointOf)} AS checkpoint FROM jobs j WHERE j.id = ${jobId}`;
  if (!row) return undefined;
  const { sequence, epoch, workflowId, checkpoint } = row;
  const input = await openInput(sealer, jobId, row.input);
  const again = sequence > 0 ? { checkpoint } : {};
  return { job: { ...input, sequence, ...(epoch > 0 ? { epoch } : {}), ...again }, checkpoint, workflowId };
}

/** An operation is under way, on this resource if it has one. */
export async function markBegun(
  sql: Sql,
  batchId: string,
  operationId: string,
  direction: 'forth' | 'back',
  resourceId: string | null,
): Promise<void> {
  const state: OperationState = direction === 'forth' ? 'RUNNING' : 'ROLLING_BACK';
  await sql`
    UPDATE batch_operations SET state = ${state}, resource_id = ${resourceId}, started_at = coalesce(started_at, now())
    WHERE batch_id = ${batchId} AND id = ${operationId} AND state = ANY(${direction === 'forth' ? ['PENDING'] : ['SUCCEEDED', 'ROLLBACK_FAILED']})`;
}

/** How an operation ended that has no job, or was refused one. */
export interface PlainEnd {
  readonly state: OperationState;
  readonly error?: ErrorInfo;
  /** Why it is so, where no error says it. */
  readonly reason?: string;
  readonly outputs?: object;
}

/** Ends operations without a job, and tells so. The reason is for people. */
export async function endOperation(sql: Sql, batchId: string, operationId: string, end: PlainEnd): Promise<void> {
  const { state, error, reason, outputs } = end;
  await sql.unsafe(
    `WITH ended AS (
      UPDATE batch_operations SET state = $3, error = $4::text::jsonb, reason = $5, outputs = coalesce($6::text::jsonb, outputs),
        started_at = coalesce(started_at, now()), ended_at = now()
      WHERE batch_id = $1 AND id = $2 AND state <> $3 RETURNING *
    ) ${tellEnded}`,
    [
      batchId,
      operationId,
      state,
      error ? JSON.stringify(error) : null,
      reason ?? null,
      outputs ? JSON.stringify(outputs) : null,
    ],
  );
}

/** An event for each operation of `ended`. */
const tellEnded = `INSERT INTO events (organization_id, project_id, resource_id, resource_kind, resource_name, parent_job_id, type, data)
  SELECT b.organization_id, b.project_id, b.id, 'batch', b.name, b.job_id, 'operation.ended', jsonb_build_object(
    'operationId', o.id, 'type', o.type, 'state', o.state, 'reason', o.reason, 'error', o.error)
  FROM ended o JOIN batches b ON b.id = o.batch_id ORDER BY o.position`;

/** An operation begins to wait, or waits on: until this time by the database's clock, or (null) for a decision alone. */
export async function beginWait(
  sql: Sql,
  batchId: string,
  operationId: string,
  { seconds, until }: { readonly seconds?: number | undefined; readonly until?: string | undefined },
): Promise<{ readonly until: string | null; readonly isOver: boolean }> {
  const [row] = await sql<{ until: Date | null; isOver: boolean }[]>`
    UPDATE batch_operations SET state = 'WAITING', started_at = coalesce(started_at, now()),
      wait_until = coalesce(wait_until, ${until ?? null}::timestamptz, now() + make_interval(secs => ${seconds ?? null}::float8))
    WHERE batch_id = ${batchId} AND id = ${operationId} AND state IN ('PENDING', 'WAITING')
    RETURNING wait_until AS until, coalesce(wait_until <= now(), false) AS "isOver"`;
  if (!row) throw new Error(`operation ${operationId} of batch ${batchId} does not wait`);
  return { until: row.until?.toISOString() ?? null, isOver: row.isOver };
}

/** Keeps what a change in place replaces, once. */
export async function keepBefore(
  sql: Sql,
  batchId: string,
  operationId: string,
  before: ResourceUpdate,
  resourceId: string,
): Promise<void> {
  await sql.unsafe(
    'UPDATE batch_operations SET before = coalesce(before, $3::text::jsonb), resource_id = $4 WHERE batch_id = $1 AND id = $2',
    [batchId, operationId, JSON.stringify(before), resourceId],
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
    UPDATE batch_operations SET state = 'PENDING', job_id = uuidv7(), error = NULL, reason = NULL, ended_at = NULL,
      wait_until = NULL, decision = NULL
    WHERE batch_id = ${batchId} AND state IN ('FAILED', 'CANCELED')`;
}

/**
 * What has not begun will not. Gives what is under way, which is nothing that the batch's workflow knows of: the
 * workflow task that began it was lost after the database had it, and the next one went another way.
 */
export async function skipPending(sql: Sql, batchId: string): Promise<readonly string[]> {
  await sql.unsafe(
    `WITH ended AS (
      UPDATE batch_operations o SET state = CASE WHEN o.state = 'WAITING' THEN 'CANCELED' ELSE 'SKIPPED' END, ended_at = now(),
        reason = 'The batch ended before its turn came.'
      WHERE batch_id = $1 AND state IN ('PENDING', 'WAITING') AND NOT EXISTS (SELECT FROM jobs j WHERE j.id = o.job_id)
      RETURNING *
    ) ${tellEnded}`,
    [batchId],
  );
  const begun = await sql<{ id: string }[]>`
    SELECT o.id FROM batch_operations o JOIN jobs j ON j.id = o.job_id
    WHERE o.batch_id = ${batchId} AND o.state IN ('PENDING', 'RUNNING') AND j.ended_at IS NULL ORDER BY o.position`;
  return begun.map(({ id }) => id);
}

/** What a batch's workflow has to know beside its graph. */
export async function batchNow(sql: Sql, batchId: string): Promise<BatchNow> {
  const [row] = await sql<
    BatchNow[]
  >`SELECT paused_at IS NOT NULL AS paused, limits FROM batches WHERE id = ${batchId}`;
  return row ?? { paused: false, limits: {} };
}

/** What a batch's workflow has to know beside its graph. */
interface BatchNow {
  readonly paused: boolean;
  readonly limits: Readonly<Record<string, number>>;
}

/** The batch's job lives in this workflow from now on; one that is older than the one it lives in changes nothing. */
export async function moveBatch(sql: Sql, batchId: string, generation: number, workflowId: string): Promise<void> {
  await sql`
    WITH moved AS (
      UPDATE batches SET generation = ${generation} WHERE id = ${batchId} AND generation < ${generation} RETURNING job_id
    )
    UPDATE jobs SET workflow_id = ${workflowId} FROM moved WHERE id = moved.job_id AND ended_at IS NULL`;
}

export async function hostOfBatch(sql: Sql, batchId: string): Promise<string> {
  const [row] = await sql<{ workflowId: string }[]>`
    SELECT j.workflow_id AS "workflowId" FROM batches b JOIN jobs j ON j.id = b.job_id WHERE b.id = ${batchId}`;
  if (!row) throw new Error(`batch ${batchId} is not in the database`);
  return row.workflowId;
}

/** An operation as its job ended. */
interface EndedRow {
  readonly id: string;
  readonly state: JobState;
  readonly error: ErrorInfo | null;
  readonly leftovers: readonly string[];
}

/** Those of these operations whose jobs in this direction have ended. */
export async function endedAmong(
  sql: Sql,
  batchId: string,
  operationIds: readonly string[],
  direction: 'forth' | 'back',
): Promise<readonly EndedRow[]> {
  return await sql<EndedRow[]>`
    SELECT o.id, j.state, j.error, j.leftovers FROM batch_operations o
    JOIN jobs j ON j.id = ${direction === 'forth' ? sql`o.job_id` : sql`o.rollback_job_id`}
    WHERE o.batch_id = ${batchId} AND o.id = ANY(${[...operationIds]}) AND j.ended_at IS NOT NULL`;
}

/** A job goes on in this workflow, and in no other: what the one before could still record is refused from now on. */
export async function moveJob(sql: Sql, jobId: string, workflowId: string): Promise<number> {
  const [row] = await sql<{ epoch: number }[]>`
    UPDATE jobs SET workflow_id = ${workflowId}, epoch = epoch + 1 WHERE id = ${jobId} RETURNING epoch`;
  return row?.epoch ?? 0;
}

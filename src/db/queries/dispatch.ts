import type { Sql, TransactionSql } from 'postgres';
import type { SagaType } from '../../domain/kinds.ts';
import type { HostedOperation, StartableJob } from '../../domain/start.ts';
import { iso } from './iso.ts';

const startable = `j.id, j.type, j.workflow_id AS "workflowId", j.sequence, j.input`;

/** SQL for a `Checkpoint` of the job `j`. */
export const checkpointOf = `jsonb_build_object('state', j.state, 'rollback', j.rollback, 'error', j.error,
  'cancelRequested', j.cancel_requested, 'leftovers', to_jsonb(j.leftovers),
  'steps', coalesce((SELECT jsonb_agg(jsonb_build_object('position', s.position, 'name', s.name, 'state', s.state,
    'attempts', s.attempts, 'error', s.error, 'nextAttemptAt', ${iso('s.next_attempt_at')}, 'providerReference', s.provider_reference,
    'result', s.result, 'startedAt', ${iso('s.started_at')}, 'endedAt', ${iso('s.ended_at')}) ORDER BY s.position)
    FROM job_steps s WHERE s.job_id = j.id), '[]'))`;

/** A place in a list of jobs, oldest first. */
interface Waiting {
  readonly id: string;
  readonly createdAt: Date;
}

/**
 * Accepted jobs whose workflow has not been heard of for some time: a crash may have come between commit and start.
 * The oldest that come `after` one, so many at most.
 */
export async function overdueJobs(
  sql: Sql,
  olderThanSeconds: number,
  limit: number,
  after: Waiting | undefined,
): Promise<readonly Waiting[]> {
  return await sql<Waiting[]>`
    SELECT j.id, j.created_at AS "createdAt" FROM jobs j
    WHERE j.state = 'PENDING' AND j.batch_id IS NULL AND j.host_job_id IS NULL AND j.created_at < now() - make_interval(secs => ${olderThanSeconds})
      ${afterIn(sql, after)}
    ORDER BY j.created_at, j.id LIMIT ${limit}`;
}

const afterIn = (sql: Sql, after: Waiting | undefined) =>
  after ? sql`AND (j.created_at, j.id) > (${after.createdAt}, ${after.id})` : sql``;

/** The job whose workflow hosts this one: its batch's, for an operation's; its cluster's, for a machine's, or that one's batch's; or itself. */
const hostOf = (sql: Sql | TransactionSql, jobId: string) =>
  sql`(SELECT coalesce(b.job_id, p.id, o.id) FROM jobs o LEFT JOIN jobs p ON p.id = o.host_job_id
    LEFT JOIN batches b ON b.id = coalesce(p.batch_id, o.batch_id) WHERE o.id = ${jobId})`;

/** What the workflow of a job is started with: its batch's, while that has not ended, or its own; undefined where it has. */
export async function inputToRevive(sql: Sql, jobId: string): Promise<Pick<StartableJob, 'id' | 'input'> | undefined> {
  const [job] = await sql<Pick<StartableJob, 'id' | 'input'>[]>`
    SELECT id, input FROM jobs WHERE id IN (${hostOf(sql, jobId)}, ${jobId}) AND ended_at IS NULL
    ORDER BY id = ${jobId} LIMIT 1`;
  return job;
}

interface Revival extends StartableJob {
  /** Whether it is to live in another workflow than it did. */
  readonly moved?: boolean;
}

/**
 * A job whose workflow is gone, as its next one is to go on with it; undefined where it has ended. An operation's job gives
 * its batch's. To be called once the workflow is known to be gone: what it could still record from now on is refused.
 */
export async function jobToRevive(sql: TransactionSql, jobId: string): Promise<Revival | undefined> {
  const [job] = await sql<StartableJob[]>`
    WITH j AS (
      UPDATE jobs SET epoch = epoch + 1
      WHERE id = ${hostOf(sql, jobId)}
        AND ended_at IS NULL
      RETURNING *
    )
    SELECT ${sql.unsafe(startable)}, jsonb_build_object('epoch', j.epoch, 'checkpoint', ${sql.unsafe(checkpointOf)}) AS again FROM j`;
  const again = job?.type === 'batch.apply' && job.again ? await generationOf(sql, job) : undefined;
  return job?.again && again ? { ...job, again: { ...job.again, ...again } } : job;
}

/** Which workflow of its batch this is, and what others of them may still host. */
async function generationOf(
  sql: TransactionSql,
  { id, workflowId }: StartableJob,
): Promise<{ generation: number; underWay: readonly HostedOperation[] }> {
  const [row] = await sql<{ generation: number; underWay: HostedOperation[] }[]>`
    SELECT b.generation, coalesce((SELECT jsonb_agg(jsonb_build_object('operationId', o.operation_id, 'workflowId', o.workflow_id))
      FROM jobs o WHERE o.batch_id = b.id AND o.ended_at IS NULL AND o.workflow_id <> ${workflowId}), '[]') AS "underWay"
    FROM batches b WHERE b.job_id = ${id}`;
  return row ?? { generation: 1, underWay: [] };
}

/** Operations of batches under way that other workflows host than the batch's own: each with both. */
export async function hostedElsewhere(
  sql: Sql,
): Promise<readonly (HostedOperation & { readonly batchWorkflowId: string })[]> {
  return await sql<(HostedOperation & { batchWorkflowId: string })[]>`
    SELECT o.operation_id AS "operationId", o.workflow_id AS "workflowId", j.workflow_id AS "batchWorkflowId"
    FROM jobs j JOIN batches b ON b.job_id = j.id JOIN jobs o ON o.batch_id = b.id
    WHERE j.type = 'batch.apply' AND j.ended_at IS NULL AND b.generation > 1 AND o.ended_at IS NULL AND o.workflow_id <> j.workflow_id`;
}

/**
 * The job of an operation whose batch has ended without it, to go on in a workflow of its own; undefined where there is
 * no such job. Nobody wants any more what it was to do: unless it waits for a decision, or is being undone, it is
 * canceled.
 */
export async function orphanToRevive(
  sql: TransactionSql,
  jobId: string,
  workflowIdOf: (job: { readonly type: SagaType; readonly name: string }) => string,
): Promise<Revival | undefined> {
  const [found] = await sql<{ type: SagaType; name: string; livesIn: string }[]>`
    SELECT o.type, o.resource_name AS name, o.workflow_id AS "livesIn" FROM jobs o LEFT JOIN batches b ON b.id = o.batch_id
      JOIN jobs p ON p.id = coalesce(b.job_id, o.host_job_id)
    WHERE o.id = ${jobId} AND o.ended_at IS NULL AND p.ended_at IS NOT NULL`;
  if (!found) return undefined;
  const [job] = await sql<StartableJob[]>`
    WITH j AS (
      UPDATE jobs SET epoch = epoch + 1, workflow_id = ${workflowIdOf(found)},
        cancel_requested = cancel_requested OR (rollback = 'none' AND state <> 'HELD')
      WHERE id = ${jobId} AND ended_at IS NULL
      RETURNING *
    )
    SELECT ${sql.unsafe(startable)}, jsonb_build_object('epoch', j.epoch, 'checkpoint', ${sql.unsafe(checkpointOf)}) AS again FROM j`;
  return job && { ...job, moved: job.workflowId !== found.livesIn };
}

/** Where a job lives now. */
export async function workflowIdOf(sql: Sql, jobId: string): Promise<string | undefined> {
  const [row] = await sql<{ workflowId: string }[]>`SELECT workflow_id AS "workflowId" FROM jobs WHERE id = ${jobId}`;
  return row?.workflowId;
}

/** Held by the transaction until its end: one at a time may see whether a workflow is gone and start another. */
export async function lockRevival(sql: TransactionSql, workflowId: string): Promise<void> {
  // The other talks to Temporal meanwhile, which may take longer than a row is usually held.
  await sql`SELECT set_config('lock_timeout', '7s', true)`;
  await sql`SELECT pg_advisory_xact_lock(hashtextextended(${workflowId}, 0))`;
}

/** A job that has been accepted and not begun; undefined where it has been, or is an operation's. */
export async function pendingJob(sql: Sql, jobId: string): Promise<StartableJob | undefined> {
  const [job] = await sql<StartableJob[]>`
    SELECT ${sql.unsafe(startable)} FROM jobs j WHERE j.id = ${jobId} AND j.state = 'PENDING' AND j.batch_id IS NULL AND j.host_job_id IS NULL`;
  return job;
}

interface UnderWay extends Waiting {
  readonly workflowId: string;
}

/**
 * Jobs under way for longer than this, each with a workflow that should be running: not those of a batch's operations,
 * unless the batch has ended without them. The oldest that come `after` one, so many at most.
 */
export async function jobsUnderWay(
  sql: Sql,
  olderThanSeconds: number,
  limit: number,
  after: UnderWay | undefined,
): Promise<readonly UnderWay[]> {
  return await sql<UnderWay[]>`
    SELECT j.id, j.workflow_id AS "workflowId", j.created_at AS "createdAt" FROM jobs j
    WHERE j.ended_at IS NULL AND j.created_at < now() - make_interval(secs => ${olderThanSeconds})
      ${afterIn(sql, after)}
      AND (j.batch_id IS NULL OR EXISTS (
        SELECT FROM batches b JOIN jobs p ON p.id = b.job_id WHERE b.id = j.batch_id AND p.ended_at IS NOT NULL))
      AND (j.host_job_id IS NULL OR EXISTS (SELECT FROM jobs p WHERE p.id = j.host_job_id AND p.ended_at IS NOT NULL))
    ORDER BY j.created_at, j.id LIMIT ${limit}`;
}

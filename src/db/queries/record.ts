import type { Sql, TransactionSql } from 'postgres';
import { hasEnded, type JobState, type JobType, jobMoves } from '../../domain/job.ts';
import { partsOf } from '../../domain/kinds.ts';
import { lives } from '../../domain/life.ts';
import type { Transition } from '../../domain/transition.ts';
import type { ErrorInfo } from '../../errors.ts';
import { insertEvents } from './outbox.ts';

/** What a transition needs to know of its job's row. */
interface JobRow {
  readonly id: string;
  readonly type: JobType;
  readonly state: JobState;
  readonly sequence: number;
  readonly epoch: number;
  readonly organization_id: string;
  readonly project_id: string;
  readonly region: string | null;
  readonly workflow_id: string;
  readonly request_id: string | null;
  readonly traceparent: string | null;
  readonly created_at: Date;
  readonly started_at: Date | null;
  readonly resource_id: string;
  readonly resource_kind: string;
  readonly resource_name: string;
  readonly batch_id: string | null;
  readonly operation_id: string | null;
  readonly parent_job_id: string | null;
  readonly goes_back: boolean | null;
  /** The resource's status before the job was accepted; null for a create. */
  readonly status_before: string | null;
}

/** A transition that has been recorded, with what logs and metrics say of its job. */
export interface RecordedChange {
  readonly transition: Transition;
  readonly job: {
    readonly id: string;
    readonly type: JobType;
    readonly organizationId: string;
    readonly projectId: string;
    readonly region: string | null;
    readonly operationId: string | null;
    readonly workflowId: string;
    readonly requestId: string | null;
    readonly traceparent: string | null;
    /** Of the batch that this is an operation of. */
    readonly parentJobId: string | null;
    readonly createdAt: Date;
    /** Null where this is the job's first transition. */
    readonly startedAt: Date | null;
  };
}

/**
 * Records transitions of any number of jobs in one transaction: jobs, steps, resources, quota, batch operations,
 * events and audit together. A transition that is recorded already is passed over; one that the job's states do not
 * allow is refused. Gives, in order, why each was refused, or null; tells `recorded` of what is new, once it is committed.
 */
export async function recordTransitions(
  sql: Sql,
  transitions: readonly Transition[],
  recorded: (changes: readonly RecordedChange[]) => void = () => undefined,
): Promise<(ErrorInfo | null)[]> {
  const { refusals, changes } = await sql.begin(async (transaction) => {
    const jobs = await lockJobs(transaction, [...new Set(transitions.map(({ jobId }) => jobId))]);
    const { accepted, refusals } = sift(transitions, jobs);
    if (accepted.length > 0) {
      const last = [...new Map(accepted.map((transition) => [transition.jobId, transition])).values()];
      // Sent one behind the other without waiting: one round trip.
      await Promise.all([
        updateJobs(transaction, accepted),
        upsertSteps(transaction, accepted),
        moveResources(transaction, accepted, jobs),
        updateOperations(transaction, last, jobs),
        tellOf(transaction, accepted, jobs),
        closeAudit(transaction, last),
      ]);
    }
    return { refusals, changes: accepted.flatMap((transition) => changeOf(transition, jobs.get(transition.jobId))) };
  });
  recorded(changes);
  return refusals;
}

function changeOf(transition: Transition, job: JobRow | undefined): RecordedChange[] {
  if (!job) return [];
  return [
    {
      transition,
      job: {
        id: job.id,
        type: job.type,
        organizationId: job.organization_id,
        projectId: job.project_id,
        region: job.region,
        operationId: job.operation_id,
        workflowId: job.workflow_id,
        requestId: job.request_id,
        traceparent: job.traceparent,
        parentJobId: job.parent_job_id,
        createdAt: job.created_at,
        startedAt: job.started_at,
      },
    },
  ];
}

async function lockJobs(sql: TransactionSql, ids: readonly string[]): Promise<ReadonlyMap<string, JobRow>> {
  const rows = await sql<JobRow[]>`
    SELECT j.id, j.type, j.state, j.sequence, j.epoch, j.organization_id, j.project_id, j.region, j.workflow_id,
      j.input -> 'trail' ->> 'requestId' AS request_id, j.input -> 'trail' ->> 'traceparent' AS traceparent, j.created_at, j.started_at, j.resource_id, j.resource_kind, j.resource_name,
      j.batch_id, j.operation_id, b.job_id AS parent_job_id, o.rollback_job_id = j.id AS goes_back,
      j.input ->> 'statusBefore' AS status_before
    FROM jobs j
    LEFT JOIN batches b ON b.id = j.batch_id
    LEFT JOIN batch_operations o ON o.batch_id = j.batch_id AND o.id = j.operation_id
    WHERE j.id = ANY(${[...ids]}::uuid[]) ORDER BY j.id FOR UPDATE OF j`;
  return new Map(rows.map((row) => [row.id, row]));
}

/** Which transitions are to be applied: those that are new, and that the job's states allow one after the other. */
function sift(
  transitions: readonly Transition[],
  jobs: ReadonlyMap<string, JobRow>,
): { accepted: Transition[]; refusals: (ErrorInfo | null)[] } {
  const accepted: Transition[] = [];
  const state = new Map([...jobs.values()].map((job) => [job.id, job.state]));
  const refusals = transitions.map((transition): ErrorInfo | null => {
    const job = jobs.get(transition.jobId);
    const from = state.get(transition.jobId);
    if (!job || !from) return { code: 'not_found', message: `Job ${transition.jobId} does not exist.` };
    if ((transition.epoch ?? 0) < job.epoch) {
      return { code: 'precondition', message: `Job ${job.id} lives in a newer workflow.` };
    }
    // The end itself may be told again, its answer having been lost; whoever tells of anything else is not up to date.
    if (hasEnded(job.state) && transition.sequence !== job.sequence)
      return { code: 'precondition', message: `Job ${job.id} has ended: it is ${job.state}.` };
    if (transition.sequence <= job.sequence) return null;
    if (!jobMoves[from].includes(transition.state) || (transition.onlyFrom ?? from) !== from) {
      return { code: 'conflict', message: `Job ${job.id} is ${from} and cannot become ${transition.state}.` };
    }
    state.set(job.id, transition.state);
    accepted.push(transition);
    return null;
  });
  return { accepted, refusals };
}

/** The rows that one statement's `jsonb_to_recordset` reads. */
const json = (rows: readonly object[]): string => JSON.stringify(rows);

async function updateJobs(sql: TransactionSql, transitions: readonly Transition[]): Promise<void> {
  const last = new Map<string, object>();
  const results = new Map(transitions.flatMap(({ jobId, result }) => (result ? [[jobId, result] as const] : [])));
  for (const { jobId, ...now } of transitions) {
    last.set(jobId, { id: jobId, ...now, ended: hasEnded(now.state), result: results.get(jobId) ?? null });
  }
  await sql.unsafe(
    `UPDATE jobs j SET state = t.state, rollback = t.rollback, sequence = t.sequence, error = t.error,
      cancel_requested = coalesce(t."cancelRequested", j.cancel_requested), result = coalesce(t.result, j.result),
      leftovers = t.leftovers, next_attempt_at = t."nextAttemptAt", started_at = coalesce(j.started_at, t.at),
      ended_at = CASE WHEN t.ended THEN t.at END
    FROM jsonb_to_recordset($1::text::jsonb) AS t(id uuid, state text, rollback text, sequence int, error jsonb, "cancelRequested" boolean, result jsonb,
      leftovers text[], "nextAttemptAt" timestamptz, at timestamptz, ended boolean)
    WHERE j.id = t.id`,
    [json([...last.values()])],
    { prepare: true },
  );
}

async function upsertSteps(sql: TransactionSql, transitions: readonly Transition[]): Promise<void> {
  const last = new Map<string, object>();
  for (const { jobId, step } of transitions) {
    if (step) last.set(`${jobId}/${step.position}`, { jobId, ...step });
  }
  if (last.size === 0) return;
  await sql.unsafe(
    `INSERT INTO job_steps AS s (job_id, position, name, state, attempts, error, next_attempt_at, provider_reference, result, started_at, ended_at)
    SELECT t."jobId", t.position, t.name, t.state, t.attempts, t.error, t."nextAttemptAt", t."providerReference", t.result, t."startedAt", t."endedAt"
    FROM jsonb_to_recordset($1::text::jsonb) AS t("jobId" uuid, position int, name text, state text, attempts int, error jsonb,
      "nextAttemptAt" timestamptz, "providerReference" text, result jsonb, "startedAt" timestamptz, "endedAt" timestamptz)
    ON CONFLICT (job_id, position) DO UPDATE SET state = excluded.state, attempts = excluded.attempts, error = excluded.error,
      next_attempt_at = excluded.next_attempt_at, provider_reference = coalesce(excluded.provider_reference, s.provider_reference),
      result = coalesce(excluded.result, s.result), started_at = excluded.started_at,
      ended_at = excluded.ended_at`,
    [json([...last.values()])],
    { prepare: true },
  );
}

/** The status that a transition gives its job's resource, and the one it must have had; undefined where it gives none. */
function moveOf(
  { resource }: Transition,
  { type, status_before }: JobRow,
): { from: string; status: string } | undefined {
  if (!resource || type === 'batch.apply') return undefined;
  const { kind, verb } = partsOf(type);
  const life = lives[kind][verb];
  return { from: life.during, status: resource === 'untouched' ? (status_before ?? life.undone) : life[resource] };
}

/**
 * Moves resources in their life: only from the state in which their job put them, and only by the job that holds
 * their lock, which is released when the job has ended. What a deleted one held of the quota is given back by the same
 * statement, so exactly once.
 */
async function moveResources(
  sql: TransactionSql,
  transitions: readonly Transition[],
  jobs: ReadonlyMap<string, JobRow>,
): Promise<void> {
  const moves = transitions.flatMap((transition) => {
    const job = jobs.get(transition.jobId);
    const move = job && moveOf(transition, job);
    if (!job || !move) return [];
    return [
      {
        ...move,
        id: job.resource_id,
        jobId: job.id,
        reason:
          transition.resource === 'done' || transition.resource === 'untouched'
            ? null
            : (transition.error?.message ?? null),
        reference: transition.result?.providerReference ?? null,
        addresses: transition.result?.addresses ?? null,
        release: hasEnded(transition.state),
      },
    ];
  });
  if (moves.length === 0) return;
  await sql.unsafe(
    `WITH t AS MATERIALIZED (
      SELECT * FROM jsonb_to_recordset($1::text::jsonb) AS t(id uuid, "jobId" uuid, "from" text, status text, reason text, reference text, addresses jsonb, release boolean)
    ),
    moved AS (
      UPDATE resources x SET status = t.status, status_reason = t.reason, provider_reference = coalesce(t.reference, x.provider_reference),
        current_job_id = CASE WHEN t.release THEN NULL ELSE x.current_job_id END,
        deleted_at = CASE WHEN t.status = 'deleted' THEN now() END, updated_at = now()
      FROM t WHERE x.id = t.id AND x.current_job_id = t."jobId" AND x.status = t."from"
      RETURNING x.id, x.kind, x.project_id, x.quota, x.status
    ),
    freed AS (
      SELECT project_id,
        sum(coalesce((quota ->> 'vms')::bigint, 0)) AS vms, sum(coalesce((quota ->> 'vcpus')::bigint, 0)) AS vcpus,
        sum(coalesce((quota ->> 'memoryMib')::bigint, 0)) AS memory_mib, sum(coalesce((quota ->> 'storageGib')::bigint, 0)) AS storage_gib,
        sum(coalesce((quota ->> 'networks')::bigint, 0)) AS networks, sum(coalesce((quota ->> 'volumes')::bigint, 0)) AS volumes
      FROM moved WHERE status = 'deleted' GROUP BY project_id
    ),
    -- Of several projects in one order, so that two flushes never wait for each other.
    locked AS MATERIALIZED (
      SELECT q.project_id FROM quotas q JOIN freed f USING (project_id) ORDER BY q.limited_by, q.project_id FOR UPDATE OF q
    ),
    given_back AS (
      UPDATE quotas q SET vms = q.vms - f.vms, vcpus = q.vcpus - f.vcpus, memory_mib = q.memory_mib - f.memory_mib,
        storage_gib = q.storage_gib - f.storage_gib, networks = q.networks - f.networks, volumes = q.volumes - f.volumes
      FROM freed f JOIN locked USING (project_id) WHERE q.project_id = f.project_id
    ),
    unused AS (
      DELETE FROM resource_uses u USING moved WHERE u.user_id = moved.id AND moved.status = 'deleted'
    )
    UPDATE vms SET addresses = t.addresses FROM t, moved WHERE moved.id = t.id AND vms.resource_id = t.id AND t.addresses IS NOT NULL`,
    [json(moves)],
    { prepare: true },
  );
}

/** The operation of a batch follows the job that does it, or that takes it back. */
async function updateOperations(
  sql: TransactionSql,
  last: readonly Transition[],
  jobs: ReadonlyMap<string, JobRow>,
): Promise<void> {
  const changes = last.flatMap((transition) => {
    const job = jobs.get(transition.jobId);
    if (!job?.batch_id || !hasEnded(transition.state)) return [];
    const succeeded = transition.state === 'SUCCEEDED';
    const state = job.goes_back ? (succeeded ? 'ROLLED_BACK' : 'ROLLBACK_FAILED') : transition.state;
    return [{ batchId: job.batch_id, id: job.operation_id, state, error: transition.error, at: transition.at }];
  });
  if (changes.length === 0) return;
  await sql.unsafe(
    `UPDATE batch_operations o SET state = t.state, error = t.error, ended_at = t.at
    FROM jsonb_to_recordset($1::text::jsonb) AS t("batchId" uuid, id text, state text, error jsonb, at timestamptz)
    WHERE o.batch_id = t."batchId" AND o.id = t.id`,
    [json(changes)],
    { prepare: true },
  );
}

function tellOf(
  sql: TransactionSql,
  transitions: readonly Transition[],
  jobs: ReadonlyMap<string, JobRow>,
): Promise<void> {
  const events = transitions.flatMap((transition) => {
    const { jobId, sequence, at, state, rollback, error, step } = transition;
    const job = jobs.get(jobId);
    if (!job) return [];
    const [id, kind, name] = [job.resource_id, job.resource_kind, job.resource_name];
    const data = {
      jobId,
      type: job.type,
      operationId: job.operation_id,
      resource: { kind, name },
      state,
      rollback,
      step: step
        ? { name: step.name, state: step.state, attempts: step.attempts, nextAttemptAt: step.nextAttemptAt }
        : null,
      error: step?.error ?? error,
    };
    return [
      {
        organizationId: job.organization_id,
        projectId: job.project_id,
        type: hasEnded(state) ? 'job.ended' : step ? 'job.step' : 'job.changed',
        resource: { id, kind, name, status: moveOf(transition, job)?.status ?? null },
        jobId,
        parentJobId: job.parent_job_id,
        jobSequence: sequence,
        data,
        at,
      },
    ];
  });
  return insertEvents(sql, events);
}

async function closeAudit(sql: TransactionSql, last: readonly Transition[]): Promise<void> {
  const ended = last
    .filter(({ state }) => hasEnded(state))
    .map(({ jobId, state, error }) => ({ jobId, state, reason: error?.message ?? null }));
  if (ended.length === 0) return;
  await sql.unsafe(
    `INSERT INTO audit_entries (act_id, phase, outcome, reason)
    SELECT t."jobId", 'closed', t.state, t.reason FROM jsonb_to_recordset($1::text::jsonb) AS t("jobId" uuid, state text, reason text)
    ON CONFLICT (act_id, phase) DO NOTHING`,
    [json(ended)],
    { prepare: true },
  );
}

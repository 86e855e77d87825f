import type { Sql, TransactionSql } from 'postgres';
import { hasEnded, type JobType, jobMoves } from '../../domain/job.ts';
import type { Transition } from '../../domain/transition.ts';
import type { ErrorInfo } from '../../errors.ts';
import { storable } from '../../storable.ts';
import { areRowsAtFault } from '../client.ts';
import { insertEvents } from './outbox.ts';
import { type JobRow, json, type MissedMove, moveOf, moveResources } from './record-moves.ts';

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

/** Is told of what recording did, once it is committed, and of what it could not do. */
interface RecordWatch {
  readonly recorded?: (changes: readonly RecordedChange[]) => void;
  readonly refused?: (jobId: string, error: unknown) => void;
  /** The job is recorded as its transition says, and its resource stays where it is. */
  readonly missed?: (move: MissedMove) => void;
}

/**
 * Records transitions of any number of jobs in one transaction: jobs, steps, resources, quota, batch operations,
 * events and audit together. A transition that is recorded already is passed over; one that the job's states do not
 * allow is refused. Gives, in order, why each was refused, or null.
 *
 * Where a row is at fault, each job is recorded by itself, so that it harms no other. Throws where the database is away.
 */
export async function recordTransitions(
  sql: Sql,
  transitions: readonly Transition[],
  watch: RecordWatch = {},
): Promise<(ErrorInfo | null)[]> {
  try {
    return await recordTogether(sql, transitions, watch);
  } catch (error) {
    if (!areRowsAtFault(error)) throw error;
  }
  const refusals = new Map<Transition, ErrorInfo | null>();
  for (const [jobId, own] of Map.groupBy(transitions, (transition) => transition.jobId)) {
    const answers = await recordAlone(sql, jobId, own, watch);
    for (const [index, transition] of own.entries()) refusals.set(transition, answers[index] ?? null);
  }
  return transitions.map((transition) => refusals.get(transition) ?? null);
}

/** Records one job's transitions, without the characters that no row can hold; refuses what cannot be recorded even so. */
async function recordAlone(
  sql: Sql,
  jobId: string,
  transitions: readonly Transition[],
  watch: RecordWatch,
): Promise<(ErrorInfo | null)[]> {
  try {
    return await recordTogether(sql, transitions.map(storable), watch);
  } catch (error) {
    if (!areRowsAtFault(error)) throw error;
    watch.refused?.(jobId, error);
    const message = `Job ${jobId} cannot be recorded: the database refuses its rows. The log of the control worker has the cause.`;
    return transitions.map(() => ({ code: 'internal', message }));
  }
}

async function recordTogether(
  sql: Sql,
  transitions: readonly Transition[],
  { recorded, missed }: RecordWatch,
): Promise<(ErrorInfo | null)[]> {
  const { refusals, changes, misses } = await sql.begin(async (transaction) => {
    const jobs = await lockJobs(transaction, [...new Set(transitions.map(({ jobId }) => jobId))]);
    const { accepted, refusals } = sift(transitions, jobs);
    let misses: readonly MissedMove[] = [];
    if (accepted.length > 0) {
      const last = [...new Map(accepted.map((transition) => [transition.jobId, transition])).values()];
      // Sent one behind the other without waiting: one round trip.
      [, , misses] = await Promise.all([
        updateJobs(transaction, accepted),
        upsertSteps(transaction, accepted),
        moveResources(transaction, accepted, jobs),
        updateOperations(transaction, last, jobs),
        tellOf(transaction, accepted, jobs),
        closeAudit(transaction, last),
      ]);
    }
    const changes = accepted.flatMap((transition) => changeOf(transition, jobs.get(transition.jobId)));
    return { refusals, changes, misses };
  });
  recorded?.(changes);
  if (missed) misses.forEach(missed);
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
      j.batch_id, j.operation_id, coalesce(b.job_id, j.host_job_id) AS parent_job_id, o.rollback_job_id = j.id AS goes_back,
      j.input ->> 'statusBefore' AS status_before, j.change
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
    const isTheEnd = transition.sequence === job.sequence && transition.state === job.state;
    if (hasEnded(job.state) && !isTheEnd)
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
    const outputs = state === 'SUCCEEDED' ? (transition.result?.outputs ?? null) : null;
    return [
      { batchId: job.batch_id, id: job.operation_id, state, error: transition.error, at: transition.at, outputs },
    ];
  });
  if (changes.length === 0) return;
  await sql.unsafe(
    `UPDATE batch_operations o SET state = t.state, error = t.error, ended_at = t.at, outputs = coalesce(t.outputs, o.outputs)
    FROM jsonb_to_recordset($1::text::jsonb) AS t("batchId" uuid, id text, state text, error jsonb, at timestamptz, outputs jsonb)
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

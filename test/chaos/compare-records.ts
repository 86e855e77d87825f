import type { JobView } from '../../src/domain/job.ts';
import type { Auditor, Decision } from './auditor.ts';
import type { World } from './world.ts';

/** From each state, where a job may go by the auditor's own book. */
const moves: Readonly<Record<string, readonly string[]>> = {
  PENDING: ['RUNNING', 'FAILED', 'CANCELED'],
  RUNNING: ['RUNNING', 'RETRYING', 'HELD', 'SUCCEEDED', 'FAILED', 'CANCELED'],
  RETRYING: ['RUNNING', 'RETRYING', 'HELD', 'SUCCEEDED', 'FAILED', 'CANCELED'],
  HELD: ['RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELED'],
};

interface EventRow {
  readonly sequence: number;
  readonly type: string;
  readonly state: string;
  readonly step: { readonly name: string; readonly state: string } | null;
}

/** The events of each job tell its whole life, in order, without a gap, and end as it ended; no step is done twice. */
export async function compareEvents(jobs: readonly JobView[], { sql }: World, auditor: Auditor): Promise<void> {
  const rows = await sql<(EventRow & { jobId: string })[]>`
    SELECT job_id AS "jobId", job_sequence AS sequence, type, data ->> 'state' AS state, data -> 'step' AS step
    FROM events WHERE job_id IS NOT NULL ORDER BY transaction_id, position`;
  const byJob = Map.groupBy(rows, ({ jobId }) => jobId);
  for (const { id, type, state, resource } of jobs) {
    const wrong = (what: string): void =>
      auditor.find(`the events of job ${id} (${type} of ${resource.name}): ${what}`);
    const events = byJob.get(id) ?? [];
    byJob.delete(id);
    if (events.some(({ sequence }, index) => sequence !== index))
      wrong(`in order they are ${events.map(({ sequence }) => sequence)}`);
    if (events[0]?.type !== 'job.accepted') wrong('the first does not tell that it was accepted');
    const last = events.at(-1);
    const endsAtOnce = events.length === 1 && last?.state === state;
    if (!endsAtOnce && (last?.type !== 'job.ended' || last.state !== state))
      wrong(`it is ${state}, the last is ${last?.type} ${last?.state}`);
    const done = new Set<string>();
    events.forEach((event, index) => {
      const before = events[index - 1];
      if (before && !moves[before.state]?.includes(event.state)) wrong(`from ${before.state} to ${event.state}`);
      if (!event.step) return;
      if (event.step.state === 'SUCCEEDED') done.add(event.step.name);
      else if (['RUNNING', 'RETRYING', 'FAILED'].includes(event.step.state) && done.has(event.step.name))
        wrong(`step "${event.step.name}" was SUCCEEDED, and then ${event.step.state}`);
    });
  }
  for (const id of byJob.keys()) auditor.find(`there are events of job ${id}, which is not there`);
}

/** The last event that tells of a resource's status tells the one that it has. A network's first subnet goes with that. */
export async function compareStatuses({ sql }: World, auditor: Auditor): Promise<void> {
  const wrong = await sql<{ id: string; kind: string; status: string; told: string | null }[]>`
    SELECT r.id, r.kind, r.status, e.told FROM resources r LEFT JOIN LATERAL (
      SELECT resource_status AS told FROM events WHERE resource_id = r.id AND resource_status IS NOT NULL
      ORDER BY transaction_id DESC, position DESC LIMIT 1) e ON true
    WHERE e.told IS DISTINCT FROM r.status AND r.kind <> 'subnet'`;
  for (const { id, kind, status, told } of wrong)
    auditor.find(`${kind} ${id} is ${status}, and its events end with ${told}`);
}

/** Each accepted job and each decision has its acts in the audit log, opened and closed; nobody else has. */
export async function compareAudit(jobs: readonly JobView[], { sql }: World, auditor: Auditor): Promise<void> {
  const rows = await sql<{ actId: string; jobId: string | null; action: string; outcome: string | null }[]>`
    SELECT o.act_id AS "actId", o.job_id AS "jobId", o.action, c.outcome
    FROM audit_entries o LEFT JOIN audit_entries c ON c.act_id = o.act_id AND c.phase = 'closed'
    WHERE o.phase = 'opened' AND o.job_id IS NOT NULL`;
  const byJob = Map.groupBy(rows, ({ jobId }) => jobId);
  for (const { id, type, state } of jobs) {
    const acts = byJob.get(id) ?? [];
    const own = acts.filter(({ action }) => action === type);
    if (own.length !== 1 || own[0]?.outcome !== state)
      auditor.find(`the audit log has of job ${id} (${type}, ${state}): ${JSON.stringify(own)}`);
  }
  // An act whose answer was lost with the process that did it stays open, until it is closed as lost.
  const mayBeOpen = auditor.decisions.filter(({ outcome }) => outcome === 'lost').map(nameOfDecision);
  for (const { actId, action, jobId, outcome } of rows) {
    if (outcome !== null) continue;
    const excuse = mayBeOpen.indexOf(`${action} of ${jobId}`);
    if (excuse < 0) auditor.find(`the act ${actId} (${action} of job ${jobId}) was never closed`);
    else mayBeOpen.splice(excuse, 1);
  }
  for (const { jobId, action, outcome } of auditor.decisions) {
    const wanted = auditAction(action);
    if (outcome === 'taken' && !byJob.get(jobId)?.some((act) => act.action === wanted))
      auditor.find(`the audit log has no ${wanted} of job ${jobId}, which was answered as done`);
  }
}

const auditAction = (action: Decision['action']): string =>
  action === 'cancel' ? 'job.cancel' : `job.settle.${action}`;
const nameOfDecision = ({ action, jobId }: Decision): string => `${auditAction(action)} of ${jobId}`;

/** What must be zero at rest, each with what a row of it would mean. */
const leftovers = {
  'has not ended': `SELECT type || ' ' || id AS what FROM jobs WHERE ended_at IS NULL`,
  'is locked': `SELECT kind || ' ' || id AS what FROM resources WHERE current_job_id IS NOT NULL`,
  'is a step without an end': `SELECT job_id || ' ' || name || ' ' || state AS what FROM job_steps WHERE ended_at IS NULL`,
  'is an operation under way': `SELECT batch_id || ' ' || id || ' ' || state AS what FROM batch_operations WHERE state IN ('PENDING', 'RUNNING', 'ROLLING_BACK')`,
  'is an incident that was never resolved': `SELECT cause AS what FROM incidents WHERE resolved_at IS NULL`,
  'is a key without its job': `SELECT k.key AS what FROM idempotency_keys k LEFT JOIN jobs j ON j.id = k.job_id WHERE j.id IS NULL`,
  'is between two states': `SELECT kind || ' ' || id || ' ' || status AS what FROM resources WHERE status IN ('provisioning', 'deleting')`,
  'is gone, and has an address': `SELECT x.kind || ' ' || x.id AS what FROM address_assignments a JOIN resources x ON x.id = a.owner_id
    WHERE a.released_at IS NULL AND x.deleted_at IS NOT NULL`,
  'uses what is gone': `SELECT u.user_id AS what FROM resource_uses u JOIN resources x ON x.id = u.used_id JOIN resources y ON y.id = u.user_id
    WHERE x.deleted_at IS NOT NULL AND y.deleted_at IS NULL`,
} as const;

export async function compareRest({ sql }: World, auditor: Auditor): Promise<void> {
  for (const [meaning, statement] of Object.entries(leftovers)) {
    for (const { what } of await sql.unsafe<{ what: string }[]>(statement)) auditor.find(`${what} ${meaning}`);
  }
}

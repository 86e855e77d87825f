import type { Sql } from 'postgres';
import { type JobView, type Step, settlementsFor } from '../../domain/job.ts';
import type { NewJob } from './accept.ts';
import { iso } from './iso.ts';
import { Filter, listPage } from './listing.ts';
import type { Page, PageRequest } from './pages.ts';

/** A job's row with its steps, as one document. */
type JobRow = Omit<JobView, 'temporalUiUrl' | 'waitingFor' | 'resource' | 'steps' | 'settlements'> & {
  readonly resourceId: string;
  readonly resourceKind: string;
  readonly resourceName: string;
  readonly steps: Step[];
  /** A job of this batch that waits for a decision, and so holds the batch up. */
  readonly heldJob: { readonly id: string; readonly operationId: string } | null;
};

const columns = `j.id, j.organization_id AS "organizationId", j.project_id AS "projectId", j.type, j.state, j.rollback,
    j.resource_id AS "resourceId", j.resource_kind AS "resourceKind", j.resource_name AS "resourceName", j.region,
    j.batch_id AS "batchId", j.operation_id AS "operationId", j.error, ${iso('j.next_attempt_at')} AS "nextAttemptAt",
    coalesce(j.input ->> 'onFailure', 'rollback') AS "onFailure", j.cancel_requested AS "cancelRequested",
    j.input -> 'deadlines' ->> 'jobAt' AS "deadlineAt",
    j.leftovers, j.workflow_id AS "workflowId", ${iso('j.created_at')} AS "createdAt", ${iso('j.started_at')} AS "startedAt",
    ${iso('j.ended_at')} AS "endedAt",
    coalesce((SELECT jsonb_agg(jsonb_build_object('position', s.position, 'name', s.name, 'state', s.state, 'attempts', s.attempts,
      'error', s.error, 'nextAttemptAt', ${iso('s.next_attempt_at')}, 'providerReference', s.provider_reference,
      'startedAt', ${iso('s.started_at')}, 'endedAt', ${iso('s.ended_at')}) ORDER BY s.position)
      FROM job_steps s WHERE s.job_id = j.id), '[]') AS steps,
    CASE WHEN j.type = 'batch.apply' AND j.ended_at IS NULL THEN (SELECT jsonb_build_object('id', h.id, 'operationId', h.operation_id)
      FROM jobs h WHERE h.batch_id = j.resource_id AND h.state = 'HELD' LIMIT 1) END AS "heldJob"`;

/** How to open a workflow in the Temporal Web UI; null where that is not known. */
export type WorkflowUrl = (workflowId: string) => string | null;

function toView(row: JobRow, workflowUrl: WorkflowUrl): JobView {
  const { resourceId, resourceKind, resourceName, heldJob: _, ...rest } = row;
  return {
    ...rest,
    resource: { id: resourceId, kind: resourceKind, name: resourceName },
    waitingFor: waitingFor(row),
    settlements: [...settlementsFor(row)],
    temporalUiUrl: workflowUrl(row.workflowId),
  };
}

/** Why a job does not go on by itself at this moment, and what would end the wait. */
function waitingFor(job: JobRow): string | null {
  switch (job.state) {
    case 'PENDING':
      return job.operationId ? null : 'a control worker to start it';
    case 'RETRYING':
      return `the next attempt at ${job.nextAttemptAt}${retried(job)}`;
    case 'HELD':
      return `a decision: "millwright job settle ${job.id} ACTION --reason …", ACTION being one of ${settlementsFor(job).join(', ')}`;
    case 'RUNNING':
      return job.heldJob
        ? `a decision on operation "${job.heldJob.operationId}": see its job with "millwright job get ${job.heldJob.id}"`
        : null;
    case 'SUCCEEDED':
    case 'FAILED':
    case 'CANCELED':
      return null;
  }
}

/** `: attempt 3 of "create" failed: no capacity`. */
function retried({ steps }: JobRow): string {
  const step = steps.find(({ nextAttemptAt }) => nextAttemptAt !== null);
  return step?.error ? `: attempt ${step.attempts} of "${step.name}" failed: ${step.error.message}` : '';
}

/** A job just accepted, as it will be read. */
export function newJobView(
  job: NewJob,
  caller: { readonly organization: { readonly id: string }; readonly project: { readonly id: string } },
  resource: { readonly id: string; readonly kind: string; readonly name: string; readonly region: string | null },
  createdAt: Date,
): JobView {
  const { id, kind, name, region } = resource;
  return {
    id: job.id,
    organizationId: caller.organization.id,
    projectId: caller.project.id,
    type: job.type,
    state: job.endedAs ?? 'PENDING',
    rollback: 'none',
    resource: { id, kind, name },
    region,
    batchId: job.batchId,
    operationId: job.operationId,
    error: null,
    onFailure: job.input.onFailure ?? 'rollback',
    cancelRequested: false,
    deadlineAt: 'deadlines' in job.input ? (job.input.deadlines?.jobAt ?? null) : null,
    nextAttemptAt: null,
    waitingFor: null,
    settlements: [],
    leftovers: [],
    steps: [],
    workflowId: job.workflowId,
    temporalUiUrl: null,
    createdAt: createdAt.toISOString(),
    startedAt: null,
    endedAt: job.endedAs ? createdAt.toISOString() : null,
  };
}

/** A job of this project; undefined where there is none. */
export async function findJob(
  sql: Sql,
  projectId: string,
  id: string,
  workflowUrl: WorkflowUrl,
): Promise<JobView | undefined> {
  const rows = await sql.unsafe<JobRow[]>(
    `SELECT ${columns} FROM jobs j WHERE j.id = $1::uuid AND j.project_id = $2`,
    [id, projectId],
    {
      prepare: true,
    },
  );
  return rows[0] && toView(rows[0], workflowUrl);
}

export interface JobFilter {
  readonly state: string | undefined;
  readonly resourceId: string | undefined;
  readonly batchId: string | undefined;
}

/** The newest first: who looks at jobs wants to know what happens now. */
export function listJobs(
  sql: Sql,
  projectId: string,
  { state, resourceId, batchId }: JobFilter,
  page: PageRequest,
  workflowUrl: WorkflowUrl,
): Promise<Page<JobView>> {
  const ofProject = (parameter: string): string => `j.project_id = ${parameter}::uuid`;
  const ofState = (parameter: string): string => `j.state = ${parameter}`;
  const filter = new Filter();
  // Of one resource, or of one batch, there are few: no index of theirs needs to know the state.
  if (resourceId !== undefined) filter.fixed(resourceId, 'j.resource_id', 'uuid').with(projectId, ofProject);
  else if (batchId !== undefined) filter.fixed(batchId, 'j.batch_id', 'uuid').with(projectId, ofProject);
  else filter.fixed(projectId, 'j.project_id', 'uuid').fixed(state, 'j.state', 'text');
  if (resourceId !== undefined) filter.with(batchId, (parameter) => `j.batch_id = ${parameter}::uuid`);
  if (resourceId !== undefined || batchId !== undefined) filter.scanned(state, ofState);
  const listing = { table: 'jobs', alias: 'j', columns, newestFirst: true, filter };
  return listPage<JobRow, JobView>(sql, listing, page, (row) => toView(row, workflowUrl));
}

import type { Sql } from 'postgres';
import type { Incident } from '../../domain/incident.ts';
import { iso } from './iso.ts';
import { Filter, listPage } from './listing.ts';
import type { Page, PageRequest } from './pages.ts';

/** How long something may take before it is an incident. */
export interface Lateness {
  readonly startSeconds: number;
  readonly stepSeconds: number;
}

/** Every cause for an incident that there is now; each is read by an index of its own, whose rows are few. */
const causes = `
  SELECT 'job-pending' AS kind, 'job-pending:' || j.id AS cause, j.id AS job_id,
    'Job ' || j.type || ' of ' || j.resource_name || ' was accepted and no control worker has begun it.' AS summary
  FROM jobs j WHERE j.state = 'PENDING' AND j.batch_id IS NULL AND j.created_at < now() - make_interval(secs => $1)
  UNION ALL
  SELECT 'step-late', 'step-late:' || s.job_id || ':' || s.name, s.job_id,
    'Step "' || s.name || '" of job ' || j.type || ' of ' || j.resource_name || ' takes longer than steps should (' || s.state || ').'
  FROM job_steps s JOIN jobs j ON j.id = s.job_id
  WHERE s.ended_at IS NULL AND s.started_at < now() - make_interval(secs => $2) AND j.ended_at IS NULL
  UNION ALL
  SELECT 'job-late', 'job-late:' || j.id, j.id,
    'Job ' || j.type || ' of ' || j.resource_name || ' is past its deadline and has not ended.'
  FROM jobs j WHERE j.ended_at IS NULL AND j.deadline_at < now()
  UNION ALL
  -- What the release before has accepted since the column is there; beside it, batches, which have no deadline.
  SELECT 'job-late', 'job-late:' || j.id, j.id,
    'Job ' || j.type || ' of ' || j.resource_name || ' is past its deadline and has not ended.'
  FROM jobs j WHERE j.ended_at IS NULL AND j.deadline_at IS NULL AND (j.input -> 'deadlines' ->> 'jobAt')::timestamptz < now()
  UNION ALL
  SELECT 'job-held', 'job-held:' || j.id, j.id,
    'Job ' || j.type || ' of ' || j.resource_name || ' is held and waits for a decision: ' || coalesce(j.error ->> 'message', 'no error')
  FROM jobs j WHERE j.state = 'HELD'`;

/**
 * Opens an incident for each new cause and resolves those whose cause has ended; writes nothing where neither is so.
 * May run in several workers at once: a cause has one open incident.
 */
export async function sweepIncidents(
  sql: Sql,
  { startSeconds, stepSeconds }: Lateness,
): Promise<{ readonly opened: number; readonly resolved: number }> {
  const [changed] = await sql.unsafe<{ opened: number; resolved: number }[]>(
    `WITH causes AS MATERIALIZED (${causes}),
    resolved AS (
      UPDATE incidents i SET resolved_at = now()
      WHERE i.resolved_at IS NULL AND NOT EXISTS (SELECT FROM causes c WHERE c.cause = i.cause)
      RETURNING i.*
    ),
    opened AS (
      INSERT INTO incidents (organization_id, project_id, kind, cause, job_id, resource, region, summary)
      SELECT j.organization_id, j.project_id, c.kind, c.cause, j.id,
        jsonb_build_object('id', j.resource_id, 'kind', j.resource_kind, 'name', j.resource_name), j.region, c.summary
      FROM causes c JOIN jobs j ON j.id = c.job_id
      WHERE NOT EXISTS (SELECT FROM incidents i WHERE i.cause = c.cause AND i.resolved_at IS NULL)
      ON CONFLICT DO NOTHING
      RETURNING *
    ),
    told AS (
      INSERT INTO events (organization_id, project_id, resource_id, resource_kind, resource_name, type, data)
      SELECT organization_id, project_id, (resource ->> 'id')::uuid, resource ->> 'kind', resource ->> 'name', type,
        jsonb_build_object('incidentId', id, 'kind', kind, 'jobId', job_id, 'summary', summary)
      FROM (SELECT *, 'incident.opened' AS type FROM opened UNION ALL SELECT *, 'incident.resolved' FROM resolved) i
    )
    SELECT (SELECT count(*)::int FROM opened) AS opened, (SELECT count(*)::int FROM resolved) AS resolved`,
    [startSeconds, stepSeconds],
    { prepare: true },
  );
  return changed ?? { opened: 0, resolved: 0 };
}

export interface IncidentFilter {
  readonly projectId: string;
  readonly state: Incident['state'] | undefined;
  readonly jobId: string | undefined;
}

const columns = `i.id, i.organization_id AS "organizationId", i.project_id AS "projectId", i.kind,
  CASE WHEN i.resolved_at IS NULL THEN 'open' ELSE 'resolved' END AS state, i.summary, i.job_id AS "jobId", i.resource, i.region,
  ${iso('i.opened_at')} AS "openedAt", ${iso('i.resolved_at')} AS "resolvedAt"`;

/** Each state has an index of its own. */
const conditionOf = {
  open: 'i.resolved_at IS NULL',
  resolved: 'i.resolved_at IS NOT NULL',
} as const satisfies Record<Incident['state'], string>;

/** The newest first. */
export function listIncidents(
  sql: Sql,
  { projectId, state, jobId }: IncidentFilter,
  page: PageRequest,
): Promise<Page<Incident>> {
  const filter = new Filter();
  if (jobId === undefined) filter.fixed(projectId, 'i.project_id', 'uuid');
  else filter.fixed(jobId, 'i.job_id', 'uuid').with(projectId, (parameter) => `i.project_id = ${parameter}::uuid`);
  filter.only(state && conditionOf[state]);
  const listing = { table: 'incidents', alias: 'i', columns, newestFirst: true, filter };
  return listPage<Incident, Incident>(sql, listing, page, (row) => row);
}

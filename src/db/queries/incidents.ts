import type { Sql, TransactionSql } from 'postgres';
import { escalations, type Incident } from '../../domain/incident.ts';
import { iso } from './iso.ts';
import { Filter, listPage } from './listing.ts';
import { type Page, type PageRequest, toPage } from './pages.ts';
import { fullness } from './quota.ts';

/** How long something may take, and from how many percent of a limit on its use is, an incident. */
export interface Thresholds {
  readonly startSeconds: number;
  readonly stepSeconds: number;
  readonly quotaPercent: readonly number[];
}

/** Every job that is one; each is read by an index of its own, whose rows are few. */
const jobCauses = `
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

/** What providers have otherwise, and those that cannot be compared. */
const reconcileCauses = `
  SELECT 'drift' AS kind, 'drift:' || d.resource_id AS cause, NULL::uuid AS job_id, d.organization_id, d.project_id,
    jsonb_build_object('id', d.resource_id, 'kind', d.kind, 'name', d.name) AS resource, d.region,
    'The ' || d.kind || ' "' || d.name || '" in ' || d.region || CASE WHEN bool_or(d.class = 'missing')
      THEN ' is missing at ' || d.provider || '.'
      ELSE ' is not at ' || d.provider || ' as it should be: ' || string_agg(d.field, ', ' ORDER BY d.field) || ' differs.' END AS summary
  FROM drift d WHERE d.confirmed_at IS NOT NULL AND d.resolved_at IS NULL AND d.class <> 'orphaned' AND d.organization_id IS NOT NULL
  GROUP BY d.resource_id, d.kind, d.name, d.region, d.provider, d.organization_id, d.project_id
  UNION ALL
  SELECT 'orphans', 'orphans:' || d.region || '/' || d.provider, NULL, NULL, NULL,
    jsonb_build_object('id', NULL, 'kind', 'provider', 'name', d.region || '/' || d.provider), d.region,
    d.provider || ' has ' || count(*) || ' things in ' || d.region || ' that nothing says should be there (when this was seen).'
  FROM drift d WHERE d.confirmed_at IS NOT NULL AND d.resolved_at IS NULL AND d.class = 'orphaned' GROUP BY d.region, d.provider
  UNION ALL
  SELECT 'not-compared', 'not-compared:' || n.region || '/' || n.provider, NULL, NULL, NULL,
    jsonb_build_object('id', NULL, 'kind', 'provider', 'name', n.region || '/' || n.provider), n.region,
    n.provider || ' in ' || n.region || ' cannot be compared with what should be there: ' || n.message
  FROM not_compared n WHERE n.confirmed`;

/** Every cause for an incident that there is now. */
const causes = `
  SELECT c.kind, c.cause, c.job_id, j.organization_id, j.project_id,
    jsonb_build_object('id', j.resource_id, 'kind', j.resource_kind, 'name', j.resource_name) AS resource, j.region, c.summary
  FROM (${jobCauses}) c JOIN jobs j ON j.id = c.job_id
  UNION ALL
  SELECT 'quota-near', 'quota-near:' || f.scope || ':' || f.id || ':' || f.metric || ':' || threshold, NULL,
    f.organization_id, f.project_id, jsonb_build_object('id', f.id, 'kind', f.scope, 'name', f.name), NULL,
    'The quota of ' || f.scope || ' "' || f.name || '" is used to ' || threshold || ' % or more in ' || f.metric ||
      ' (' || f.used || ' of ' || f.allowed || ' when this was seen).'
  FROM (${fullness}) f, unnest($3::int[]) threshold
  WHERE f.used > 0 AND f.used::numeric * 100 >= f.allowed::numeric * threshold
  UNION ALL ${reconcileCauses}`;

/**
 * Opens an incident for each new cause and resolves those whose cause has ended; writes nothing where neither is so.
 * May run in several workers at once: a cause has one open incident.
 */
export async function sweepIncidents(
  sql: Sql | TransactionSql,
  { startSeconds, stepSeconds, quotaPercent }: Thresholds,
): Promise<{ readonly opened: number; readonly resolved: number }> {
  const [changed] = await sql.unsafe<{ opened: number; resolved: number }[]>(
    `WITH causes AS MATERIALIZED (${causes}),
    resolved AS (
      UPDATE incidents i SET resolved_at = now(), resolution = 'cause-ended'
      WHERE i.resolved_at IS NULL AND NOT EXISTS (SELECT FROM causes c WHERE c.cause = i.cause)
      RETURNING i.*
    ),
    opened AS (
      INSERT INTO incidents (organization_id, project_id, kind, cause, job_id, resource, region, summary)
      SELECT organization_id, project_id, kind, cause, job_id, resource, region, summary FROM causes c
      WHERE NOT EXISTS (SELECT FROM incidents i WHERE i.cause = c.cause AND i.resolved_at IS NULL)
      ON CONFLICT DO NOTHING
      RETURNING *
    ),
    told AS (
      INSERT INTO events (organization_id, project_id, resource_id, resource_kind, resource_name, type, data)
      SELECT i.organization_id, p.id, (i.resource ->> 'id')::uuid, i.resource ->> 'kind', i.resource ->> 'name', i.type,
        jsonb_build_object('incidentId', i.id, 'kind', i.kind, 'jobId', i.job_id, 'summary', i.summary)
      FROM (SELECT *, 'incident.opened' AS type FROM opened UNION ALL SELECT *, 'incident.resolved' FROM resolved) i
      -- Events are read by project: what concerns the whole organisation is told in each of its.
      JOIN projects p ON p.id = i.project_id
        OR (i.project_id IS NULL AND p.organization_id = i.organization_id AND p.deleted_at IS NULL)
    )
    SELECT (SELECT count(*)::int FROM opened) AS opened, (SELECT count(*)::int FROM resolved) AS resolved`,
    [startSeconds, stepSeconds, [...quotaPercent]],
    { prepare: true },
  );
  return changed ?? { opened: 0, resolved: 0 };
}

/**
 * Tells of incidents again that nobody has acknowledged for so many minutes, each time by the next of `escalations`. One
 * that was passed over meanwhile is told of too. Writes nothing where none is due.
 */
export async function escalateIncidents(sql: Sql, minutes: readonly number[]): Promise<number> {
  const [told] = await sql.unsafe<{ count: number }[]>(
    `WITH due AS MATERIALIZED (
      SELECT i.id, i.escalation AS before, count(m)::int AS level
      FROM incidents i, unnest($1::float8[]) m
      WHERE i.resolved_at IS NULL AND i.acknowledged_at IS NULL AND i.opened_at <= now() - make_interval(secs => m * 60)
      GROUP BY i.id HAVING count(m) > i.escalation
    ),
    escalated AS (
      UPDATE incidents i SET escalation = d.level FROM due d
      WHERE i.id = d.id AND i.escalation = d.before AND i.resolved_at IS NULL AND i.acknowledged_at IS NULL
      RETURNING i.*, d.before
    ),
    told AS (
      INSERT INTO events (organization_id, project_id, resource_id, resource_kind, resource_name, type, data)
      SELECT i.organization_id, p.id, (i.resource ->> 'id')::uuid, i.resource ->> 'kind', i.resource ->> 'name',
        'incident.escalated.' || ($2::text[])[level],
        jsonb_build_object('incidentId', i.id, 'kind', i.kind, 'jobId', i.job_id, 'summary', i.summary, 'escalation', level)
      FROM escalated i JOIN projects p ON p.id = i.project_id
        OR (i.project_id IS NULL AND p.organization_id = i.organization_id AND p.deleted_at IS NULL),
        generate_series(i.before + 1, i.escalation) level
      ORDER BY level
    )
    SELECT count(*)::int AS count FROM escalated`,
    [[...minutes], [...escalations]],
    { prepare: true },
  );
  return told?.count ?? 0;
}

export interface IncidentFilter {
  readonly projectId: string;
  /** Of the project: what concerns it as a whole is listed too. */
  readonly organizationId?: string;
  readonly state: Incident['state'] | undefined;
  readonly jobId: string | undefined;
}

const columns = `i.id, i.organization_id AS "organizationId", i.project_id AS "projectId", i.kind,
  CASE WHEN i.resolved_at IS NOT NULL THEN 'resolved' WHEN i.acknowledged_at IS NOT NULL THEN 'acknowledged' ELSE 'open' END AS state,
  i.acknowledged_by AS "acknowledgedBy", i.note, i.escalation, ${iso('i.acknowledged_at')} AS "acknowledgedAt", i.summary, i.job_id AS "jobId", i.resource, i.region,
  ${iso('i.opened_at')} AS "openedAt", ${iso('i.resolved_at')} AS "resolvedAt"`;

/** Each state has an index of its own. */
const conditionOf = {
  open: 'i.resolved_at IS NULL AND i.acknowledged_at IS NULL',
  acknowledged: 'i.resolved_at IS NULL AND i.acknowledged_at IS NOT NULL',
  resolved: 'i.resolved_at IS NOT NULL',
} as const satisfies Record<Incident['state'], string>;

/** The newest first. */
export async function listIncidents(
  sql: Sql,
  { projectId, organizationId, state, jobId }: IncidentFilter,
  page: PageRequest,
): Promise<Page<Incident>> {
  const list = (filter: Filter, limit: number): Promise<Page<Incident>> =>
    listPage<Incident, Incident>(
      sql,
      { table: 'incidents', alias: 'i', columns, newestFirst: true, filter: filter.only(state && conditionOf[state]) },
      { limit, cursor: page.cursor },
      (row) => row,
    );
  const ofProject = (parameter: string): string => `i.project_id = ${parameter}::uuid`;
  if (jobId !== undefined)
    return await list(new Filter().fixed(jobId, 'i.job_id', 'uuid').with(projectId, ofProject), page.limit);
  const own = new Filter().fixed(projectId, 'i.project_id', 'uuid');
  if (organizationId === undefined) return await list(own, page.limit);
  // Two lists in one order, each read by its index: a condition for both would be of none.
  const common = new Filter().fixed(organizationId, 'i.organization_id', 'uuid').only('i.project_id IS NULL');
  const pages = await Promise.all([own, common].map((filter) => list(filter, page.limit + 1)));
  const items = pages.flatMap((found) => found.items).toSorted((one, other) => (one.id < other.id ? 1 : -1));
  return toPage(items, page.limit, (item) => item);
}

/** All of the platform and of its tenants, the newest first. */
export function listAllIncidents(
  sql: Sql,
  { state, kind }: { readonly state?: Incident['state'] | undefined; readonly kind?: Incident['kind'] | undefined },
  page: PageRequest,
): Promise<Page<Incident>> {
  const filter = new Filter().only(state && conditionOf[state]).scanned(kind, (parameter) => `i.kind = ${parameter}`);
  const source = { table: 'incidents', alias: 'i', columns, newestFirst: true, filter };
  return listPage<Incident, Incident>(sql, source, page, (row) => row);
}

/** One that is of this project, or of its organisation as a whole; without a project, any. */
export async function findIncident(
  sql: Sql | TransactionSql,
  id: string,
  of?: { readonly projectId: string; readonly organizationId: string },
): Promise<Incident | undefined> {
  const [incident] = await sql.unsafe<Incident[]>(
    `SELECT ${columns} FROM incidents i WHERE i.id = $1::uuid
      AND ($2::uuid IS NULL OR i.project_id = $2::uuid OR (i.project_id IS NULL AND i.organization_id = $3::uuid))`,
    [id, of?.projectId ?? null, of?.organizationId ?? null],
  );
  return incident;
}

/** Whether it was open: one that is acknowledged keeps who was first, one that is resolved needs nobody. */
export async function acknowledge(
  sql: TransactionSql,
  id: string,
  { by, note }: { readonly by: string; readonly note: string },
): Promise<boolean> {
  const done = await sql`
    WITH acknowledged AS (
      UPDATE incidents SET acknowledged_at = now(), acknowledged_by = ${by}, note = ${note}
      WHERE id = ${id} AND resolved_at IS NULL AND acknowledged_at IS NULL RETURNING *
    ),
    told AS (
      INSERT INTO events (organization_id, project_id, resource_id, resource_kind, resource_name, type, data)
      SELECT i.organization_id, p.id, (i.resource ->> 'id')::uuid, i.resource ->> 'kind', i.resource ->> 'name',
        'incident.acknowledged', jsonb_build_object('incidentId', i.id, 'kind', i.kind, 'jobId', i.job_id,
          'summary', i.summary, 'by', i.acknowledged_by, 'note', i.note)
      FROM acknowledged i JOIN projects p ON p.id = i.project_id
        OR (i.project_id IS NULL AND p.organization_id = i.organization_id AND p.deleted_at IS NULL)
    )
    SELECT id FROM acknowledged`;
  return done.length > 0;
}

import type { Sql } from 'postgres';
import type { Drift, DriftState } from '../../domain/drift.ts';
import type { Finding, notComparedReasons, Scope } from '../../domain/observation.ts';
import { iso } from './iso.ts';
import { Filter, listPage } from './listing.ts';
import type { Page, PageRequest } from './pages.ts';

interface RunFindings extends Scope {
  /** What tells this run from every other. */
  readonly run: string;
  readonly startedAt: string;
  readonly findings: readonly Finding[];
}

/** How many were believed, and how many are gone. */
export interface Settled {
  readonly opened: number;
  readonly resolved: number;
}

const isSame = 'k.class = f.class AND k.kind = f.kind AND k.key = f.key AND k.field = f.field';
const isUnseen = `NOT EXISTS (SELECT FROM findings f WHERE ${isSame})`;
const isAlike = '(k.wanted, k.found) IS NOT DISTINCT FROM (f.wanted, f.found)';

/**
 * Puts on record what a whole run found. Idempotent, and no write where nothing is new: what was suspected and is known
 * stays as it is. What a job holds now is not settled, since it was not compared.
 */
const settleStatement = `
  WITH findings AS MATERIALIZED (
    SELECT DISTINCT ON (class, kind, key, field) * FROM jsonb_to_recordset($5::text::jsonb)
      AS f(class text, kind text, key text, name text, "resourceId" uuid, field text, wanted jsonb, found jsonb)
  ),
  known AS MATERIALIZED (
    SELECT * FROM drift WHERE region = $1 AND provider = $2 AND resolved_at IS NULL
  ),
  suspected AS (
    INSERT INTO drift (region, provider, class, kind, key, name, resource_id, organization_id, project_id, field, wanted, found, run)
    SELECT $1, $2, f.class, f.kind, f.key, f.name, f."resourceId", r.organization_id, r.project_id, f.field, f.wanted, f.found, $3
    FROM findings f LEFT JOIN resources r ON r.id = f."resourceId"
    WHERE NOT EXISTS (SELECT FROM known k WHERE ${isSame})
    ON CONFLICT DO NOTHING
  ),
  opened AS (
    UPDATE drift d SET confirmed_at = now() FROM known k JOIN findings f ON ${isSame}
    WHERE d.id = k.id AND k.confirmed_at IS NULL AND k.run <> $3 AND ${isAlike}
    RETURNING d.*
  ),
  seen_otherwise AS (
    UPDATE drift d SET wanted = f.wanted, found = f.found, run = $3 FROM known k JOIN findings f ON ${isSame}
    WHERE d.id = k.id AND NOT ${isAlike}
  ),
  dropped AS (
    DELETE FROM drift d USING known k WHERE d.id = k.id AND k.confirmed_at IS NULL AND ${isUnseen}
  ),
  resolved AS (
    UPDATE drift d SET resolved_at = now() FROM known k
    WHERE d.id = k.id AND k.confirmed_at IS NOT NULL AND ${isUnseen}
      AND NOT EXISTS (SELECT FROM resources r WHERE r.id = k.resource_id
        AND (r.current_job_id IS NOT NULL OR r.updated_at >= $4::timestamptz))
    RETURNING d.*
  ),
  compared AS (
    DELETE FROM not_compared WHERE region = $1 AND provider = $2
  ),
  told AS (
    INSERT INTO events (organization_id, project_id, resource_id, resource_kind, resource_name, type, data)
    SELECT d.organization_id, d.project_id, d.resource_id, d.kind, d.name, d.type,
      jsonb_build_object('driftId', d.id, 'class', d.class, 'field', nullif(d.field, ''), 'wanted', d.wanted, 'found', d.found)
    FROM (SELECT *, 'drift.opened' AS type FROM opened UNION ALL SELECT *, 'drift.resolved' FROM resolved) d
    WHERE d.class <> 'orphaned'
  )
  SELECT (SELECT count(*)::int FROM opened) AS opened, (SELECT count(*)::int FROM resolved) AS resolved`;

/** @see settleStatement */
export async function settleFindings(sql: Sql, of: RunFindings): Promise<Settled> {
  const [settled] = await sql.unsafe<Settled[]>(
    settleStatement,
    [of.region, of.provider, of.run, of.startedAt, JSON.stringify(of.findings)],
    { prepare: true },
  );
  return settled ?? { opened: 0, resolved: 0 };
}

interface NotCompared extends Scope {
  readonly run: string;
  readonly reason: (typeof notComparedReasons)[number];
  readonly message: string;
}

/** Whether that is new: the same, said again by a third run, is no write. */
export async function keepNotCompared(sql: Sql, of: NotCompared): Promise<boolean> {
  const { region, provider, run, reason, message } = of;
  const kept = await sql`
    INSERT INTO not_compared AS n (region, provider, reason, message, run)
    SELECT ${region}, ${provider}, ${reason}, ${message}, ${run}
    WHERE NOT EXISTS (SELECT FROM not_compared WHERE region = ${region} AND provider = ${provider}
      AND reason = ${reason} AND (confirmed OR run = ${run}))
    ON CONFLICT (region, provider) DO UPDATE SET reason = excluded.reason, message = excluded.message,
      confirmed = n.confirmed OR n.run <> excluded.run
    RETURNING n.run`;
  return kept.length > 0;
}

export interface DriftFilter {
  /** Only what is this project's. */
  readonly projectId?: string | undefined;
  readonly state?: DriftState | undefined;
  readonly class?: string | undefined;
  readonly kind?: string | undefined;
  readonly region?: string | undefined;
  readonly provider?: string | undefined;
}

const columns = `d.id, d.class, d.kind, d.key, d.name, d.region, d.provider, d.resource_id AS "resourceId",
  d.organization_id AS "organizationId", d.project_id AS "projectId", nullif(d.field, '') AS field, d.wanted, d.found,
  CASE WHEN d.resolved_at IS NOT NULL THEN 'resolved' WHEN d.confirmed_at IS NULL THEN 'suspected' ELSE 'open' END AS state,
  ${iso('d.first_seen_at')} AS "firstSeenAt", ${iso('d.confirmed_at')} AS "confirmedAt", ${iso('d.resolved_at')} AS "resolvedAt"`;

const conditionOf = {
  suspected: 'd.confirmed_at IS NULL',
  open: 'd.confirmed_at IS NOT NULL AND d.resolved_at IS NULL',
  resolved: 'd.confirmed_at IS NOT NULL AND d.resolved_at IS NOT NULL',
} as const satisfies Record<DriftState, string>;

/** The newest first. A tenant sees what is missing or changed of its own, never what is suspected or has no owner. */
export function listDrift(sql: Sql, wanted: DriftFilter, page: PageRequest): Promise<Page<Drift>> {
  const filter = new Filter()
    .fixed(wanted.projectId, 'd.project_id', 'uuid')
    .only(wanted.projectId === undefined ? undefined : "d.class <> 'orphaned' AND d.confirmed_at IS NOT NULL")
    .only(wanted.state && conditionOf[wanted.state])
    .scanned(wanted.class, (parameter) => `d.class = ${parameter}`)
    .scanned(wanted.kind, (parameter) => `d.kind = ${parameter}`)
    .scanned(wanted.region, (parameter) => `d.region = ${parameter}`)
    .scanned(wanted.provider, (parameter) => `d.provider = ${parameter}`);
  const source = { table: 'drift', alias: 'd', columns, newestFirst: true, filter };
  return listPage<Drift, Drift>(sql, source, page, (row) => row);
}

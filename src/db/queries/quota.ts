import type { Sql, TransactionSql } from 'postgres';
import {
  type Quota,
  type QuotaDifference,
  type QuotaLimits,
  type QuotaMetric,
  type QuotaUse,
  quotaMetrics,
  type quotaScopes,
} from '../../domain/quota.ts';

/** Each metric's column; its limit's is the same with `_limit`. */
const columns = {
  vms: 'vms',
  vcpus: 'vcpus',
  memoryMib: 'memory_mib',
  storageGib: 'storage_gib',
  networks: 'networks',
  volumes: 'volumes',
  snapshots: 'snapshots',
  buckets: 'buckets',
  addresses: 'addresses',
  gpus: 'gpus',
  bareMetalHosts: 'bare_metal_hosts',
  clusters: 'clusters',
} as const satisfies Record<QuotaMetric, string>;

type Part = (column: string, metric: QuotaMetric) => string;
const parts = (part: Part): string[] => quotaMetrics.map((metric) => part(columns[metric], metric));
const list = (part: Part): string => parts(part).join(', ');
const used = list((column) => column);

/** Parts of SQL that names every metric's column, for the statements that take of a quota and give back. */
export const quotaSql = {
  /** `vms bigint, …`: of a record. */
  record: list((column) => `${column} bigint`),
  /** `sum(vms)::bigint AS vms, …` */
  sums: list((column) => `sum(${column})::bigint AS ${column}`),
  /** `vms = q.vms + w.vms, …`: what `from` has, taken or given back. */
  moved: (sign: '+' | '-', from: string): string =>
    list((column) => `${column} = q.${column} ${sign} ${from}.${column}`),
  /** That what `from` wants fits into every limit; what wants nothing fits into any. */
  fits: (from: string): string =>
    parts((column) => `(${from}.${column} <= 0 OR q.${column} + ${from}.${column} <= q.${column}_limit)`).join(' AND '),
  /** The sums of the differences of two `QuotaUse`s. */
  differences: (before: string, after: string): string =>
    list(
      (column, metric) =>
        `sum(coalesce((${before} ->> '${metric}')::bigint, 0) - coalesce((${after} ->> '${metric}')::bigint, 0))::bigint AS ${column}`,
    ),
};

/** By column. */
export const quotaRow = (use: QuotaUse): Record<string, number> =>
  Object.fromEntries(quotaMetrics.map((metric) => [columns[metric], use[metric] ?? 0]));
const sums = list((column) => `coalesce(sum(q.${column}), 0)::bigint AS ${column}`);

type Row = Readonly<Record<string, string | null>> & { readonly id: string; readonly name: string };

const metric = (row: Row, column: string) => {
  const limit = row[`${column}_limit`] ?? null;
  return { used: Number(row[column] ?? 0), limit: limit === null ? null : Number(limit) };
};

const toQuota = (scope: (typeof quotaScopes)[number], row: Row): Quota => ({
  scope,
  id: row.id,
  name: row.name,
  metrics: {
    vms: metric(row, columns.vms),
    vcpus: metric(row, columns.vcpus),
    memoryMib: metric(row, columns.memoryMib),
    storageGib: metric(row, columns.storageGib),
    networks: metric(row, columns.networks),
    volumes: metric(row, columns.volumes),
    snapshots: metric(row, columns.snapshots),
    buckets: metric(row, columns.buckets),
    addresses: metric(row, columns.addresses),
    gpus: metric(row, columns.gpus),
    bareMetalHosts: metric(row, columns.bareMetalHosts),
    clusters: metric(row, columns.clusters),
  },
});

/** What a project holds and may hold. */
export async function projectQuota(sql: Sql | TransactionSql, projectId: string): Promise<Quota | undefined> {
  const [row] = await sql<Row[]>`
    SELECT q.*, p.id, p.name FROM quotas q JOIN projects p ON p.id = q.project_id WHERE p.id = ${projectId}`;
  return row && toQuota('project', row);
}

/** What an organisation holds in all its projects, and may hold. */
export async function organizationQuota(sql: Sql | TransactionSql, organizationId: string): Promise<Quota | undefined> {
  const [limited] = await sql<Row[]>`
    SELECT q.*, o.id, o.name FROM organization_quotas q JOIN organizations o ON o.id = q.organization_id
    WHERE o.id = ${organizationId}`;
  if (limited) return toQuota('organization', limited);
  const [row] = await sql<Row[]>`
    SELECT o.id, o.name, ${sql.unsafe(sums)} FROM organizations o
    LEFT JOIN projects p ON p.organization_id = o.id LEFT JOIN quotas q ON q.project_id = p.id
    WHERE o.id = ${organizationId} GROUP BY o.id`;
  return row && toQuota('organization', row);
}

/** Limits by column. */
export const limitColumns = (limits: QuotaLimits): Record<string, number | null> =>
  Object.fromEntries(
    quotaMetrics.flatMap((name) => {
      const limit = limits[name];
      return limit === undefined ? [] : [[`${columns[name]}_limit`, limit]];
    }),
  );

/** Limits left out stay as they are. */
export async function setProjectLimits(sql: TransactionSql, projectId: string, limits: QuotaLimits): Promise<void> {
  const changed = limitColumns(limits);
  if (Object.keys(changed).length > 0) await sql`UPDATE quotas SET ${sql(changed)} WHERE project_id = ${projectId}`;
}

/**
 * Limits left out stay as they are. From the first limit on the organisation has a row that its projects are counted
 * in, beginning with what they hold; with the last one gone it has none. All its projects are locked meanwhile, in
 * order, so that what is being accepted is counted before or after and never lost.
 */
export async function setOrganizationLimits(
  sql: TransactionSql,
  organizationId: string,
  limits: QuotaLimits,
): Promise<void> {
  await sql`SELECT FROM organizations WHERE id = ${organizationId} FOR UPDATE`;
  await sql`
    SELECT FROM quotas q JOIN projects p ON p.id = q.project_id WHERE p.organization_id = ${organizationId}
    ORDER BY q.project_id FOR UPDATE OF q`;
  await sql`
    INSERT INTO organization_quotas (organization_id, ${sql.unsafe(used)})
    SELECT ${organizationId}, ${sql.unsafe(sums)}
    FROM quotas q JOIN projects p ON p.id = q.project_id WHERE p.organization_id = ${organizationId}
    ON CONFLICT (organization_id) DO NOTHING`;
  const changed = limitColumns(limits);
  if (Object.keys(changed).length > 0)
    await sql`UPDATE organization_quotas SET ${sql(changed)} WHERE organization_id = ${organizationId}`;
  const anyLimit = list((column) => `${column}_limit`);
  const [limited] = await sql`
    SELECT FROM organization_quotas WHERE organization_id = ${organizationId} AND num_nonnulls(${sql.unsafe(anyLimit)}) > 0`;
  await sql`
    UPDATE quotas q SET limited_by = ${limited ? organizationId : null} FROM projects p
    WHERE p.id = q.project_id AND p.organization_id = ${organizationId}`;
  if (!limited) await sql`DELETE FROM organization_quotas WHERE organization_id = ${organizationId}`;
}

const metricRows = `(VALUES ${quotaMetrics.map((name) => `('${name}', q.${columns[name]})`).join(', ')}) AS m(metric, used)`;

const limitedRows = `(VALUES ${quotaMetrics
  .map((name) => `('${name}', q.${columns[name]}, q.${columns[name]}_limit)`)
  .join(', ')}) AS m(metric, used, allowed)`;

/** What is in use of every limit that there is. */
export const fullness = `
  SELECT 'project' AS scope, p.id, p.name, p.organization_id, p.id AS project_id, m.metric, m.used, m.allowed
  FROM quotas q JOIN projects p ON p.id = q.project_id AND p.deleted_at IS NULL CROSS JOIN LATERAL ${limitedRows}
  UNION ALL
  SELECT 'organization', o.id, o.name, o.id, NULL, m.metric, m.used, m.allowed
  FROM organization_quotas q JOIN organizations o ON o.id = q.organization_id AND o.deleted_at IS NULL
    CROSS JOIN LATERAL ${limitedRows}
  WHERE m.allowed IS NOT NULL`;

export interface QuotaRatio {
  readonly scope: (typeof quotaScopes)[number];
  readonly organization: string;
  /** Empty for an organisation's own. */
  readonly project: string;
  readonly metric: QuotaMetric;
  readonly ratio: number;
}

/** The fullest first. What has a limit of 0 and is in use all the same is full. */
export const quotaRatios = (sql: Sql, count: number): Promise<readonly QuotaRatio[]> =>
  sql.unsafe<QuotaRatio[]>(
    `SELECT f.scope, o.name AS organization, CASE WHEN f.scope = 'project' THEN f.name ELSE '' END AS project, f.metric,
      coalesce(f.used::float8 / nullif(f.allowed, 0), 1) AS ratio
    FROM (${fullness}) f JOIN organizations o ON o.id = f.organization_id
    WHERE f.used > 0 ORDER BY ratio DESC, f.id, f.metric LIMIT $1`,
    [count],
    { prepare: true },
  );

/** Where a quota's count is not what the resources that are there take. Nothing is mended. */
export async function quotaDifferences(sql: Sql): Promise<readonly QuotaDifference[]> {
  return await sql.unsafe<QuotaDifference[]>(`
    WITH taken AS (
      SELECT project_id, m.metric, sum(m.value::bigint) AS counted FROM resources, jsonb_each_text(quota) AS m(metric, value)
      WHERE deleted_at IS NULL GROUP BY project_id, m.metric
    ),
    scoped AS (
      SELECT 'project' AS scope, p.id, p.name, m.metric, m.used AS recorded,
        coalesce((SELECT counted FROM taken t WHERE t.project_id = p.id AND t.metric = m.metric), 0) AS counted
      FROM quotas q JOIN projects p ON p.id = q.project_id CROSS JOIN LATERAL ${metricRows}
      UNION ALL
      SELECT 'organization', o.id, o.name, m.metric, m.used,
        coalesce((SELECT sum(counted) FROM taken t JOIN projects p ON p.id = t.project_id
          WHERE p.organization_id = o.id AND t.metric = m.metric), 0)
      FROM organization_quotas q JOIN organizations o ON o.id = q.organization_id CROSS JOIN LATERAL ${metricRows}
    )
    SELECT scope, id, name, metric, recorded::float8, counted::float8 FROM scoped WHERE recorded <> counted ORDER BY scope, name, metric`);
}

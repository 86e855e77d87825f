import type { Sql } from 'postgres';
import type { AuditAct } from '../../domain/audit.ts';
import { iso } from './iso.ts';
import { afterOf, type Page, type PageRequest, toPage } from './pages.ts';

interface ActFilter {
  readonly organizationId?: string | undefined;
  readonly projectId?: string | undefined;
  readonly actor?: string | undefined;
  readonly action?: string | undefined;
  readonly resourceId?: string | undefined;
  /** ISO times: not before, and before. */
  readonly since?: string | undefined;
  readonly until?: string | undefined;
}

type Row = Omit<AuditAct, 'resource'> & {
  readonly resourceKind: string | null;
  readonly resourceId: string | null;
  readonly resourceName: string | null;
};

/** Acts with their outcome, the newest first. */
export async function listActs(sql: Sql, filter: ActFilter, page: PageRequest): Promise<Page<AuditAct>> {
  const { organizationId, projectId, actor, action, resourceId, since, until } = filter;
  const after = afterOf(page.cursor);
  const rows = await sql<Row[]>`
    SELECT o.act_id AS id, ${sql.unsafe(iso('o.at'))} AS at, o.organization_id AS "organizationId", o.project_id AS "projectId", o.actor,
      o.origin, o.action, o.resource_kind AS "resourceKind", o.resource_id AS "resourceId", o.resource_name AS "resourceName",
      o.job_id AS "jobId", o.reason, o.details, c.outcome, c.reason AS "outcomeReason", ${sql.unsafe(iso('c.at'))} AS "closedAt",
      s.sequence::float8 AS sequence
    FROM audit_entries o
    LEFT JOIN audit_entries c ON c.act_id = o.act_id AND c.phase = 'closed'
    LEFT JOIN audit_seals s ON s.transaction_id = o.transaction_id AND s.position = o.position
    WHERE o.phase = 'opened'
      ${organizationId ? sql`AND o.organization_id = ${organizationId}` : sql``}
      ${projectId ? sql`AND o.project_id = ${projectId}` : sql``}
      ${actor ? sql`AND o.actor = ${actor}` : sql``}
      ${action ? sql`AND o.action = ${action}` : sql``}
      ${resourceId ? sql`AND o.resource_id = ${resourceId}` : sql``}
      ${since ? sql`AND o.at >= ${since}` : sql``}
      ${until ? sql`AND o.at < ${until}` : sql``}
      ${after ? sql`AND (o.transaction_id, o.position) < (SELECT transaction_id, position FROM audit_entries WHERE act_id = ${after} AND phase = 'opened')` : sql``}
    ORDER BY o.transaction_id DESC, o.position DESC LIMIT ${page.limit + 1}`;
  return toPage(rows, page.limit, ({ resourceKind, resourceId: id, resourceName, ...act }) => ({
    ...act,
    resource: { kind: resourceKind, id, name: resourceName },
  }));
}

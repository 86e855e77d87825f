import type { Sql } from 'postgres';
import type { AuditAct } from '../../domain/audit.ts';
import { iso } from './iso.ts';
import { Filter, readRows } from './listing.ts';
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

const columns = `o.act_id AS id, ${iso('o.at')} AS at, o.organization_id AS "organizationId", o.project_id AS "projectId", o.actor,
  o.origin, o.action, o.resource_kind AS "resourceKind", o.resource_id AS "resourceId", o.resource_name AS "resourceName",
  o.job_id AS "jobId", o.reason, o.details, c.outcome, c.reason AS "outcomeReason", ${iso('c.at')} AS "closedAt",
  s.sequence::float8 AS sequence`;
const joins = `LEFT JOIN audit_entries c ON c.act_id = o.act_id AND c.phase = 'closed'
  LEFT JOIN audit_seals s ON s.transaction_id = o.transaction_id AND s.position = o.position`;

/** The place of an act in the log. Two subqueries: what one with two columns gives could not be looked up in an index. */
const placeOf = (parameter: string): string[] =>
  ['transaction_id', 'position'].map(
    (column) => `(SELECT ${column} FROM audit_entries WHERE act_id = ${parameter}::uuid AND phase = 'opened')`,
  );

/** A transaction that began earlier may be the later one in the log, by no more than it took. */
const longestTransaction = "interval '1 hour'";

/** Acts with their outcome, the newest first. */
export async function listActs(
  sql: Sql,
  { organizationId, projectId, actor, action, resourceId, since, until }: ActFilter,
  { limit, cursor }: PageRequest,
): Promise<Page<AuditAct>> {
  const filter = new Filter()
    .only("o.phase = 'opened'")
    .scanned(actor, (parameter) => `o.actor = ${parameter}`)
    .scanned(action, (parameter) => `o.action = ${parameter}`)
    .scanned(until, (parameter) => `o.at < ${parameter}::timestamptz`);
  const ofOrganization = (parameter: string): string => `o.organization_id = ${parameter}::uuid`;
  const ofProject = (parameter: string): string => `o.project_id = ${parameter}::uuid`;
  // One index leads; of what it gives, the others leave all or nothing.
  if (resourceId !== undefined)
    filter.fixed(resourceId, 'o.resource_id', 'uuid').with(projectId, ofProject).with(organizationId, ofOrganization);
  else if (projectId !== undefined)
    filter.fixed(projectId, 'o.project_id', 'uuid').with(organizationId, ofOrganization);
  else filter.fixed(organizationId, 'o.organization_id', 'uuid');
  let goesOn = 'true';
  filter.scanned(since, (parameter) => {
    goesOn = `o.at >= ${parameter}::timestamptz - ${longestTransaction}`;
    return `o.at >= ${parameter}::timestamptz`;
  });
  const source = { table: 'audit_entries', alias: 'o', columns, joins, filter };
  const after = afterOf(cursor);
  const ordered = {
    ...source,
    order: { by: ['o.transaction_id', 'o.position'], newestFirst: true },
    cursor: after === null ? undefined : placeOf(filter.parameter(after)),
    key: 'o.act_id',
    goesOn,
  };
  const { rows, scannedTo } = await readRows<Row>(sql, ordered, limit);
  const view = ({ resourceKind, resourceId: id, resourceName, ...act }: Row): AuditAct => ({
    ...act,
    resource: { kind: resourceKind, id, name: resourceName },
  });
  return toPage(rows, limit, view, undefined, scannedTo);
}

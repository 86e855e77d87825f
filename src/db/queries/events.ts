import type { Sql } from 'postgres';
import {
  beginning,
  cursorText,
  type Event,
  type EventCursor,
  type EventFilter,
  isAfter,
  parseCursor,
} from '../../domain/event.ts';
import { MillwrightError } from '../../errors.ts';
import { iso } from './iso.ts';
import { Filter, scanLimit } from './listing.ts';

export interface EventsRead {
  readonly events: readonly Event[];
  /** Everything before it that matches has been read: go on from here. */
  readonly end: EventCursor;
  /** Nothing more is there now. Else there may be, however few have been found: a page looks at so many events and no more. */
  readonly isLast: boolean;
}

interface Row extends Event {
  /** Null: nothing to be read; the row is there for what follows. */
  readonly id: string;
  readonly edge: string;
  /** The last that was looked at, where there are more to look at. */
  readonly scannedTo: string | null;
  readonly deletedTransaction: string | null;
  readonly deletedPosition: string | null;
}

/** An event as it is shown. */
const cursorColumn = "e.transaction_id::text || '-' || e.position";
const shown = `e.transaction_id, e.position, ${cursorColumn} AS id, e.type, ${iso('e.at')} AS at,
  coalesce(e.organization_id, (SELECT p.organization_id FROM projects p WHERE p.id = e.project_id)) AS "organizationId",
  e.project_id AS "projectId",
  CASE WHEN e.resource_id IS NOT NULL THEN jsonb_build_object('id', e.resource_id, 'kind', e.resource_kind,
    'name', e.resource_name, 'status', e.resource_status) END AS resource,
  e.job_id AS "jobId", e.parent_job_id AS "parentJobId", e.data`;

/**
 * The events that match, after the cursor, in order. Only below the oldest transaction that still runs: what commits
 * later always comes after what was read (see the table's comment), so that a transaction that runs long delays, and
 * none is lost. One snapshot tells what there is and what is not kept any more: throws `gone` for a cursor older than
 * that, unless it is the very beginning.
 */
export async function eventsAfter(
  sql: Sql,
  wanted: EventFilter,
  after: EventCursor,
  limit: number,
): Promise<EventsRead> {
  const { looks, values } = looksFor(wanted);
  const [only] = looks;
  const scanned = only?.rest
    ? `(SELECT ${cursorColumn} ${only.readable} OFFSET ${scanLimit - 1} LIMIT 1)`
    : 'NULL::text';
  const rows = await sql.unsafe<Row[]>(
    `WITH edge AS MATERIALIZED (SELECT pg_snapshot_xmin(pg_current_snapshot()) AS transaction_id),
      looked AS MATERIALIZED (SELECT ${scanned} AS "scannedTo" FROM edge)
    SELECT edge.transaction_id::text AS edge, looked."scannedTo",
      d.transaction_id::text AS "deletedTransaction", d.position::text AS "deletedPosition", f.*
    FROM edge CROSS JOIN looked LEFT JOIN events_deleted d ON true LEFT JOIN LATERAL (
      SELECT ${shown} FROM (${looks.map(branch).join(' UNION ALL ')}) e ${inOrder} LIMIT $3
    ) f ON true
    ORDER BY f.transaction_id, f.position`,
    [String(after.transaction), String(after.position), limit, ...values] as (string | number)[],
    // Those who follow everything ask again and again, and any plan will do.
    { prepare: Object.keys(wanted).length === 0 },
  );
  const [first] = rows;
  if (!first) throw new Error('the edge of the outbox was not there');
  const { edge, scannedTo, deletedTransaction, deletedPosition } = first;
  if (isAfter(after, beginning) && deletedTransaction !== null && deletedPosition !== null) {
    const deleted = { transaction: BigInt(deletedTransaction), position: BigInt(deletedPosition) };
    if (isAfter(deleted, after)) throw gone(after);
  }
  const events: Event[] = rows
    .filter(({ id }) => id !== null)
    .map(({ id, type, at, organizationId, projectId, resource, jobId, parentJobId, data }) => ({
      ...{ id, type, at, organizationId, projectId, resource, jobId, parentJobId, data },
    }));
  const last = events.at(-1);
  const reached = events.length === limit ? last?.id : scannedTo;
  const end = reached ? parseCursor(reached) : undefined;
  return end
    ? { events, end, isLast: false }
    : { events, end: later(after, { transaction: BigInt(edge), position: 0n }), isLast: true };
}

/** Throws `gone` where some of what came after this cursor is not kept any more. */
export async function assertKept(sql: Sql, after: EventCursor): Promise<void> {
  const [row] = await sql<{ missed: boolean }[]>`
    SELECT (transaction_id, position) > (${String(after.transaction)}::text::xid8, ${String(after.position)}::bigint) AS missed
    FROM events_deleted`;
  if (row?.missed && isAfter(after, beginning)) throw gone(after);
}

/** The newest event of a resource or job, committed or about to be read; undefined where none is kept. */
export async function lastEventOf(
  sql: Sql,
  subject: { readonly resourceId: string } | { readonly jobId: string },
): Promise<EventCursor | undefined> {
  const [row] = await sql<{ transaction: string; position: string }[]>`
    SELECT transaction_id::text AS transaction, position::text FROM events
    WHERE ${'jobId' in subject ? sql`job_id = ${subject.jobId}` : sql`resource_id = ${subject.resourceId}`}
    ORDER BY transaction_id DESC, position DESC LIMIT 1`;
  return row && { transaction: BigInt(row.transaction), position: BigInt(row.position) };
}

/** Where what is not yet written will come after. */
export async function presentEnd(sql: Sql): Promise<EventCursor> {
  const [row] = await sql<{ edge: string }[]>`SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS edge`;
  if (!row) throw new Error('the edge of the outbox was not there');
  return { transaction: BigInt(row.edge), position: 0n };
}

/** So many events one statement looks at for a time: no index has them in that order. */
export const sinceLimit = 10_000;

/** The place before the first event of a project at or after this time. Throws `gone` where some of them are not kept. */
export async function cursorSince(sql: Sql, projectId: string, since: string): Promise<EventCursor> {
  for (let after = beginning; ; ) {
    const { first, last, edge } = await lookSince(sql, projectId, since, after);
    if (first) return { ...first, position: first.position - 1n };
    if (!last) return { transaction: edge, position: 0n };
    after = last;
  }
}

interface SinceRow {
  readonly edge: string;
  readonly isGone: boolean;
  readonly last: readonly [string, string] | null;
  readonly first: readonly [string, string] | null;
}

/** One page of a project's events: the first at or after a time, and the last of the page where it is full. */
async function lookSince(sql: Sql, projectId: string, since: string, after: EventCursor) {
  const [row] = await sql<SinceRow[]>`
    WITH page AS MATERIALIZED (
      SELECT transaction_id, position, at FROM events
      WHERE project_id = ${projectId} AND (transaction_id, position) > (${String(after.transaction)}::text::xid8, ${String(after.position)}::text::bigint)
        AND transaction_id < pg_snapshot_xmin(pg_current_snapshot())
      ORDER BY transaction_id, position LIMIT ${sinceLimit}
    )
    SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS edge,
      EXISTS (SELECT FROM events_deleted WHERE at >= ${since}::timestamptz) AS "isGone",
      (SELECT jsonb_build_array(transaction_id::text, position::text) FROM page WHERE at >= ${since}::timestamptz ORDER BY transaction_id, position LIMIT 1) AS first,
      (SELECT jsonb_build_array(transaction_id::text, position::text) FROM page ORDER BY transaction_id, position OFFSET ${sinceLimit - 1} LIMIT 1) AS last`;
  if (!row) throw new Error('the edge of the outbox was not there');
  if (row.isGone) throw tooOld(`The events since ${since} are not all kept any more.`);
  return { first: placeOf(row.first), last: placeOf(row.last), edge: BigInt(row.edge) };
}

const placeOf = (place: readonly [string, string] | null): EventCursor | undefined =>
  place ? { transaction: BigInt(place[0]), position: BigInt(place[1]) } : undefined;

const inOrder = 'ORDER BY e.transaction_id, e.position';
const order = { by: ['e.transaction_id', 'e.position'], newestFirst: false };

/** One ordered look at one index, in which nothing or only so much has to be looked for. */
interface Look {
  /** What comes after the cursor and can be read. */
  readonly readable: string;
  readonly rest: string | undefined;
}

const branch = ({ readable, rest }: Look): string =>
  rest
    ? `(SELECT * FROM (SELECT * ${readable} LIMIT ${scanLimit}) e WHERE ${rest} ${inOrder} LIMIT $3)`
    : `(SELECT * ${readable} LIMIT $3)`;

/** Of the looks that are needed for a filter, the parameters are all the same. */
interface Looks {
  readonly values: Filter['values'];
  readonly looks: readonly Look[];
}

/**
 * The looks that find what a filter leaves. A job's own events and those of its operations are two, because an OR could
 * be answered by no index in order.
 */
function looksFor({ projectId, resourceId, jobId, types, kinds }: EventFilter): Looks {
  const lookBy = (lead: (filter: Filter) => boolean): { look: Look; values: Filter['values'] } => {
    const filter = new Filter(4);
    const few = lead(filter);
    const condition = few ? 'with' : 'scanned';
    filter[condition](
      types?.map((type) => type.replace(/\*$/, '%')),
      (parameter) => `e.type LIKE ANY(${parameter}::text[])`,
    );
    filter[condition](kinds, (parameter) => `e.resource_kind = ANY(${parameter}::text[])`);
    const { where, order: by } = filter.inOrder(order, ['$1::text::xid8', '$2::bigint']);
    const readable = `FROM events e WHERE ${where} AND e.transaction_id < edge.transaction_id ORDER BY ${by}`;
    return { look: { readable, rest: filter.rest }, values: filter.values };
  };
  const ofProject = (parameter: string): string => `e.project_id = ${parameter}::uuid`;
  const ofResource = (parameter: string): string => `e.resource_id = ${parameter}::uuid`;
  if (jobId === undefined) {
    const { look, values } = lookBy((filter) => {
      if (resourceId === undefined) filter.fixed(projectId, 'e.project_id', 'uuid');
      else filter.fixed(resourceId, 'e.resource_id', 'uuid').with(projectId, ofProject);
      return resourceId !== undefined;
    });
    return { values, looks: [look] };
  }
  const both = ['e.job_id', 'e.parent_job_id'].map((column) =>
    lookBy((filter) => {
      // A job's own events are few, and their index is not in this order.
      if (column === 'e.job_id') filter.with(jobId, (parameter) => `${column} = ${parameter}::uuid`);
      else filter.fixed(jobId, column, 'uuid');
      filter.with(projectId, ofProject).with(resourceId, ofResource);
      return true;
    }),
  );
  return { values: both[0]?.values ?? [], looks: both.map(({ look }) => look) };
}

const later = (one: EventCursor, other: EventCursor): EventCursor => (isAfter(one, other) ? one : other);

const gone = (cursor: EventCursor): MillwrightError =>
  tooOld(`What came after ${cursorText(cursor)} is not all kept any more.`);

const tooOld = (what: string): MillwrightError =>
  new MillwrightError(
    'gone',
    `${what} Read the resources and jobs as they now are, then begin anew: without a cursor (or Last-Event-ID), with everything that is kept.`,
  );

import type { Sql, TransactionSql } from 'postgres';

/** What an event is about, and its status after the change where the event changed it. */
interface ChangedResource {
  readonly id: string;
  readonly kind: string;
  readonly name: string;
  readonly status?: string | null;
}

/** A change of state, to be written by the transaction that makes it. */
export interface NewEvent {
  readonly organizationId: string;
  readonly projectId: string;
  /** `<subject>.<what happened>`, as `resource.updated`. */
  readonly type: string;
  readonly resource: ChangedResource | null;
  readonly jobId?: string | null;
  /** The job of the batch that the job is an operation of. */
  readonly parentJobId?: string | null;
  /** The place of the event among its job's, where it is one of its transitions: written once. */
  readonly jobSequence?: number | null;
  /** What more there is to tell. No secrets: tenants and their webhooks get it. */
  readonly data?: object;
  /** ISO 8601; now, where it is left out. */
  readonly at?: string;
}

/**
 * Writes one event. To be called in the transaction that makes the change, after it has locked (or changed) the row of
 * what the event is about: that is what puts the events of one resource in the order of their changes.
 */
export const insertEvent = (sql: Sql | TransactionSql, event: NewEvent): Promise<void> => insertEvents(sql, [event]);

/** Writes events in this order, in one statement. */
export async function insertEvents(sql: Sql | TransactionSql, events: readonly NewEvent[]): Promise<void> {
  if (events.length === 0) return;
  const rows = events.map((event, place) => ({ ...event, place, data: event.data ?? {} }));
  await sql.unsafe(
    `INSERT INTO events (organization_id, project_id, resource_id, resource_kind, resource_name, resource_status,
      job_id, parent_job_id, job_sequence, type, data, at)
    SELECT t."organizationId", t."projectId", (t.resource ->> 'id')::uuid, t.resource ->> 'kind', t.resource ->> 'name',
      t.resource ->> 'status', t."jobId", t."parentJobId", t."jobSequence", t.type, t.data, coalesce(t.at, now())
    FROM jsonb_to_recordset($1::text::jsonb) AS t(place int, "organizationId" uuid, "projectId" uuid, resource jsonb,
      "jobId" uuid, "parentJobId" uuid, "jobSequence" int, type text, data jsonb, at timestamptz)
    ORDER BY t.place`,
    [JSON.stringify(rows)],
    { prepare: true },
  );
}

import type { Sql, TransactionSql } from 'postgres';
import { type Event, type EventFilter, matches, parseCursor } from '../../domain/event.ts';
import type { Outcome } from '../../domain/webhook.ts';
import { eventsAfter } from './events.ts';
import { insertEvent } from './outbox.ts';

/** What a webhook may have on its way: beyond that its events wait in the outbox. */
const pendingAtMost = 1000;
const pageSize = 500;

/** A webhook as whoever is at work on it needs it. */
export interface ClaimedWebhook {
  readonly id: string;
  readonly organizationId: string;
  readonly projectId: string;
  readonly name: string;
  readonly url: string;
  readonly types: string[];
  readonly kinds: string[];
  readonly concurrency: number;
  /** Sealed; the newest first. */
  readonly secrets: string[];
  readonly failures: number;
  /** When its owner last changed it. */
  readonly version: string;
}

interface Claim {
  /** Whoever claims; each process is another. */
  readonly owner: string;
  readonly leaseSeconds: number;
  readonly atMost: number;
  readonly perProject: number;
  /** Those that this process is at work on, and projects of which it has as many as it may. */
  readonly busy: readonly string[];
  readonly fullProjects: readonly string[];
}

/** The first pending delivery of its lane: none before it of the same resource still waits. */
const isHead = `NOT EXISTS (SELECT FROM webhook_deliveries b WHERE b.webhook_id = d.webhook_id AND b.state = 'pending'
  AND b.lane = d.lane AND (b.transaction_id, b.position) < (d.transaction_id, d.position))`;

/**
 * Takes webhooks that have something to do, for a time: events that they have not had, or a delivery that is due. What
 * somebody else works on is passed over. Writes nothing where there is nothing to do.
 */
export async function claimWebhooks(sql: Sql, claim: Claim): Promise<readonly ClaimedWebhook[]> {
  return await sql.unsafe<ClaimedWebhook[]>(
    `WITH edge AS MATERIALIZED (SELECT pg_snapshot_xmin(pg_current_snapshot()) AS transaction_id),
    due AS (
      SELECT w.id, row_number() OVER (PARTITION BY w.project_id ORDER BY w.id) AS nth
      FROM webhooks w, edge
      WHERE w.state = 'enabled' AND (w.lease_until IS NULL OR w.lease_until < now())
        AND (w.next_attempt_at IS NULL OR w.next_attempt_at <= now())
        AND w.id <> ALL($3::uuid[]) AND w.project_id <> ALL($4::uuid[])
        AND (
          EXISTS (SELECT FROM webhook_deliveries d WHERE d.webhook_id = w.id AND d.state = 'pending'
            AND d.next_attempt_at <= now() AND ${isHead})
          OR (EXISTS (SELECT FROM events e WHERE e.project_id = w.project_id
              AND (e.transaction_id, e.position) > (w.cursor_transaction, w.cursor_position) AND e.transaction_id < edge.transaction_id)
            AND (SELECT count(*) FROM (SELECT FROM webhook_deliveries d WHERE d.webhook_id = w.id AND d.state = 'pending'
              LIMIT ${pendingAtMost}) p) < ${pendingAtMost})
        )
    ),
    taken AS (
      SELECT w.id FROM webhooks w JOIN due ON due.id = w.id
      WHERE due.nth <= $5 AND (w.lease_until IS NULL OR w.lease_until < now()) AND w.state = 'enabled'
      ORDER BY due.nth LIMIT $6 FOR UPDATE OF w SKIP LOCKED
    )
    UPDATE webhooks w SET lease_owner = $1, lease_until = now() + make_interval(secs => $2)
    FROM taken WHERE w.id = taken.id
    RETURNING w.id, w.organization_id AS "organizationId", w.project_id AS "projectId", w.name, w.url, w.types, w.kinds,
      w.concurrency, w.failures, w.updated_at::text AS version,
      array_remove(ARRAY[w.secret, CASE WHEN w.previous_secret_until > now() THEN w.previous_secret END], NULL) AS secrets`,
    [claim.owner, claim.leaseSeconds, [...claim.busy], [...claim.fullProjects], claim.perProject, claim.atMost],
    { prepare: true },
  );
}

/** Keeps what was claimed. False: somebody else has it by now, or it is gone, disabled or another than it was. */
export async function renewLease(
  sql: Sql,
  { id, version }: ClaimedWebhook,
  owner: string,
  leaseSeconds: number,
): Promise<boolean> {
  const rows = await sql`
    UPDATE webhooks SET lease_until = now() + make_interval(secs => ${leaseSeconds})
    WHERE id = ${id} AND lease_owner = ${owner} AND state = 'enabled' AND updated_at::text = ${version} RETURNING id`;
  return rows.length > 0;
}

export async function releaseLease(sql: Sql, id: string, owner: string): Promise<void> {
  await sql`UPDATE webhooks SET lease_owner = NULL, lease_until = NULL WHERE id = ${id} AND lease_owner = ${owner}`;
}

/**
 * Makes deliveries of the events that a webhook has not had, and moves its cursor past them, in one statement. True:
 * there is more. Throws `gone` where some of them are not kept any more.
 */
export async function collectEvents(sql: Sql, webhook: ClaimedWebhook, owner: string): Promise<boolean> {
  const [row] = await sql<{ transaction: string; position: string; pending: number }[]>`
    SELECT cursor_transaction::text AS transaction, cursor_position::text AS position,
      (SELECT count(*)::int FROM webhook_deliveries d WHERE d.webhook_id = w.id AND d.state = 'pending') AS pending
    FROM webhooks w WHERE id = ${webhook.id}`;
  if (!row || row.pending >= pendingAtMost) return false;
  const after = { transaction: BigInt(row.transaction), position: BigInt(row.position) };
  const { projectId } = webhook;
  const { events, end } = await eventsAfter(sql, { projectId }, after, pageSize);
  if (events.length === 0) return false;
  const deliveries = events.filter((event) => isWanted(webhook, event)).map(toDelivery);
  await sql.unsafe(
    `WITH moved AS (
      UPDATE webhooks SET cursor_transaction = $3::text::xid8, cursor_position = $4
      WHERE id = $1 AND lease_owner = $2 AND cursor_transaction = $5::text::xid8 AND cursor_position = $6 RETURNING id
    )
    INSERT INTO webhook_deliveries (webhook_id, transaction_id, position, lane, type, event)
    SELECT moved.id, t.transaction::xid8, t.position, t.lane, t.event ->> 'type', t.event
    FROM moved, jsonb_to_recordset($7::text::jsonb) AS t(transaction text, position bigint, lane text, event jsonb)
    ORDER BY t.transaction::xid8, t.position ON CONFLICT DO NOTHING`,
    [
      webhook.id,
      owner,
      String(end.transaction),
      String(end.position),
      String(after.transaction),
      String(after.position),
      JSON.stringify(deliveries),
    ],
    { prepare: true },
  );
  return events.length === pageSize;
}

/** A ping goes to the webhook that it is about, whatever that one wants. */
function isWanted({ id, types, kinds }: ClaimedWebhook, event: Event): boolean {
  if (event.type === 'webhook.ping') return event.resource?.id === id;
  const filter: EventFilter = {
    ...(types.length > 0 ? { types } : {}),
    ...(kinds.length > 0 ? { kinds } : {}),
  };
  return matches(filter, event);
}

function toDelivery(event: Event) {
  const cursor = parseCursor(event.id);
  if (!cursor) throw new Error(`"${event.id}" is not the id of an event`);
  const lane = event.resource?.id ?? event.jobId ?? '';
  return { transaction: String(cursor.transaction), position: Number(cursor.position), lane, event };
}

export interface PendingDelivery {
  readonly id: string;
  readonly lane: string;
  readonly attempts: number;
  readonly due: boolean;
}

/** All that waits, in the order of events. */
export async function pendingDeliveries(sql: Sql, webhookId: string): Promise<readonly PendingDelivery[]> {
  return await sql<PendingDelivery[]>`
    SELECT id, lane, attempts, next_attempt_at <= now() AS due FROM webhook_deliveries
    WHERE webhook_id = ${webhookId} AND state = 'pending' ORDER BY transaction_id, position LIMIT ${3 * pendingAtMost}`;
}

/** What is to be sent; undefined where it has been deleted or ended meanwhile. */
export async function deliveryEvent(sql: Sql, id: string): Promise<Event | undefined> {
  const [row] = await sql<
    { event: Event }[]
  >`SELECT event FROM webhook_deliveries WHERE id = ${id} AND state = 'pending'`;
  return row?.event;
}

/** Records that an event was taken. */
export async function recordDelivered(sql: Sql, webhookId: string, id: string, outcome: Outcome): Promise<void> {
  await sql`
    WITH webhook AS (
      UPDATE webhooks SET failures = 0, failing_since = NULL, next_attempt_at = NULL WHERE id = ${webhookId} AND failures > 0
    )
    UPDATE webhook_deliveries SET state = 'delivered', attempts = attempts + 1, last_attempt_at = now(), ended_at = now(),
      status = ${outcome.status}, error = NULL, response = ${outcome.response}
    WHERE id = ${id}`;
}

export interface Failure {
  readonly outcome: Outcome;
  /** When to try again; null: it is given up. */
  readonly againInSeconds: number | null;
  /** For so long the webhook is left alone. */
  readonly pauseSeconds: number;
  /** Disables the webhook, for this reason, where it has failed for as long as that; 0: at once. */
  readonly disable: { readonly afterSeconds: number; readonly reason: string };
}

/** Records that an attempt failed. True: the webhook is disabled by it, and an event says so. */
export async function recordFailure(
  sql: Sql,
  webhook: ClaimedWebhook,
  id: string,
  { outcome, againInSeconds, pauseSeconds, disable }: Failure,
): Promise<boolean> {
  return await sql.begin(async (transaction) => {
    await transaction`
      UPDATE webhook_deliveries SET attempts = attempts + 1, last_attempt_at = now(), status = ${outcome.status},
        error = ${outcome.error}, response = ${outcome.response},
        state = CASE WHEN ${againInSeconds === null} THEN 'dead' ELSE 'pending' END,
        ended_at = CASE WHEN ${againInSeconds === null} THEN now() END,
        next_attempt_at = now() + make_interval(secs => ${againInSeconds ?? 0})
      WHERE id = ${id} AND state = 'pending'`;
    const [row] = await transaction<{ disabled: boolean }[]>`
      UPDATE webhooks SET failures = failures + 1, failing_since = coalesce(failing_since, now()),
        next_attempt_at = now() + make_interval(secs => ${pauseSeconds})
      WHERE id = ${webhook.id}
      RETURNING state = 'enabled' AND (${disable.afterSeconds} = 0 OR failing_since <= now() - make_interval(secs => ${disable.afterSeconds})) AS disabled`;
    if (!row?.disabled) return false;
    await disableIn(transaction, webhook, disable.reason);
    return true;
  });
}

/** Disables a webhook, and says so in an event. */
export async function disableWebhook(sql: Sql, webhook: ClaimedWebhook, reason: string): Promise<void> {
  await sql.begin((transaction) => disableIn(transaction, webhook, reason));
}

async function disableIn(sql: TransactionSql, webhook: ClaimedWebhook, reason: string): Promise<void> {
  const { id, name, organizationId, projectId } = webhook;
  const changed = await sql`
    UPDATE webhooks SET state = 'disabled', state_reason = ${reason}, updated_at = now()
    WHERE id = ${id} AND state = 'enabled' RETURNING id`;
  if (changed.length === 0) return;
  await insertEvent(sql, {
    organizationId,
    projectId,
    type: 'webhook.disabled',
    resource: { id, kind: 'webhook', name, status: 'disabled' },
    data: { reason },
  });
}

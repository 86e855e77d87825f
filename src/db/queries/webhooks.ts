import type { Sql, TransactionSql } from 'postgres';
import { isId } from '../../domain/common.ts';
import { cursorText, type EventCursor } from '../../domain/event.ts';
import type { Delivery, Webhook, WebhookCreate, WebhookUpdate } from '../../domain/webhook.ts';
import { iso } from './iso.ts';
import { afterOf, type Page, type PageRequest, toPage } from './pages.ts';

type Connection = Sql | TransactionSql;

const count = (state: 'pending' | 'dead'): string =>
  `(SELECT count(*)::int FROM webhook_deliveries d WHERE d.webhook_id = w.id AND d.state = '${state}')`;

const select = `SELECT w.id, w.organization_id AS "organizationId", w.project_id AS "projectId", w.name, w.url, w.types, w.kinds,
    w.concurrency, w.state, w.state_reason AS "stateReason", w.failures, ${iso('w.failing_since')} AS "failingSince",
    CASE WHEN w.previous_secret_until > now() THEN ${iso('w.previous_secret_until')} END AS "previousSecretUntil",
    jsonb_build_object('pending', ${count('pending')}, 'dead', ${count('dead')}) AS deliveries,
    ${iso('w.created_at')} AS "createdAt", ${iso('w.updated_at')} AS "updatedAt"
  FROM webhooks w`;

/** A webhook of this project by id or name; undefined where there is none. `lock`: nobody else changes it meanwhile. */
export async function findWebhook(
  sql: Connection,
  projectId: string,
  reference: string,
  lock = false,
): Promise<Webhook | undefined> {
  const by = isId(reference) ? 'w.id = $2::uuid' : 'w.name = $2::text';
  const [webhook] = await sql.unsafe<Webhook[]>(
    `${select} WHERE w.project_id = $1 AND ${by} ${lock ? 'FOR UPDATE OF w' : ''}`,
    [projectId, reference],
    { prepare: true },
  );
  return webhook;
}

/** The oldest first. */
export async function listWebhooks(sql: Sql, projectId: string, page: PageRequest): Promise<Page<Webhook>> {
  const rows = await sql.unsafe<Webhook[]>(
    `${select} WHERE w.project_id = $1 AND w.id > coalesce($2::uuid, '00000000-0000-0000-0000-000000000000') ORDER BY w.id LIMIT $3`,
    [projectId, afterOf(page.cursor), page.limit + 1],
    { prepare: true },
  );
  return toPage(rows, page.limit, (row) => row);
}

export interface NewWebhookRow extends WebhookCreate {
  readonly id: string;
  readonly organizationId: string;
  readonly projectId: string;
  /** Sealed. */
  readonly secret: string;
}

/** A webhook gets what happens from now on. False: the project has as many as it may. */
export async function insertWebhook(sql: Connection, webhook: NewWebhookRow, most: number): Promise<boolean> {
  const rows = await sql`
    INSERT INTO webhooks (id, organization_id, project_id, name, url, types, kinds, concurrency, secret, cursor_transaction)
    SELECT ${webhook.id}, ${webhook.organizationId}, ${webhook.projectId}, ${webhook.name}, ${webhook.url}, ${webhook.types}::text[],
      ${webhook.kinds}::text[], ${webhook.concurrency}, ${webhook.secret}, pg_snapshot_xmin(pg_current_snapshot())
    WHERE (SELECT count(*) FROM webhooks WHERE project_id = ${webhook.projectId}) < ${most}
    RETURNING id`;
  return rows.length > 0;
}

export async function updateWebhook(
  sql: Connection,
  id: string,
  { url, types, kinds, concurrency, enabled, skipMissed }: WebhookUpdate,
): Promise<void> {
  await sql`
    UPDATE webhooks SET url = coalesce(${url ?? null}, url), types = coalesce(${types ?? null}::text[], types),
      kinds = coalesce(${kinds ?? null}::text[], kinds), concurrency = coalesce(${concurrency ?? null}::int, concurrency),
      updated_at = now() WHERE id = ${id}`;
  if (enabled === false)
    await sql`UPDATE webhooks SET state = 'disabled', state_reason = 'Its owner disabled it.' WHERE id = ${id}`;
  if (enabled === true)
    await sql`
      UPDATE webhooks SET state = 'enabled', state_reason = NULL, failures = 0, failing_since = NULL, next_attempt_at = NULL,
        cursor_transaction = CASE WHEN ${skipMissed === true} THEN pg_snapshot_xmin(pg_current_snapshot()) ELSE cursor_transaction END,
        cursor_position = CASE WHEN ${skipMissed === true} THEN 0 ELSE cursor_position END
      WHERE id = ${id}`;
}

/** Up to where a webhook has got. */
export async function webhookCursor(sql: Connection, id: string): Promise<EventCursor> {
  const [row] = await sql<{ transaction: string; position: string }[]>`
    SELECT cursor_transaction::text AS transaction, cursor_position::text AS position FROM webhooks WHERE id = ${id}`;
  if (!row) throw new Error(`webhook ${id} is not in the database`);
  return { transaction: BigInt(row.transaction), position: BigInt(row.position) };
}

export async function deleteWebhook(sql: Connection, id: string): Promise<void> {
  await sql`DELETE FROM webhooks WHERE id = ${id}`;
}

/** The new secret signs from now on, and the one before as well for so long. Both are sealed. */
export async function replaceSecret(sql: Connection, id: string, sealed: string, graceSeconds: number): Promise<void> {
  await sql`
    UPDATE webhooks SET previous_secret = CASE WHEN ${graceSeconds} > 0 THEN secret END,
      previous_secret_until = CASE WHEN ${graceSeconds} > 0 THEN now() + make_interval(secs => ${graceSeconds}) END,
      secret = ${sealed}, updated_at = now()
    WHERE id = ${id}`;
}

/** The newest first. */
export async function listDeliveries(
  sql: Sql,
  webhookId: string,
  state: Delivery['state'] | undefined,
  page: PageRequest,
): Promise<Page<Delivery>> {
  const rows = await sql.unsafe<(Delivery & { transaction: string; position: string })[]>(
    `SELECT id, webhook_id AS "webhookId", transaction_id::text AS transaction, position::text, type, state, attempts,
      CASE WHEN state = 'pending' THEN ${iso('next_attempt_at')} END AS "nextAttemptAt", ${iso('last_attempt_at')} AS "lastAttemptAt",
      status, error, response, ${iso('created_at')} AS "createdAt", ${iso('ended_at')} AS "endedAt"
    FROM webhook_deliveries
    WHERE webhook_id = $1 AND ($2::text IS NULL OR state = $2) AND id < coalesce($3::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
    ORDER BY id DESC LIMIT $4`,
    [webhookId, state ?? null, afterOf(page.cursor), page.limit + 1],
    { prepare: true },
  );
  return toPage(rows, page.limit, ({ transaction, position, ...row }) => ({
    ...row,
    eventId: cursorText({ transaction: BigInt(transaction), position: BigInt(position) }),
  }));
}

/**
 * Sends once more what was given up: one, or all of it; one that was delivered or waits too, when it is named. Gives how many.
 * The webhook is not left alone any longer for what failed before.
 */
export async function redeliver(sql: Connection, webhookId: string, deliveryId: string | null): Promise<number> {
  const rows = await sql`
    UPDATE webhook_deliveries SET state = 'pending', attempts = 0, next_attempt_at = now(), ended_at = NULL
    WHERE webhook_id = ${webhookId}
      AND (id = ${deliveryId} OR (${deliveryId}::uuid IS NULL AND state = 'dead'))
    RETURNING id`;
  if (rows.length > 0) await sql`UPDATE webhooks SET next_attempt_at = NULL WHERE id = ${webhookId}`;
  return rows.length;
}

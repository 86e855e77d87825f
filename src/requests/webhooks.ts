import type { Sql, TransactionSql } from 'postgres';
import { v7 as newId } from 'uuid';
import { violatedUnique } from '../db/client.ts';
import { audited } from '../db/queries/audit.ts';
import { assertKept } from '../db/queries/events.ts';
import { insertEvent } from '../db/queries/outbox.ts';
import {
  deleteWebhook,
  findWebhook,
  insertWebhook,
  redeliver,
  replaceSecret,
  updateWebhook,
  webhookCursor,
} from '../db/queries/webhooks.ts';
import type { NewWebhook, Webhook, WebhookCreate, WebhookUpdate } from '../domain/webhook.ts';
import { MillwrightError } from '../errors.ts';
import type { Sealer } from '../secrets/sealer.ts';
import { type DestinationRules, faultOfUrl } from '../webhooks/destination.ts';
import { newSecret, secretPlace } from '../webhooks/signature.ts';
import type { Caller } from './caller.ts';

/** How many webhooks a project may have. */
const webhooksAtMost = 50;

export interface WebhookDependencies {
  readonly sql: Sql;
  readonly sealer: Sealer;
  readonly rules: DestinationRules;
}

type Act = 'create' | 'update' | 'delete' | 'rotate' | 'ping' | 'redeliver';

const actOf = (
  { organization, project, actor, origin }: Caller,
  act: Act,
  id: string,
  name: string,
  details?: object,
) => ({
  organizationId: organization.id,
  projectId: project.id,
  actor,
  origin,
  action: `webhook.${act}`,
  resource: { kind: 'webhook', id, name },
  ...(details ? { details: { ...details } } : {}),
});

const told = (
  { organization, project }: Caller,
  type: string,
  webhook: Pick<Webhook, 'id' | 'name'>,
  status?: string,
) => ({
  organizationId: organization.id,
  projectId: project.id,
  type: `webhook.${type}`,
  resource: { id: webhook.id, kind: 'webhook', name: webhook.name, status: status ?? null },
});

/** Makes a webhook, which gets what happens from now on. */
export async function createWebhook(
  { sql, sealer, rules }: WebhookDependencies,
  caller: Caller,
  create: WebhookCreate,
): Promise<NewWebhook> {
  assertUrl(create.url, rules);
  const id = newId();
  const secret = newSecret();
  const sealed = await sealer.seal(secret, secretPlace(id));
  const place = { organizationId: caller.organization.id, projectId: caller.project.id };
  const { name, ...details } = create;
  await audited(sql, actOf(caller, 'create', id, name, details), async (transaction) => {
    if (!(await insertWebhook(transaction, { ...create, ...place, id, secret: sealed }, webhooksAtMost))) {
      throw new MillwrightError(
        'quota',
        `The project has ${webhooksAtMost} webhooks, and may not have more. Delete one, or let one receive more types.`,
      );
    }
    await insertEvent(transaction, told(caller, 'created', { id, name }, 'enabled'));
  }).catch((error: unknown) => {
    if (violatedUnique(error) !== 'webhooks_name_key') throw error;
    throw new MillwrightError('conflict', `There is already a webhook "${name}" in this project. Choose another name.`);
  });
  return { ...(await webhookIn(sql, caller, id)), secret };
}

/** Changes what the request names, and nothing else. */
export async function changeWebhook(
  { sql, rules }: WebhookDependencies,
  caller: Caller,
  reference: string,
  update: WebhookUpdate,
): Promise<Webhook> {
  if (update.url !== undefined) assertUrl(update.url, rules);
  const { id, name } = await webhookIn(sql, caller, reference);
  await audited(sql, actOf(caller, 'update', id, name, update), async (transaction) => {
    const before = await webhookIn(transaction, caller, id, true);
    const wakes = update.enabled === true && before.state === 'disabled';
    if (wakes && !update.skipMissed) await assertNoneMissed(sql, transaction, before);
    const { enabled, ...rest } = update;
    await updateWebhook(transaction, id, enabled === (before.state === 'enabled') ? rest : update);
    const sleeps = enabled === false && before.state === 'enabled';
    await insertEvent(
      transaction,
      told(
        caller,
        wakes ? 'enabled' : sleeps ? 'disabled' : 'updated',
        before,
        wakes ? 'enabled' : sleeps ? 'disabled' : undefined,
      ),
    );
  });
  return await webhookIn(sql, caller, id);
}

async function assertNoneMissed(sql: Sql, transaction: TransactionSql, { id, name }: Webhook): Promise<void> {
  try {
    await assertKept(sql, await webhookCursor(transaction, id));
  } catch (error) {
    if (!(error instanceof MillwrightError) || error.code !== 'gone') throw error;
    throw new MillwrightError(
      'gone',
      `Not all that webhook "${name}" has missed is kept any more. Read the resources and jobs as they now are, then enable it with "skipMissed": true: it gets what happens from then on.`,
    );
  }
}

/** With it goes what is on its way, and what is known of its deliveries. */
export async function removeWebhook({ sql }: WebhookDependencies, caller: Caller, reference: string): Promise<void> {
  const webhook = await webhookIn(sql, caller, reference);
  await audited(sql, actOf(caller, 'delete', webhook.id, webhook.name), async (transaction) => {
    await deleteWebhook(transaction, webhook.id);
    await insertEvent(transaction, told(caller, 'deleted', webhook, 'deleted'));
  });
}

/** A new secret, shown once; the one before signs as well for so long. */
export async function rotateSecret(
  { sql, sealer }: WebhookDependencies,
  caller: Caller,
  reference: string,
  graceSeconds: number,
): Promise<NewWebhook> {
  const webhook = await webhookIn(sql, caller, reference);
  const secret = newSecret();
  const sealed = await sealer.seal(secret, secretPlace(webhook.id));
  await audited(sql, actOf(caller, 'rotate', webhook.id, webhook.name, { graceSeconds }), async (transaction) => {
    await replaceSecret(transaction, webhook.id, sealed, graceSeconds);
    await insertEvent(transaction, told(caller, 'updated', webhook));
  });
  return { ...(await webhookIn(sql, caller, webhook.id)), secret };
}

/** An event that goes to this webhook alone, in its turn, whatever it wants else. */
export async function pingWebhook({ sql }: WebhookDependencies, caller: Caller, reference: string): Promise<Webhook> {
  const webhook = await webhookIn(sql, caller, reference);
  if (webhook.state === 'disabled') {
    throw new MillwrightError('conflict', `Webhook "${webhook.name}" is disabled. Enable it first.`);
  }
  await audited(sql, actOf(caller, 'ping', webhook.id, webhook.name), (transaction) =>
    insertEvent(transaction, told(caller, 'ping', webhook)),
  );
  return webhook;
}

/** Sends once more what was given up, or the one delivery named; gives how many. */
export async function redeliverTo(
  { sql }: WebhookDependencies,
  caller: Caller,
  reference: string,
  deliveryId: string | null,
): Promise<number> {
  const { id, name } = await webhookIn(sql, caller, reference);
  return await audited(sql, actOf(caller, 'redeliver', id, name, { deliveryId }), async (transaction) => {
    const count = await redeliver(transaction, id, deliveryId);
    if (deliveryId !== null && count === 0) {
      throw new MillwrightError('not_found', `Webhook "${name}" has no delivery "${deliveryId}".`);
    }
    return count;
  });
}

/** The webhook that is meant, or `not_found`. */
export async function webhookIn(
  sql: Sql | TransactionSql,
  { project }: Caller,
  reference: string,
  lock = false,
): Promise<Webhook> {
  const webhook = await findWebhook(sql, project.id, reference, lock);
  if (!webhook) throw new MillwrightError('not_found', `There is no webhook "${reference}" in this project.`);
  return webhook;
}

function assertUrl(url: string, rules: DestinationRules): void {
  const detail = faultOfUrl(url, rules);
  if (detail) throw new MillwrightError('invalid', detail, { faults: [{ pointer: '/url', detail }] });
}

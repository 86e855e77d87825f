import type { Sql } from 'postgres';
import {
  type ClaimedWebhook,
  collectEvents,
  deliveryEvent,
  disableWebhook,
  type PendingDelivery,
  pendingDeliveries,
  recordDelivered,
  recordFailure,
  releaseLease,
  renewLease,
} from '../src/db/queries/webhook-work.ts';
import type { Event } from '../src/domain/event.ts';
import type { Outcome } from '../src/domain/webhook.ts';
import { MillwrightError } from '../src/errors.ts';
import type { Logger } from '../src/log.ts';
import type { Sealer } from '../src/secrets/sealer.ts';
import type { WebhookOptions } from '../src/webhooks/options.ts';
import { againInSeconds, pauseSeconds } from '../src/webhooks/schedule.ts';
import { send } from '../src/webhooks/send.ts';
import { secretPlace, signedHeaders } from '../src/webhooks/signature.ts';

/** For so long a webhook is taken at a time; renewed while it is served, and over soon after a process is killed. */
export const leaseSeconds = 10;
const renewEveryMs = 3000;
/** Then it is looked at anew, with its secrets as they are by then. */
const longestServiceMs = 30_000;

export interface Serving {
  readonly sql: Sql;
  readonly sealer: Sealer;
  readonly options: WebhookOptions;
  /** Who holds the lease. */
  readonly owner: string;
  /** Aborted: begin no further attempt. */
  readonly stopping: AbortSignal;
  /** Aborted: give up the attempts under way. */
  readonly cutOff: AbortSignal;
  readonly log: Logger;
}

/** Delivers what a webhook has to get, until nothing is due or an attempt fails; holds its lease meanwhile. */
export async function serveWebhook(serving: Serving, webhook: ClaimedWebhook): Promise<void> {
  const { sql, sealer, owner, stopping, cutOff } = serving;
  const lost = new AbortController();
  const renewing = setInterval(() => {
    renewLease(sql, webhook, owner, leaseSeconds).then(
      (ours) => ours || lost.abort(),
      () => undefined,
    );
  }, renewEveryMs);
  try {
    const place = secretPlace(webhook.id);
    const secrets = await Promise.all(webhook.secrets.map((sealed) => sealer.unseal(sealed, place)));
    const ends = AbortSignal.any([stopping, lost.signal, AbortSignal.timeout(longestServiceMs)]);
    const attempt = attempts(
      { ...serving, stopping: ends, cutOff: AbortSignal.any([cutOff, lost.signal]) },
      webhook,
      secrets,
    );
    while (!ends.aborted) {
      const more = await collectEvents(sql, webhook, owner);
      const queues = queuesOf(await pendingDeliveries(sql, webhook.id), webhook.concurrency);
      if (queues.length === 0 && !more) break;
      if (!(await attempt(queues))) break;
    }
  } catch (error) {
    if (!(error instanceof MillwrightError) || error.code !== 'gone') throw error;
    await disableWebhook(sql, webhook, 'It fell so far behind that not all of its events are kept any more.');
  } finally {
    clearInterval(renewing);
    await releaseLease(sql, webhook.id, owner);
  }
}

/**
 * What may be sent now: behind a delivery that waits for its time, all others about the same resource wait as well. One
 * queue where all go one after the other; else one for each resource.
 */
function queuesOf(pending: readonly PendingDelivery[], concurrency: number): PendingDelivery[][] {
  const waiting = new Set<string>();
  const sendable = pending.filter(({ lane, due }) => {
    if (!due) waiting.add(lane);
    return !waiting.has(lane);
  });
  if (sendable.length === 0) return [];
  return concurrency === 1 ? [sendable] : [...Map.groupBy(sendable, ({ lane }) => lane).values()];
}

/** Sends queues, so many at once; false where an attempt failed or was given up, and the rest has to wait. */
function attempts(serving: Serving, webhook: ClaimedWebhook, secrets: readonly string[]) {
  const { sql, options, stopping, cutOff, log } = serving;

  async function one({ id, attempts: before }: PendingDelivery): Promise<boolean> {
    const event = await deliveryEvent(sql, id);
    if (!event) return true;
    const body = bodyOf(event);
    const outcome = await send(webhook.url, signedHeaders(event.id, new Date(), body, secrets), body, {
      ...options,
      signal: cutOff,
    });
    if (!outcome) return false;
    if (outcome.error === null) {
      await recordDelivered(sql, webhook.id, id, outcome);
      failures = 0;
      return true;
    }
    await fail(id, before + 1, outcome);
    return false;
  }

  let failures = webhook.failures;
  async function fail(id: string, made: number, outcome: Outcome): Promise<void> {
    failures += 1;
    const { schedule } = options;
    const refused = outcome.status === 410;
    const disabled = await recordFailure(sql, webhook, id, {
      outcome,
      againInSeconds: refused ? null : againInSeconds(schedule, made, outcome.retryAfterSeconds),
      pauseSeconds: pauseSeconds(failures, outcome.retryAfterSeconds),
      disable: refused
        ? { afterSeconds: 0, reason: 'The endpoint answered 410: it wants no more.' }
        : {
            afterSeconds: schedule.disableAfterSeconds,
            reason: `Every attempt for ${Math.round(schedule.disableAfterSeconds / 3600)} hours has failed; the last: ${outcome.error}`,
          },
    });
    log.info(
      { webhookId: webhook.id, deliveryId: id, attempts: made, error: outcome.error, disabled },
      'a delivery failed',
    );
  }

  return async (queues: readonly PendingDelivery[][]): Promise<boolean> => {
    const rest = [...queues];
    let well = true;
    async function run(): Promise<void> {
      for (let queue = rest.shift(); queue; queue = rest.shift()) {
        for (const delivery of queue) {
          if (!well || stopping.aborted) return;
          if (!(await one(delivery))) well = false;
        }
      }
    }
    await Promise.all(Array.from({ length: webhook.concurrency }, run));
    return well;
  };
}

/** What is sent, in the form that Standard Webhooks recommends. */
const bodyOf = (event: Event): string => JSON.stringify({ type: event.type, timestamp: event.at, data: event });

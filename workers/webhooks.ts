import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Sql } from 'postgres';
import { type ClaimedWebhook, claimWebhooks } from '../src/db/queries/webhook-work.ts';
import type { Logger } from '../src/log.ts';
import type { Sealer } from '../src/secrets/sealer.ts';
import type { WebhookOptions } from '../src/webhooks/options.ts';
import { repeat } from './repeat.ts';
import { leaseSeconds, serveWebhook } from './webhook.ts';

const everyMs = 500;
/**
 * How many webhooks a process serves at once, and of one project: an attempt that hangs keeps a place for as long as it
 * may hang, so one tenant's dead endpoints must never have all of them.
 */
const servedAtOnce = 256;
const servedOfProject = 8;
/** Attempts under way when we are asked to stop may end by themselves for so long. */
const stopPatienceMs = 4000;

/**
 * Delivers events to webhooks. Any number of processes may do so: each takes webhooks for a time, and what a process
 * that was killed had taken another takes when that is over. At rest it only reads.
 */
export function startWebhooks(
  dependencies: { readonly sql: Sql; readonly sealer: Sealer; readonly options: WebhookOptions },
  log: Logger,
): { stop(): Promise<void> } {
  const { sql } = dependencies;
  const owner = randomUUID();
  const stopping = new AbortController();
  const cutOff = new AbortController();
  const serving = new Map<string, { readonly webhook: ClaimedWebhook; readonly done: Promise<void> }>();

  function serve(webhook: ClaimedWebhook): void {
    const done = serveWebhook(
      { ...dependencies, owner, stopping: stopping.signal, cutOff: cutOff.signal, log },
      webhook,
    )
      .catch((error: unknown) =>
        log.warn({ err: error, webhookId: webhook.id }, 'a webhook could not be served; it is tried again'),
      )
      .finally(() => serving.delete(webhook.id));
    serving.set(webhook.id, { webhook, done });
  }

  const looking = repeat('looking for webhooks with something to deliver', everyMs, log, async () => {
    const projects = Map.groupBy(serving.values(), ({ webhook }) => webhook.projectId);
    const claimed = await claimWebhooks(sql, {
      owner,
      leaseSeconds,
      atMost: servedAtOnce - serving.size,
      perProject: servedOfProject,
      busy: [...serving.keys()],
      fullProjects: [...projects].filter(([, served]) => served.length >= servedOfProject).map(([id]) => id),
    });
    for (const webhook of claimed) serve(webhook);
  });

  return {
    stop: async () => {
      stopping.abort();
      await looking.stop();
      const all = Promise.all([...serving.values()].map(({ done }) => done));
      const patience = new AbortController();
      await Promise.race([all, pause(stopPatienceMs, undefined, { signal: patience.signal }).catch(() => undefined)]);
      patience.abort();
      cutOff.abort();
      await all;
    },
  };
}

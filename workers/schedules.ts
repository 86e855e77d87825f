import type { Client } from '@temporalio/client';
import type { Config } from '../src/config/index.ts';
import type { Logger } from '../src/log.ts';
import type { Catalog } from '../src/requests/catalog.ts';
import { scopesOf } from '../src/requests/reconciliation.ts';
import { writeSchedules } from '../temporal/schedules.ts';
import { repeat } from './repeat.ts';

const everyMs = 10_000;

interface ScheduleSources {
  readonly client: Client;
  readonly catalog: () => Promise<Catalog>;
  readonly config: Config;
}

/** Keeps a schedule for each provider of each region: written when the worker starts, and when regions or providers change. */
export function startSchedules({ client, catalog, config }: ScheduleSources, log: Logger): { stop(): Promise<void> } {
  const timing = {
    everySeconds: config.MILLWRIGHT_RECONCILE_SECONDS,
    workflowTaskTimeoutMs: config.MILLWRIGHT_WORKFLOW_TASK_TIMEOUT_MS,
  };
  let written: string | undefined;
  return repeat('writing the schedules of reconciliation', everyMs, log, async () => {
    const scopes = scopesOf(await catalog());
    const wanted = JSON.stringify(scopes);
    if (wanted === written) return;
    await writeSchedules(client, scopes, timing);
    written = wanted;
    log.info({ scopes: scopes.length, everySeconds: timing.everySeconds }, 'schedules of reconciliation are written');
  });
}

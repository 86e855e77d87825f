import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { createAdaptorServer } from '@hono/node-server';
import { type Config, required } from '../src/config/index.ts';
import { openDatabase } from '../src/db/client.ts';
import { apiPatience } from '../src/db/patience.ts';
import { MillwrightError } from '../src/errors.ts';
import type { Logger } from '../src/log.ts';
import { catalogReader } from '../src/requests/catalog.ts';
import { jobLimits } from '../src/requests/limits.ts';
import type { RunningRole } from '../src/role.ts';
import { openKeyRing } from '../src/secrets/key-ring.ts';
import { openSealer } from '../src/secrets/specs.ts';
import { openTelemetry } from '../src/telemetry/listener.ts';
import { destinationRules } from '../src/webhooks/options.ts';
import { temporalClient } from '../temporal/client.ts';
import { accessOptions } from './access-options.ts';
import { createApp } from './app.ts';
import { createTail } from './events/tail.ts';
import { createStarter } from './starter.ts';

/** What is still unanswered by then is cut off: the role is ended soon after. */
const longestAnswerMs = 5000;

/** The API as a role: serves until it is stopped, then answers what it has taken. */
export async function startApi(config: Config, log: Logger): Promise<RunningRole & { readonly port: number }> {
  const database = openDatabase(required(config.DATABASE_URL, 'DATABASE_URL'), {
    connections: { statements: 16, transactions: 9 },
    role: config.MILLWRIGHT_DATABASE_ROLE,
    patience: apiPatience(config),
  });
  const payloadKeys = openKeyRing(config.payloadKeyFile);
  const { client: temporal, connection } = temporalClient({
    address: required(config.TEMPORAL_ADDRESS, 'TEMPORAL_ADDRESS'),
    namespace: config.TEMPORAL_NAMESPACE,
    keys: payloadKeys,
    workflowTaskTimeoutMs: config.MILLWRIGHT_WORKFLOW_TASK_TIMEOUT_MS,
  });
  const starter = createStarter(temporal, log);
  const draining = new AbortController();
  const tail = createTail(database.sql, draining.signal, log);
  const telemetry = await openTelemetry(config, log, {
    role: 'api',
    parts: [
      { name: 'database', check: () => database.sql`SELECT 1` },
      { name: 'temporal', check: () => temporal.workflowService.getSystemInfo({}), spared: true },
      { name: 'listener', check: async () => draining.signal.throwIfAborted() },
    ],
  });
  const app = createApp({
    database,
    temporal,
    catalog: catalogReader(database),
    limits: jobLimits(config),
    sealer: openSealer(config, database.sql),
    payloadKeys,
    temporalUiUrl: config.TEMPORAL_UI_URL,
    start: starter.start,
    ...accessOptions(config),
    draining: draining.signal,
    webhookRules: destinationRules(config),
    tail,
    registry: telemetry.registry,
    log,
  });
  const server = createAdaptorServer({ fetch: app.fetch });
  await new Promise<void>((listening, failed) => {
    server.once('error', (cause) => {
      failed(
        new MillwrightError(
          'unavailable',
          `The API cannot listen on ${config.MILLWRIGHT_API_HOST}:${config.MILLWRIGHT_API_PORT}: ${cause.message}.`,
          { cause },
        ),
      );
    });
    server.listen(config.MILLWRIGHT_API_PORT, config.MILLWRIGHT_API_HOST, listening);
  });
  const { port } = server.address() as AddressInfo;
  log.info({ port }, 'the API listens');
  const closed = new Promise<void>((resolve) => server.once('close', resolve));
  let stopping: Promise<void> | undefined;

  async function stop(): Promise<void> {
    draining.abort();
    await pause(config.MILLWRIGHT_API_DRAIN_MS);
    server.close();
    // A connection is idle once its answer is complete, which may be a moment from now.
    const idle = setInterval(() => 'closeIdleConnections' in server && server.closeIdleConnections(), 20);
    const late = setTimeout(() => 'closeAllConnections' in server && server.closeAllConnections(), longestAnswerMs);
    await closed;
    clearInterval(idle);
    clearTimeout(late);
    await starter.stop();
    await Promise.all([database.close(), connection.close(), telemetry.close()]);
  }

  return {
    port,
    ended: closed,
    stop: () => {
      stopping ??= stop();
      return stopping;
    },
  };
}

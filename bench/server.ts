import { serve } from '@hono/node-server';
import { Registry } from 'prom-client';
import { accessOptions } from '../api/access-options.ts';
import { createApp } from '../api/app.ts';
import { createTail } from '../api/events/tail.ts';
import { createStarter } from '../api/starter.ts';
import { readConfig, required } from '../src/config/index.ts';
import { openDatabase } from '../src/db/client.ts';
import { createLogger } from '../src/log.ts';
import { catalogReader } from '../src/requests/catalog.ts';
import { jobLimits } from '../src/requests/limits.ts';
import { openKeyRing } from '../src/secrets/key-ring.ts';
import { openSealer } from '../src/secrets/specs.ts';
import { destinationRules } from '../src/webhooks/options.ts';
import { temporalClient } from '../temporal/client.ts';

/**
 * The API as it is, in a process of its own, with one route more: the peer, which inserts one row for each request.
 * `BENCH_START=later` leaves the workflows to be started afterwards, so that accepting is measured alone.
 */
const config = readConfig();
const database = openDatabase(required(config.DATABASE_URL, 'DATABASE_URL'), {
  connections: { statements: 16, transactions: 9 },
  role: config.MILLWRIGHT_DATABASE_ROLE,
});
const payloadKeys = openKeyRing(config.payloadKeyFile);
const { client: temporal } = temporalClient({
  address: required(config.TEMPORAL_ADDRESS, 'TEMPORAL_ADDRESS'),
  namespace: config.TEMPORAL_NAMESPACE,
  keys: payloadKeys,
  workflowTaskTimeoutMs: config.MILLWRIGHT_WORKFLOW_TASK_TIMEOUT_MS,
});
const log = createLogger('bench', 'error');
const starter = createStarter(temporal, log);
const draining = new AbortController();
const app = createApp({
  database,
  temporal,
  catalog: catalogReader(database),
  limits: jobLimits(config),
  sealer: openSealer(config, database.sql),
  payloadKeys,
  ...accessOptions(config),
  temporalUiUrl: undefined,
  start: process.env.BENCH_START === 'later' ? () => undefined : starter.start,
  draining: draining.signal,
  webhookRules: destinationRules(config),
  tail: createTail(database.sql, draining.signal, log),
  registry: new Registry(),
  log,
});
app.post('/bench/insert', async (context) => {
  const body = await context.req.text();
  const [row] = await database.sql.unsafe(
    'INSERT INTO bench_rows (body) VALUES ($1::text::jsonb) RETURNING id, created_at',
    [body],
    { prepare: true },
  );
  return context.json(row, 201);
});
serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => process.send?.({ ready: true, port }));
process.on('disconnect', () => process.exit(0));

import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import postgres, { type Sql } from 'postgres';
import { inject } from 'vitest';
import type { RegionActivities } from '../../activities/types.ts';
import { startApi } from '../../api/server.ts';
import { type Config, readConfig } from '../../src/config/index.ts';
import { runtimeRole } from '../../src/db/rights.ts';
import { createLogger, type Logger } from '../../src/log.ts';
import { startSimulator } from '../../src/providers/simulator/server.ts';
import type { RunningRole } from '../../src/role.ts';
import { openKeyRing } from '../../src/secrets/key-ring.ts';
import { temporalClient } from '../../temporal/client.ts';
import { startControlWorker } from '../../workers/control.ts';
import { startRegionWorker } from '../../workers/region.ts';
import { Api } from './api.ts';
import { createDatabase } from './databases.ts';
import { Simulator } from './simulator.ts';

export interface TestPlatform {
  readonly api: Api;
  readonly simulator: Simulator;
  readonly sql: Sql;
  readonly config: Config;
  readonly control: RunningRole;
  /** Cancels a workflow as one does in the Temporal Web UI. */
  cancel(workflowId: string): Promise<void>;
  /** Ends a workflow at once, as one does there too: nothing of it is undone, and nothing told. */
  terminate(workflowId: string): Promise<void>;
  /** Temporal's own account of this platform. */
  readonly temporal: Client;
  stop(): Promise<void>;
}

interface PlatformOptions {
  readonly regions?: readonly string[];
  /** Without it, accepted jobs stay pending. */
  readonly control?: boolean;
  readonly environment?: Readonly<Record<string, string>>;
  /** Takes the lines that the roles log. */
  readonly log?: Logger;
  readonly wrap?: (activities: RegionActivities) => RegionActivities;
}

/** The whole platform inside a test file's process: its own database, Temporal namespace and simulator; all of it real. */
export async function startTestPlatform(options: PlatformOptions = {}): Promise<TestPlatform> {
  const parts = inject('parts');
  const home = mkdtempSync(join(tmpdir(), 'millwright-file-'));
  for (const shared of ['cache', 'keys', 'operator.token']) symlinkSync(join(parts.home, shared), join(home, shared));
  mkdirSync(join(home, 'data'));
  const log = options.log ?? createLogger('test', process.env.TEST_LOG ?? 'silent');
  const [databaseUrl, simulator] = await Promise.all([
    createDatabase(parts.postgresUrl),
    startSimulator({ port: 0, file: join(home, 'data', 'simulator.sqlite') }, log),
  ]);
  const config = readConfig({
    MILLWRIGHT_HOME: home,
    DATABASE_URL: databaseUrl,
    MILLWRIGHT_DATABASE_ROLE: runtimeRole,
    TEMPORAL_ADDRESS: parts.temporalAddress,
    TEMPORAL_NAMESPACE: `test-${randomUUID()}`,
    TEMPORAL_UI_URL: 'http://127.0.0.1:9',
    MILLWRIGHT_API_PORT: '0',
    MILLWRIGHT_SIMULATOR_URL: simulator.url,
    MILLWRIGHT_STEP_ATTEMPTS: '4',
    MILLWRIGHT_STEP_PAUSE_SECONDS: '0.05',
    MILLWRIGHT_STEP_PAUSE_MAX_SECONDS: '0.2',
    // A machine that is busy with other test files may be slow with a workflow task; that one is lost is tested where it is.
    MILLWRIGHT_WORKFLOW_TASK_TIMEOUT_MS: '30000',
    MILLWRIGHT_PROVIDER_TIMEOUT_MS: '1000',
    MILLWRIGHT_LOST_AFTER_SECONDS: '0.5',
    // A test says when its provider is compared.
    MILLWRIGHT_RECONCILE_SECONDS: '0',
    ...options.environment,
  });
  // The control worker makes the namespace that the others need.
  const control = options.control === false ? idle : await startControlWorker(config, log);
  const api = await startApi(config, log);
  const regions = control === idle ? [] : (options.regions ?? ['tpe-1', 'nrt-1']);
  const workers = await Promise.all(
    regions.map((region) => startRegionWorker(region, options.wrap ? { wrap: options.wrap } : {})(config, log)),
  );
  const sql = postgres(databaseUrl, { max: 2, onnotice: () => undefined });
  const { client, connection } = temporalClient({
    address: parts.temporalAddress,
    namespace: config.TEMPORAL_NAMESPACE,
    keys: openKeyRing(config.payloadKeyFile),
  });
  return {
    api: new Api(`http://127.0.0.1:${api.port}`, readFileSync(join(parts.home, 'operator.token'), 'utf8').trim()),
    simulator: new Simulator(simulator.url),
    sql,
    config,
    control,
    temporal: client,
    cancel: async (workflowId) => {
      await client.workflow.getHandle(workflowId).cancel();
    },
    terminate: async (workflowId) => {
      await client.workflow.getHandle(workflowId).terminate();
    },
    stop: async () => {
      await Promise.all([...workers, control, api].map((role) => role.stop()));
      await simulator.stop();
      await Promise.all([sql.end(), connection.close()]);
      rmSync(home, { recursive: true, force: true });
    },
  };
}

const idle: RunningRole = { ended: Promise.resolve(), stop: async () => undefined };

import { join } from 'node:path';
import { NativeConnection, Worker, type WorkerDeploymentOptions } from '@temporalio/worker';
import { createControlActivities } from '../activities/control/index.ts';
import { type Config, required } from '../src/config/index.ts';
import { openDatabase } from '../src/db/client.ts';
import { workerPatience } from '../src/db/patience.ts';
import type { Logger } from '../src/log.ts';
import { catalogReader } from '../src/requests/catalog.ts';
import { jobLimits } from '../src/requests/limits.ts';
import type { RunningRole } from '../src/role.ts';
import { openKeyRing } from '../src/secrets/key-ring.ts';
import { openSealer } from '../src/secrets/specs.ts';
import { openTelemetry } from '../src/telemetry/listener.ts';
import { version } from '../src/version.ts';
import { webhookOptions } from '../src/webhooks/options.ts';
import { temporalClient } from '../temporal/client.ts';
import { dataConverter } from '../temporal/codec.ts';
import { deploymentName, takeOver } from '../temporal/deployment.ts';
import { controlQueue } from '../temporal/names.ts';
import { ensureNamespace } from '../temporal/namespace.ts';
import { controlIdentity } from '../temporal/workers.ts';
import { startAuditKeeper } from './audit-keeper.ts';
import { startDispatcher } from './dispatcher.ts';
import { startEventRetention } from './event-retention.ts';
import { openGauges } from './gauges.ts';
import { startIncidentWatch } from './incident-watch.ts';
import { startReviver } from './reviver.ts';
import { runWorker } from './run.ts';
import { startSchedules } from './schedules.ts';
import { installRuntime } from './telemetry.ts';
import { startWebhooks } from './webhooks.ts';
import { buildIdOf, workflowBundle } from './workflow-bundle.ts';

/** Workflows, control activities and the dispatcher: the database's side of every job. */
export async function startControlWorker(config: Config, log: Logger): Promise<RunningRole> {
  const sdkMetrics = await installRuntime(log);
  const keys = openKeyRing(config.payloadKeyFile);
  const address = required(config.TEMPORAL_ADDRESS, 'TEMPORAL_ADDRESS');
  const namespace = config.TEMPORAL_NAMESPACE;
  const database = openDatabase(required(config.DATABASE_URL, 'DATABASE_URL'), {
    role: config.MILLWRIGHT_DATABASE_ROLE,
    patience: workerPatience(config),
  });
  const sealer = openSealer(config, database.sql);
  const { client, connection: clientConnection } = temporalClient({
    address,
    namespace,
    keys,
    workflowTaskTimeoutMs: config.MILLWRIGHT_WORKFLOW_TASK_TIMEOUT_MS,
  });
  await clientConnection.ensureConnected();
  await ensureNamespace(clientConnection, namespace);
  const connection = await NativeConnection.connect({ address });
  const catalog = catalogReader(database);
  const telemetry = await openTelemetry(config, log, {
    role: 'control',
    parts: [
      { name: 'database', check: () => database.sql`SELECT 1` },
      { name: 'temporal', check: () => client.workflowService.getSystemInfo({}) },
    ],
    more: sdkMetrics,
  });
  openGauges(telemetry.registry, { sql: database.sql, client, catalog, log });
  const bundle = await workflowBundle(join(config.home, 'cache'), log);
  const build = buildIdOf(bundle);
  const versioned = config.MILLWRIGHT_WORKER_VERSIONING === 'on';
  const worker = await Worker.create({
    connection,
    namespace,
    taskQueue: controlQueue,
    identity: controlIdentity(version, build),
    workflowBundle: bundle,
    ...(versioned ? { workerDeploymentOptions: deploymentOf(build) } : {}),
    activities: {
      ...createControlActivities({
        database,
        catalog,
        limits: jobLimits(config),
        suspectShare: config.MILLWRIGHT_RECONCILE_SUSPECT_SHARE,
        sealer,
        registry: telemetry.registry,
        log,
      }),
    },
    dataConverter: dataConverter(keys),
    // A task for a worker that was killed waits this long before another may take it.
    stickyQueueScheduleToStartTimeout: '2s',
    shutdownGraceTime: '5s',
    shutdownForceTime: '8s',
    maxConcurrentWorkflowTaskExecutions: 40,
    maxConcurrentLocalActivityExecutions: 100,
    enableNonLocalActivities: false,
  });
  const hosting = { sql: database.sql, client, sealer };
  const watches = [
    startDispatcher(hosting, log),
    startReviver(hosting, config.MILLWRIGHT_LOST_AFTER_SECONDS, log),
    startIncidentWatch(database.sql, config, log),
    startAuditKeeper(database.sql, log),
    startWebhooks({ sql: database.sql, sealer, options: webhookOptions(config) }, log),
    startSchedules({ client, catalog, config }, log),
    startEventRetention(database.sql, config.MILLWRIGHT_EVENT_KEEP_DAYS, log),
  ];
  const leaving = new AbortController();
  const running = runWorker(worker, async () => {
    leaving.abort();
    await Promise.all(watches.map((watch) => watch.stop()));
    await Promise.all([database.close(), connection.close(), clientConnection.close(), telemetry.close()]);
  });
  if (versioned) {
    await takeOver(client, build, leaving.signal, log).catch(async (error: unknown) => {
      await running.stop();
      throw error;
    });
  }
  return running;
}

/**
 * A workflow goes on under whichever build is current: pinned to the build that began it, one of ten hours would keep
 * that build's workers running. What makes this safe is that recorded histories replay (test/replay).
 */
const deploymentOf = (buildId: string): WorkerDeploymentOptions => ({
  version: { deploymentName, buildId },
  useWorkerVersioning: true,
  defaultVersioningBehavior: 'AUTO_UPGRADE',
});

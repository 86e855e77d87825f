import { NativeConnection, Worker } from '@temporalio/worker';
import { createRegionActivities, type Drivers } from '../activities/region/index.ts';
import type { RegionActivities } from '../activities/types.ts';
import { type Config, required } from '../src/config/index.ts';
import type { Logger } from '../src/log.ts';
import { openDriver } from '../src/providers/registry.ts';
import type { Driver, DriverSettings } from '../src/providers/types.ts';
import type { StartRole } from '../src/role.ts';
import { openKeyRing } from '../src/secrets/key-ring.ts';
import { openTelemetry } from '../src/telemetry/listener.ts';
import { version } from '../src/version.ts';
import { attemptMetrics } from '../temporal/attempt-metrics.ts';
import { temporalClient } from '../temporal/client.ts';
import { dataConverter } from '../temporal/codec.ts';
import { RegionActivityInterceptor } from '../temporal/interceptors.ts';
import { heartbeatIntervalMs, regionQueue } from '../temporal/names.ts';
import { standingOf } from '../temporal/standing.ts';
import { regionIdentity } from '../temporal/workers.ts';
import { runWorker } from './run.ts';
import { installRuntime } from './telemetry.ts';

interface RegionWorkerOptions {
  /** What the activities are to be wrapped in; tests put faults of the worker itself there. */
  readonly wrap?: (activities: RegionActivities) => RegionActivities;
}

/** The provider's side of every job of one region. It holds the provider's credentials, and has no database. */
export function startRegionWorker(
  region: string,
  { wrap = (activities) => activities }: RegionWorkerOptions = {},
): StartRole {
  return async (config, log) => {
    const sdkMetrics = await installRuntime(log);
    const keys = openKeyRing(config.payloadKeyFile);
    const address = required(config.TEMPORAL_ADDRESS, 'TEMPORAL_ADDRESS');
    const namespace = config.TEMPORAL_NAMESPACE;
    const { client, connection: clientConnection } = temporalClient({ address, namespace, keys });
    const connection = await NativeConnection.connect({ address });
    const { drivers, names, open } = openDrivers(config, region, log);
    const telemetry = await openTelemetry(config, log, {
      role: 'region',
      parts: [
        { name: 'temporal', check: () => client.workflowService.getSystemInfo({}) },
        ...open.map(({ manifest, reachable }) => ({ name: `driver ${manifest.name}`, check: reachable })),
      ],
      more: sdkMetrics,
    });
    const httpRules = { hosts: config.MILLWRIGHT_HTTP_HOSTS, timeoutMs: config.MILLWRIGHT_HTTP_TIMEOUT_MS };
    const measure = attemptMetrics(telemetry.registry);
    const worker = await Worker.create({
      connection,
      namespace,
      taskQueue: regionQueue(region),
      identity: regionIdentity(region, version, names),
      activities: { ...wrap(createRegionActivities(drivers, (info) => standingOf(client, info), httpRules)) },
      dataConverter: dataConverter(keys),
      interceptors: {
        activity: [(context) => ({ inbound: new RegionActivityInterceptor(context, client, log, measure) })],
      },
      shutdownGraceTime: '5s',
      shutdownForceTime: '8s',
      maxHeartbeatThrottleInterval: heartbeatIntervalMs,
      defaultHeartbeatThrottleInterval: heartbeatIntervalMs,
      maxConcurrentActivityTaskExecutions: 1000,
    });
    return runWorker(worker, async () => {
      await Promise.all([connection.close(), clientConnection.close(), telemetry.close()]);
    });
  };
}

/** The drivers that this worker has, and how it names them to operators. */
function openDrivers(
  config: Config,
  region: string,
  log: Logger,
): { drivers: Drivers; names: string[]; open: readonly Driver[] } {
  const simulator = openDriver('simulator', {
    region,
    endpoint: config.MILLWRIGHT_SIMULATOR_URL,
    timeoutMs: config.MILLWRIGHT_PROVIDER_TIMEOUT_MS,
  });
  const open = new Map<string, Driver>([[simulator.manifest.name, simulator]]);
  const redfish = redfishSettings(config);
  if (redfish) {
    open.set(
      'redfish',
      openDriver('redfish', { region, endpoint: '', timeoutMs: config.MILLWRIGHT_PROVIDER_TIMEOUT_MS, redfish }),
    );
  }
  log.info({ region, drivers: [...open.keys()] }, 'drivers are open');
  return {
    drivers: (provider) =>
      open.get(provider) ??
      openDriver(provider, { region, endpoint: '', timeoutMs: config.MILLWRIGHT_PROVIDER_TIMEOUT_MS }),
    open: [...open.values()],
    names: [...open.values()].map(({ manifest }) => `${manifest.name}@${manifest.version}`),
  };
}

function redfishSettings(config: Config): DriverSettings['redfish'] {
  const credentialsFile = config.MILLWRIGHT_REDFISH_CREDENTIALS;
  return credentialsFile ? { credentialsFile, cleaningImage: config.MILLWRIGHT_REDFISH_CLEANING_IMAGE } : undefined;
}

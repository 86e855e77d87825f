import { join, resolve } from 'node:path';
import { controlQueue, regionQueue } from '../../temporal/names.ts';
import { codecSecret } from '../../temporal/payload-keys.ts';
import { childEnvironment } from '../config/environment.ts';
import type { Config, Endpoints } from '../config/index.ts';
import { runtimeRole } from '../db/rights.ts';
import { ensureKeyFile } from '../secrets/key-file.ts';
import { openKeyRing } from '../secrets/key-ring.ts';
import type { Crew } from './crew.ts';
import { chooseMetricsPorts, type Ports } from './ports.ts';
import { postgresService } from './postgres.ts';
import { apiRole, controlRole, migrate, type RoleSettings, regionRole, simulatorRole } from './roles.ts';
import { externalTemporal, temporalService } from './temporal.ts';

interface StartOptions {
  readonly config: Config;
  readonly ports: Ports;
  readonly regions: readonly string[];
  /** Takes the roles' commands. */
  readonly program: string;
  readonly crew: Crew;
  readonly signal: AbortSignal;
  readonly report: (line: string) => void;
}

/** Each part as soon as what it needs is ready. */
export async function startAll(options: StartOptions): Promise<Endpoints> {
  const { config, ports, regions, program, crew, signal, report } = options;
  const { home, TEMPORAL_NAMESPACE: namespace } = config;
  ensureKeyFile(config.payloadKeyFile);
  ensureKeyFile(config.secretKeyFile);
  const endpoints = {
    api: `http://127.0.0.1:${ports.api}`,
    temporal: config.TEMPORAL_ADDRESS || `127.0.0.1:${ports.temporal}`,
    temporalUi: config.TEMPORAL_ADDRESS ? (config.TEMPORAL_UI_URL ?? null) : `http://127.0.0.1:${ports.temporalUi}`,
    simulator: `http://127.0.0.1:${ports.simulator}`,
  };
  const roles = ['api', 'simulator', controlQueue, ...regions.map(regionQueue)];
  const metricsPorts = await chooseMetricsPorts(ports, roles);
  const metrics = Object.fromEntries(
    Object.entries(metricsPorts).map(([role, port]) => [role, `http://${config.MILLWRIGHT_METRICS_HOST}:${port}`]),
  );
  const env = roleEnvironment(config, ports, endpoints);
  const settings: RoleSettings = { home, program, env, metricsPorts };

  const database = async (): Promise<string> => {
    const url = config.DATABASE_URL || (await embeddedPostgres());
    await migrate(settings, url, signal);
    return url;
  };
  const embeddedPostgres = async (): Promise<string> => {
    const service = await postgresService({ home, port: ports.postgres });
    await crew.add('database', service);
    return service.url;
  };
  const temporal = async (): Promise<void> => {
    if (config.TEMPORAL_ADDRESS) return externalTemporal(config.TEMPORAL_ADDRESS, namespace, signal);
    const codecEndpoint = `${endpoints.api}/api/ops/v1/codec/${codecSecret(openKeyRing(config.payloadKeyFile))}`;
    const { temporal: port, temporalUi: uiPort, temporalHttp: httpPort, temporalMetrics: metricsPort } = ports;
    const server = { home, env: settings.env, port, uiPort, httpPort, metricsPort, namespace, codecEndpoint };
    await crew.add('services', await temporalService(server, report));
  };
  const [postgres] = await Promise.all([database(), temporal(), crew.add('services', simulatorRole(settings))]);
  await Promise.all([
    crew.add('roles', apiRole(settings, postgres)),
    crew.add('roles', controlRole(settings, postgres)),
    ...regions.map((region) => crew.add('roles', regionRole(settings, region))),
  ]);
  return { ...endpoints, postgres, metrics };
}

/** What the roles are told of the platform; the database is told of apart, to those that may see it. */
const roleEnvironment = (
  config: Config,
  ports: Ports,
  endpoints: Omit<Endpoints, 'postgres' | 'metrics'>,
): NodeJS.ProcessEnv =>
  childEnvironment({
    DATABASE_URL: undefined,
    MILLWRIGHT_DATABASE_ROLE: config.MILLWRIGHT_DATABASE_ROLE ?? (config.DATABASE_URL ? undefined : runtimeRole),
    MILLWRIGHT_HOME: config.home,
    // What Node compiled once it need not compile again: a third of what starting a role costs.
    NODE_COMPILE_CACHE: join(config.home, 'cache', 'compiled'),
    MILLWRIGHT_PAYLOAD_KEY_FILE: resolve(config.payloadKeyFile),
    MILLWRIGHT_SECRET_KEY_FILE: resolve(config.secretKeyFile),
    MILLWRIGHT_API_PORT: String(ports.api),
    MILLWRIGHT_SIMULATOR_PORT: String(ports.simulator),
    MILLWRIGHT_SIMULATOR_URL: endpoints.simulator,
    TEMPORAL_ADDRESS: endpoints.temporal,
    TEMPORAL_NAMESPACE: config.TEMPORAL_NAMESPACE,
    TEMPORAL_UI_URL: endpoints.temporalUi ?? undefined,
  });

import { appendFileSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { codecSecret, ensurePayloadKeys, readPayloadKeys } from '../../temporal/payload-keys.ts';
import { childEnvironment } from '../config/environment.ts';
import type { Config, Endpoints } from '../config/index.ts';
import { MillwrightError } from '../errors.ts';
import { type Crew, createCrew } from './crew.ts';
import { homePaths, makeHome, writeWhole } from './home.ts';
import { type Identity, identify } from './identity.ts';
import { endLeftovers } from './leftovers.ts';
import { lockHome } from './lock.ts';
import { choosePorts, type Ports } from './ports.ts';
import { postgresService } from './postgres.ts';
import { apiRole, controlRole, migrate, type RoleSettings, regionRole, simulatorRole } from './roles.ts';
import type { PlatformStatus } from './status.ts';
import { externalTemporal, temporalService } from './temporal.ts';

export interface PlatformOptions {
  /** `DATABASE_URL` and `TEMPORAL_ADDRESS` in it take the place of the embedded parts. */
  readonly config: Config;
  /** The first port of the block; 0 picks free ones. The API's port of the configuration by default. */
  readonly port?: number | undefined;
  readonly regions?: readonly string[];
  /** Takes the roles' commands: `cli/main.ts` by default. */
  readonly program?: string;
  /** Calls the start off; what was started is ended. */
  readonly signal?: AbortSignal;
}

export interface Platform {
  readonly endpoints: Endpoints;
  /** The process of a role now: `postgres`, `temporal`, `simulator`, `api`, `control`, `region.<name>`. */
  pidOf(role: string): number | undefined;
  status(): PlatformStatus;
  /** Ends everything in the reverse order of starting. */
  stop(): Promise<void>;
}

const unstoppableMs = 5000;

const mainProgram = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));

/** Starts the whole platform in a home, and keeps it running. `report` is given a line for each thing that happens. */
export async function startPlatform(options: PlatformOptions, report: (line: string) => void): Promise<Platform> {
  const { config } = options;
  const paths = homePaths(config.home);
  makeHome(config.home);
  const lock = lockHome(config.home);
  const note = (line: string) =>
    appendFileSync(paths.supervisorLog, `${new Date().toISOString()} ${line}\n`, { mode: 0o600 });
  const say = (line: string) => {
    note(line);
    report(line);
  };
  try {
    await endLeftovers(config.home, say);
    const ports = await choosePorts(options.port ?? config.MILLWRIGHT_API_PORT, {
      temporal: !config.TEMPORAL_ADDRESS,
      postgres: !config.DATABASE_URL,
    });
    const api = `http://127.0.0.1:${ports.api}`;
    const crew = createCrew({ home: config.home, supervisor: ourselves(), api, report: say });
    const stop = async () => {
      say('the platform is stopping');
      await crew.stop();
      rmSync(paths.endpoints, { force: true });
      say('the platform has stopped');
      lock.release();
    };
    let stopping: Promise<void> | undefined;
    const endpoints = await startOrStop(options, ports, crew, say);
    writeWhole(paths.endpoints, endpoints);
    return {
      endpoints,
      pidOf: (role) => crew.status().roles.find((entry) => entry.role === role)?.process?.pid,
      status: crew.status,
      stop: () => {
        stopping ??= stop();
        return stopping;
      },
    };
  } catch (error) {
    note(`the platform cannot be started: ${error instanceof Error ? error.message : String(error)}`);
    lock.release();
    throw error;
  }
}

/** All or nothing: one part that cannot start, or the caller's signal, ends those that have. */
async function startOrStop(
  options: PlatformOptions,
  ports: Ports,
  crew: Crew,
  say: (line: string) => void,
): Promise<Endpoints> {
  const failed = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, failed.signal]) : failed.signal;
  const calledOff = Promise.withResolvers<never>();
  signal.addEventListener(
    'abort',
    () => calledOff.reject(new MillwrightError('unavailable', 'The start was called off.')),
    { once: true },
  );
  const all = startAll(options, ports, crew, signal, say);
  try {
    return await Promise.race([all, calledOff.promise]);
  } catch (error) {
    failed.abort();
    say('what was started is stopped again');
    await crew.stop();
    // Some steps cannot be called off, and should not be cut short: a database that is being initialised.
    await Promise.race([all.catch(() => {}), pause(unstoppableMs)]);
    throw error;
  }
}

/** Each part as soon as what it needs is ready. */
async function startAll(
  { config, regions = ['tpe-1', 'nrt-1'], program = mainProgram }: PlatformOptions,
  ports: Ports,
  crew: Crew,
  signal: AbortSignal,
  report: (line: string) => void,
): Promise<Endpoints> {
  const { home, TEMPORAL_NAMESPACE: namespace } = config;
  ensurePayloadKeys(config.payloadKeyFile);
  const endpoints = {
    api: `http://127.0.0.1:${ports.api}`,
    temporal: config.TEMPORAL_ADDRESS || `127.0.0.1:${ports.temporal}`,
    temporalUi: config.TEMPORAL_ADDRESS ? (config.TEMPORAL_UI_URL ?? null) : `http://127.0.0.1:${ports.temporalUi}`,
    simulator: `http://127.0.0.1:${ports.simulator}`,
  };
  const settings: RoleSettings = { home, program, env: roleEnvironment(config, ports, endpoints) };

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
    const codecEndpoint = `${endpoints.api}/api/ops/v1/codec/${codecSecret(readPayloadKeys(config.payloadKeyFile))}`;
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
  return { ...endpoints, postgres };
}

/** What the roles are told of the platform; the database is told of apart, to those that may see it. */
const roleEnvironment = (config: Config, ports: Ports, endpoints: Omit<Endpoints, 'postgres'>): NodeJS.ProcessEnv =>
  childEnvironment({
    DATABASE_URL: undefined,
    MILLWRIGHT_HOME: config.home,
    MILLWRIGHT_PAYLOAD_KEY_FILE: resolve(config.payloadKeyFile),
    MILLWRIGHT_API_PORT: String(ports.api),
    MILLWRIGHT_SIMULATOR_PORT: String(ports.simulator),
    MILLWRIGHT_SIMULATOR_URL: endpoints.simulator,
    TEMPORAL_ADDRESS: endpoints.temporal,
    TEMPORAL_NAMESPACE: config.TEMPORAL_NAMESPACE,
    TEMPORAL_UI_URL: endpoints.temporalUi ?? undefined,
  });

function ourselves(): Identity {
  const identity = identify(process.pid);
  if (identity) return identity;
  throw new MillwrightError(
    'internal',
    'This machine does not tell when a process started: neither /proc nor ps does.',
  );
}

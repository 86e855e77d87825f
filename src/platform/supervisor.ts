import { appendFileSync, closeSync, rmSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Config, Endpoints } from '../config/index.ts';
import { MillwrightError } from '../errors.ts';
import { type Crew, createCrew } from './crew.ts';
import { homePaths, makeHome, quietly, writeWhole } from './home.ts';
import { type Identity, identify } from './identity.ts';
import { endLeftovers } from './leftovers.ts';
import { lockHome } from './lock.ts';
import { openLog } from './logs.ts';
import { choosePorts, type Ports } from './ports.ts';
import { startAll } from './start.ts';
import type { PlatformStatus } from './status.ts';

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

/** What cannot be called off gets so long to come to its end. */
const unstoppableMs = 5000;

/** Those that a new platform's catalog has. */
const defaultRegions = ['tpe-1', 'nrt-1'] as const;
const mainProgram = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));

/** Starts the whole platform in a home, and keeps it running. `report` is given a line for each thing that happens. */
export async function startPlatform(options: PlatformOptions, report: (line: string) => void): Promise<Platform> {
  const { config } = options;
  const paths = homePaths(config.home);
  makeHome(config.home);
  const lock = lockHome(config.home);
  closeSync(openLog(paths.supervisorLog));
  const note = (line: string) =>
    quietly(() => appendFileSync(paths.supervisorLog, `${new Date().toISOString()} ${line}\n`));
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
  const { config, regions = defaultRegions, program = mainProgram } = options;
  const all = startAll({ config, ports, regions, program, crew, signal, report: say });
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

function ourselves(): Identity {
  const identity = identify(process.pid);
  if (identity) return identity;
  throw new MillwrightError(
    'internal',
    'This machine does not tell when a process started: neither /proc nor ps does.',
  );
}

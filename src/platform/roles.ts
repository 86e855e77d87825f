import { controlQueue, regionQueue } from '../../temporal/names.ts';
import { MillwrightError } from '../errors.ts';
import { describeExit, type ProcessSpec, startChild } from './child.ts';
import { homePaths } from './home.ts';
import { lastWords } from './logs.ts';
import type { Service } from './service.ts';

const readyTimeoutMs = 60_000;
const migrateTimeoutMs = 600_000;

/** What every role of one platform has in common. */
export interface RoleSettings {
  readonly home: string;
  /** The program that takes a role's command: `cli/main.ts`, or a test's. */
  readonly program: string;
  /** Without the database's address: a role that is to see the database is given that beside. */
  readonly env: NodeJS.ProcessEnv;
  /** Of each role by its name, the port for its metrics. */
  readonly metricsPorts: Readonly<Record<string, number>>;
}

export const simulatorRole = (settings: RoleSettings): Service =>
  role(roleProcess(settings, 'simulator', ['simulator']));

export const apiRole = (settings: RoleSettings, databaseUrl: string): Service =>
  role(roleProcess(settings, 'api', ['api'], databaseUrl));

export const controlRole = (settings: RoleSettings, databaseUrl: string): Service =>
  role(roleProcess(settings, controlQueue, ['worker', 'control'], databaseUrl));

export const regionRole = (settings: RoleSettings, region: string): Service =>
  role(roleProcess(settings, regionQueue(region), ['worker', 'region', '--region', region]));

/** Brings the database to this version's schema: a role that ends by itself, well or with an error. */
export async function migrate(settings: RoleSettings, databaseUrl: string, signal: AbortSignal): Promise<void> {
  const spec = roleProcess(settings, 'migrate', ['migrate'], databaseUrl);
  const limit = AbortSignal.any([signal, AbortSignal.timeout(migrateTimeoutMs)]);
  const child = await startChild(spec);
  const end = () => child.kill('SIGKILL');
  limit.addEventListener('abort', end, { once: true });
  if (limit.aborted) end();
  const exit = await child.exited;
  limit.removeEventListener('abort', end);
  signal.throwIfAborted();
  if (exit.code === 0) return;
  throw new MillwrightError(
    'unavailable',
    `The database cannot be brought to this version's schema: migrate ${describeExit(exit)}.${lastWords(spec.log)}`,
  );
}

const role = (process: ProcessSpec): Service => ({
  process,
  readyTimeoutMs,
  ready: (child) => child.saidReady,
});

function roleProcess(
  { home, program, env, metricsPorts }: RoleSettings,
  name: string,
  command: readonly string[],
  databaseUrl?: string,
): ProcessSpec {
  return {
    name,
    file: process.execPath,
    args: [program, ...command],
    env: {
      ...env,
      MILLWRIGHT_METRICS_PORT: String(metricsPorts[name] ?? 0),
      ...(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl }),
    },
    ipc: true,
    log: homePaths(home).roleLog(name),
    stopSignal: 'SIGTERM',
  };
}

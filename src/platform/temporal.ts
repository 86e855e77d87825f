import { mkdirSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { Connection } from '@temporalio/client';
import { type DevServerOptions, devServerArguments, devServerEnvironment } from '../../temporal/dev-server.ts';
import { ensureNamespace } from '../../temporal/namespace.ts';
import { temporalProgram } from '../../temporal/programs.ts';
import { MillwrightError } from '../errors.ts';
import { writeWhole } from './home.ts';
import type { Service } from './service.ts';
import { until } from './wait.ts';

/** Like PostgreSQL's, with what a crash may leave to be done. */
const timeoutMs = 60_000;

export interface TemporalServiceOptions extends Omit<DevServerOptions, 'databaseFile' | 'environmentFile'> {
  readonly home: string;
  /** Keeps nothing: for tests. */
  readonly inMemory?: boolean | undefined;
  readonly env: NodeJS.ProcessEnv;
  /** Where the Web UI has payloads decoded: a secret, so that it goes through a file and not through the arguments. */
  readonly codecEndpoint?: string | undefined;
}

export interface TemporalService extends Service {
  /** `host:port` of the frontend. */
  readonly address: string;
}

/** Temporal's development server, with its state in the home. `report` is told where its program has to be fetched. */
export async function temporalService(
  options: TemporalServiceOptions,
  report: (line: string) => void = () => {},
): Promise<TemporalService> {
  const { home, inMemory, env, codecEndpoint, ...server } = options;
  const databaseFile = join(home, 'data', 'temporal.db');
  mkdirSync(dirname(databaseFile), { recursive: true, mode: 0o700 });
  const environmentFile = codecEndpoint && join(home, 'run', 'temporal-environment.json');
  if (environmentFile) writeWhole(environmentFile, devServerEnvironment(codecEndpoint));
  const address = `127.0.0.1:${options.port}`;
  return {
    address,
    readyTimeoutMs: timeoutMs,
    process: {
      name: 'temporal',
      file: await temporalProgram(env, report),
      args: devServerArguments({ ...server, environmentFile, databaseFile: inMemory ? undefined : databaseFile }),
      env: { PATH: env.PATH, HOME: home },
      log: join(home, 'logs', 'temporal.log'),
      stopSignal: 'SIGINT',
    },
    ready: (_child, signal) => temporalAnswers(address, options.namespace, { timeoutMs, signal }),
  };
}

/** Resolves when Temporal answers, and has the namespace with our search attributes: both are made where they are missing. */
async function temporalAnswers(
  address: string,
  namespace: string,
  limits: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<void> {
  const wait = { what: `Temporal to answer at ${address}`, ...limits };
  // gRPC pauses for a second after a connection that was refused; a plain one may be tried again at once.
  await until(async () => (await accepts(address)) || undefined, wait);
  await until(async () => {
    const connection = await Connection.connect({ address, connectTimeout: 2000 });
    await ensureNamespace(connection, namespace).finally(() => connection.close());
    return true;
  }, wait);
}

/** Waits for a Temporal that is not ours to start, and therefore not for long. */
export async function externalTemporal(address: string, namespace: string, signal: AbortSignal): Promise<void> {
  try {
    await temporalAnswers(address, namespace, { timeoutMs: 10_000, signal });
  } catch (cause) {
    signal.throwIfAborted();
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new MillwrightError(
      'unavailable',
      `The Temporal that TEMPORAL_ADDRESS names cannot be used: ${why} Correct TEMPORAL_ADDRESS or start that server; without TEMPORAL_ADDRESS, Millwright starts one of its own.`,
      { cause },
    );
  }
}

/** Whether a connection to `host:port` is taken. */
function accepts(address: string): Promise<boolean> {
  const { hostname: host, port } = new URL(`tcp://${address}`);
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(port), timeout: 2000 }, () => answer(true));
    const answer = (accepted: boolean) => {
      socket.destroy();
      resolve(accepted);
    };
    socket.once('error', () => answer(false));
    socket.once('timeout', () => answer(false));
  });
}

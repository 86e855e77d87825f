import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import postgres from 'postgres';
import { databaseUser, type PostgresInstallation, postgresEnvironment, preparePostgres } from './postgres-data.ts';
import type { Service } from './service.ts';
import { until } from './wait.ts';

const databaseName = 'millwright';
/** Recovery after a crash may have much to read. */
const timeoutMs = 60_000;

export interface PostgresOptions {
  readonly home: string;
  readonly port: number;
  /** False for tests: faster, and what was written last is lost when the machine (not the process) fails. */
  readonly durable?: boolean | undefined;
}

export interface PostgresService extends Service {
  readonly url: string;
}

/** Embedded PostgreSQL with its data in the home, reachable from this machine alone and by password alone. */
export async function postgresService({ home, port, durable = true }: PostgresOptions): Promise<PostgresService> {
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const installation = await preparePostgres(home);
  const urlOf = (database: string) =>
    `postgres://${databaseUser}:${installation.password}@127.0.0.1:${port}/${database}`;
  return {
    url: urlOf(databaseName),
    readyTimeoutMs: timeoutMs,
    process: {
      name: 'postgres',
      file: installation.programs.postgres,
      args: serverArguments(installation, port, durable),
      env: postgresEnvironment,
      account: installation.account,
      log: join(home, 'logs', 'postgres.log'),
      // A fast shutdown: clients are disconnected, and everything is written.
      stopSignal: 'SIGINT',
    },
    ready: async (_child, signal) => {
      await until(() => ensureDatabase(urlOf('postgres')), { what: 'PostgreSQL to answer', timeoutMs, signal });
    },
  };
}

function serverArguments(installation: PostgresInstallation, port: number, durable: boolean): string[] {
  const settings: Readonly<Record<string, string | number>> = {
    listen_addresses: '127.0.0.1',
    port,
    // The path of a home may be longer than the 107 bytes that a socket's may have.
    unix_socket_directories: '',
    max_connections: 200,
    shared_buffers: '128MB',
    timezone: 'UTC',
    log_timezone: 'UTC',
    log_destination: 'stderr',
    logging_collector: 'off',
    ...(durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
  };
  return [
    '-D',
    installation.dataDirectory,
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ];
}

/** Throws while the server does not answer. */
async function ensureDatabase(url: string): Promise<true> {
  const sql = postgres(url, { max: 1, connect_timeout: 5, onnotice: () => {} });
  try {
    const found = await sql`select 1 from pg_database where datname = ${databaseName}`;
    if (found.length === 0) await sql`create database ${sql(databaseName)}`;
    return true;
  } finally {
    await sql.end({ timeout: 1 });
  }
}

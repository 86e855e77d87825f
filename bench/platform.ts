import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import postgres, { type Sql } from 'postgres';
import { type Config, readConfig } from '../src/config/index.ts';
import { migrate } from '../src/db/migrate.ts';
import { runtimeRole } from '../src/db/rights.ts';
import { createLogger } from '../src/log.ts';
import { startPostgres, startTemporal } from '../src/platform/parts.ts';
import { startSimulator } from '../src/providers/simulator/server.ts';
import { ensureKeyFile } from '../src/secrets/key-file.ts';

export interface BenchPlatform {
  readonly url: string;
  readonly token: string;
  readonly sql: Sql;
  readonly config: Config;
  /** Starts a role as a process of its own. */
  role(...command: string[]): Promise<void>;
  stop(): Promise<void>;
}

const file = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

/** A platform on embedded parts, each role a process of its own as in production. */
export async function startBenchPlatform(environment: Readonly<Record<string, string>> = {}): Promise<BenchPlatform> {
  const home = mkdtempSync(join(tmpdir(), 'millwright-bench-'));
  const log = createLogger('bench', 'error');
  for (const file of ['payload.keys', 'secret.keys']) ensureKeyFile(join(home, 'keys', file));
  const [database, temporal] = await Promise.all([startPostgres(), startTemporal()]);
  const simulator = await startSimulator({ port: 0, file: join(home, 'simulator.sqlite') }, log);
  await migrate(database.url, home, log);
  const sql = postgres(database.url, { max: 4, onnotice: () => undefined });
  // The peer's table: the API's role may fill it, and not make it.
  await sql`CREATE TABLE bench_rows (id uuid PRIMARY KEY DEFAULT uuidv7(), body jsonb NOT NULL, created_at timestamptz NOT NULL DEFAULT now())`;
  await sql.unsafe(`GRANT ALL ON bench_rows TO ${runtimeRole}`);
  const settings = {
    MILLWRIGHT_DATABASE_ROLE: runtimeRole,
    MILLWRIGHT_HOME: home,
    MILLWRIGHT_LOG_LEVEL: 'error',
    DATABASE_URL: database.url,
    TEMPORAL_ADDRESS: temporal.url,
    MILLWRIGHT_SIMULATOR_URL: simulator.url,
  };
  const env = { ...process.env, ...settings, ...environment };
  const children: ChildProcess[] = [];
  async function start(program: string, command: readonly string[]): Promise<{ port?: number }> {
    const child = fork(file(program), [...command], { env, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    children.push(child);
    const [message] = await once(child, 'message');
    return message;
  }
  const { port } = await start('./server.ts', []);
  return {
    url: `http://127.0.0.1:${port}`,
    token: readFileSync(join(home, 'operator.token'), 'utf8').trim(),
    sql,
    config: readConfig(settings),
    role: async (...command) => {
      await start('../cli/main.ts', command);
    },
    stop: async () => {
      await sql.end();
      for (const child of children) child.disconnect();
      await Promise.all(children.map((child) => child.exitCode ?? once(child, 'exit')));
      await Promise.all([simulator.stop(), temporal.stop(), database.stop()]);
      rmSync(home, { recursive: true, force: true });
    },
  };
}

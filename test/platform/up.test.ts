import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import postgres from 'postgres';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readConfig, readEndpoints } from '../../src/config/index.ts';
import { down } from '../../src/platform/down.ts';
import { identify, isAlive } from '../../src/platform/identity.ts';
import { removeHome } from '../../src/platform/postgres-data.ts';
import { readStatus, status } from '../../src/platform/status.ts';
import { type Platform, type PlatformOptions, startPlatform } from '../../src/platform/supervisor.ts';
import { until } from '../harness/until.ts';
import { startSupervisor } from './supervisor-process.ts';

const stubRole = fileURLToPath(new URL('stub-role.mjs', import.meta.url));

let home: string;
let reports: string[];
let platform: Platform | undefined;

function newHome(): void {
  home = mkdtempSync(join(tmpdir(), 'millwright-up-'));
  reports = [];
}

async function end(): Promise<void> {
  await platform?.stop();
  platform = undefined;
  // Also when a test has failed between killing a supervisor and looking for what that left.
  await down(home, () => {});
  removeHome(home);
}

/** Embedded PostgreSQL and Temporal for real, the roles as stubs. */
async function up(options: Partial<PlatformOptions> = {}): Promise<Platform> {
  const config = readConfig({ MILLWRIGHT_HOME: home });
  platform = await startPlatform({ config, port: 0, program: stubRole, ...options }, (line) => reports.push(line));
  return platform;
}

function running(): Platform {
  if (!platform) throw new Error('no platform runs');
  return platform;
}

const log = (role: string) => readFileSync(join(home, 'logs', `${role}.log`), 'utf8');

/** What the stubs are to do: `die <command>`. */
function wish(what: string): void {
  mkdirSync(join(home, 'run'), { recursive: true });
  writeFileSync(join(home, 'run', 'wish'), what);
}

async function onDatabase<Row>(url: string, run: (sql: postgres.Sql) => Promise<Row>): Promise<Row> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  return run(sql).finally(() => sql.end());
}

async function workflowIds(address: string): Promise<string[]> {
  const connection = await Connection.connect({ address });
  try {
    const { workflow } = new Client({ connection, namespace: 'millwright' });
    return (await Array.fromAsync(workflow.list())).map(({ workflowId }) => workflowId);
  } finally {
    await connection.close();
  }
}

describe('a platform', () => {
  beforeAll(async () => {
    newHome();
    await up();
  });
  afterAll(end);

  test('up starts everything, each after what it needs, and writes where it is for its owner alone', () => {
    expect(readEndpoints(home)).toEqual(platform?.endpoints);
    expect(statSync(join(home, 'endpoints.json')).mode & 0o777).toBe(0o600);
    expect(statSync(join(home, 'data')).mode & 0o777).toBe(0o700);
    const roles = status(home)?.roles ?? [];
    expect(roles.every(({ state }) => state === 'running')).toBe(true);
    expect(roles.map(({ role }) => role)).toEqual([
      'postgres',
      ...['simulator', 'temporal'].toSorted(
        (a, b) => reports.indexOf(`${a} is ready`) - reports.indexOf(`${b} is ready`),
      ),
      'api',
      'control',
      'region.tpe-1',
      'region.nrt-1',
    ]);
  });

  test('only the roles of the database are told where it is', () => {
    for (const role of ['migrate', 'api', 'control']) expect(log(role)).toContain('it sees the database');
    for (const role of ['simulator', 'region.tpe-1']) expect(log(role)).toContain('it does not see the database');
  });

  test('PostgreSQL that is killed comes back on its port with what was committed', async () => {
    const { endpoints, pidOf } = running();
    const killed = pidOf('postgres') ?? 0;
    await onDatabase(endpoints.postgres, (sql) => sql`create table kept as select 42 as answer`);
    process.kill(killed, 'SIGKILL');
    await until('PostgreSQL to be ready again', async () => reports.includes('postgres is ready again'));
    expect(pidOf('postgres')).not.toBe(killed);
    const rows = await onDatabase(endpoints.postgres, (sql) => sql`select answer from kept`);
    expect(rows).toEqual([{ answer: 42 }]);
  });

  test('Temporal that is killed comes back on its port with its workflows', async () => {
    const { endpoints, pidOf } = running();
    const connection = await Connection.connect({ address: endpoints.temporal });
    const client = new Client({ connection, namespace: 'millwright' });
    await client.workflow.start('anything', { workflowId: 'kept', taskQueue: 'nobody' });
    await connection.close();
    process.kill(pidOf('temporal') ?? 0, 'SIGKILL');
    await until('Temporal to be ready again', async () => reports.includes('temporal is ready again'));
    await until('the workflow to be listed', async () => (await workflowIds(endpoints.temporal)).includes('kept'));
  });

  test("Temporal's Web UI has payloads decoded by the API, at an address that only the key gives", async () => {
    const { endpoints } = running();
    const settings = await (await fetch(`${endpoints.temporalUi}/api/v1/settings`)).json();
    expect(settings).toMatchObject({
      Codec: { Endpoint: expect.stringMatching(`^${endpoints.api}/api/ops/v1/codec/[\\w-]{43}$`) },
      DisableNewsFetch: true,
    });
  });
});

describe('a home', () => {
  beforeEach(newHome);
  afterEach(end);

  test('starts again with what it held, once all has ended', async () => {
    const { endpoints, pidOf, stop } = await up();
    await onDatabase(endpoints.postgres, (sql) => sql`create table kept as select 42 as answer`);
    const processes = (readStatus(home)?.roles ?? []).map(({ process }) => process);
    await stop();
    expect(processes).toHaveLength(7);
    expect(processes.filter((process) => process && isAlive(process))).toEqual([]);
    expect(pidOf('postgres')).toBeUndefined();
    expect([status(home), readEndpoints(home)]).toEqual([undefined, undefined]);
    expect(reports.at(-1)).toBe('the platform has stopped');
    const again = await up();
    const rows = await onDatabase(again.endpoints.postgres, (sql) => sql`select answer from kept`);
    expect(rows).toEqual([{ answer: 42 }]);
  });

  test('a migration that fails ends the start with its last words, and nothing is left running', async () => {
    wish('die migrate');
    await expect(up()).rejects.toThrow(
      /migrate exited with code 7\. Its last lines:.*migrate cannot go on\nIts log: .*migrate\.log/s,
    );
    expect(readStatus(home)).toBeUndefined();
  });

  test('a start that is called off leaves nothing running', async () => {
    const calledOff = new AbortController();
    const start = up({ signal: calledOff.signal });
    await until('the first process', async () => readStatus(home)?.roles.some(({ process }) => process));
    const processes = (readStatus(home)?.roles ?? []).map(({ process }) => process);
    calledOff.abort();
    await expect(start).rejects.toThrow('The start was called off.');
    expect(processes.filter((process) => process && isAlive(process))).toEqual([]);
  });

  test('a supervisor that is killed leaves nothing that the next one does not end', async () => {
    const supervisor = await startSupervisor(home, stubRole);
    const left = readStatus(home)?.roles.map(({ process }) => process) ?? [];
    supervisor.kill('SIGKILL');
    await until('the supervisor to be gone', async () => !identify(supervisor.pid ?? 0));
    expect(status(home)).toBeUndefined();
    await up();
    expect(left.length).toBe(7);
    expect(left.filter((process) => process && isAlive(process))).toEqual([]);
    expect(reports.some((line) => /^postgres \(pid \d+\) was left by a supervisor/.test(line))).toBe(true);
  });

  test('down stops a platform, ends what a killed supervisor left, and says when nothing runs', async () => {
    await expect(down(home, () => {})).resolves.toBe(false);
    await startSupervisor(home, stubRole);
    await expect(up()).rejects.toThrow('is already running with pid');
    await expect(down(home, () => {})).resolves.toBe(true);
    const killed = await startSupervisor(home, stubRole);
    const temporal = readStatus(home)?.roles.find(({ role }) => role === 'temporal')?.process;
    killed.kill('SIGKILL');
    await expect(down(home, () => {})).resolves.toBe(true);
    expect(temporal && isAlive(temporal)).toBe(false);
    expect(existsSync(join(home, 'run', 'status.json'))).toBe(false);
    await expect(down(home, () => {})).resolves.toBe(false);
  });

  test('data that a deleted home has left is not taken for that of a new one', async () => {
    const first = await up();
    await onDatabase(first.endpoints.postgres, (sql) => sql`create table old ()`);
    await first.stop();
    rmSync(home, { recursive: true });
    const second = await up();
    await expect(onDatabase(second.endpoints.postgres, (sql) => sql`select from old`)).rejects.toThrow(
      'does not exist',
    );
  });
});

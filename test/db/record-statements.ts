import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import postgres from 'postgres';
import { readConfig } from '../../src/config/index.ts';
import { createLogger } from '../../src/log.ts';
import { startPostgres, startTemporal } from '../../src/platform/parts.ts';
import { startSimulator } from '../../src/providers/simulator/server.ts';
import { ensureKeyFile } from '../../src/secrets/key-file.ts';
import { Api } from '../harness/api.ts';
import { runOn } from '../harness/databases.ts';
import { killNow, startRoleProcess } from '../harness/role-process.ts';
import { Simulator } from '../harness/simulator.ts';
import { readEvents } from '../harness/sse.ts';
import { until } from '../harness/until.ts';
import { startStatementProxy } from './statement-proxy.ts';
import { fileOfRelease, replay, restore, type StatementRecord } from './statements.ts';

/** A read changes nothing, and a run asks the same again and again while it waits. */
const mostReads = 8;

/**
 * Records what a release asks of its database, for `migrations.test.ts`: `npm run statements -- <release> [its tree]`, the
 * tree being that of this file where none is given. To be run when a release is made; one that is there is never written over.
 */
const [release, given] = process.argv.slice(2);
if (!release) throw new Error('Name the release: npm run statements -- <release> [its tree]');
if (existsSync(fileOfRelease(release)))
  throw new Error(`The release ${release} is recorded already, and stays as it is.`);
const tree = given ? resolve(given) : fileURLToPath(new URL('../..', import.meta.url));
const program = join(tree, 'cli/main.ts');
const home = mkdtempSync(join(tmpdir(), 'millwright-statements-'));
for (const file of ['payload.keys', 'secret.keys']) ensureKeyFile(join(home, 'keys', file));
const [database, temporal] = await Promise.all([startPostgres(), startTemporal()]);
const { hostname: host, port, username, password } = new URL(database.url);
const proxy = await startStatementProxy({ host, port: Number(port) });
const simulated = await startSimulator(
  { port: 0, file: join(home, 'simulator.sqlite') },
  createLogger('record', 'error'),
);
const simulator = new Simulator(simulated.url);
const settings = {
  MILLWRIGHT_HOME: home,
  MILLWRIGHT_LOG_LEVEL: 'error',
  TEMPORAL_ADDRESS: temporal.url,
  MILLWRIGHT_SIMULATOR_URL: simulated.url,
  MILLWRIGHT_STEP_ATTEMPTS: '3',
  MILLWRIGHT_STEP_PAUSE_SECONDS: '0.05',
};
const migrate = (url: string) =>
  promisify(execFile)(process.execPath, [program, 'migrate'], {
    env: { ...process.env, ...settings, DATABASE_URL: url },
  });
const sql = postgres(database.url, { max: 2, onnotice: () => undefined });
const config = readConfig({
  ...settings,
  DATABASE_URL: `postgres://${username}:${password}@127.0.0.1:${proxy.port}/postgres`,
});

try {
  await migrate(database.url);
  const rows = await allRows();
  await migrate(config.DATABASE_URL ?? '');
  const roles = [
    await startRoleProcess({ ...config, MILLWRIGHT_API_PORT: 7499 }, ['api'], program),
    await startRoleProcess(config, ['worker', 'control'], program),
    ...(await Promise.all(
      ['tpe-1', 'nrt-1'].map((region) => startRoleProcess(config, ['worker', 'region', '--region', region], program)),
    )),
  ];
  try {
    await useEverything(new Api('http://127.0.0.1:7499', readFileSync(join(home, 'operator.token'), 'utf8').trim()));
  } finally {
    await Promise.all(roles.map(killNow));
  }
  const record = await onOwnSchema(rows);
  writeFileSync(fileOfRelease(release), `${JSON.stringify(record)}\n`);
  console.error(`recorded ${record.calls.length} calls of ${record.texts.length} statements`);
} finally {
  await sql.end();
  await proxy.stop();
  await Promise.all([simulated.stop(), temporal.stop(), database.stop()]);
  rmSync(home, { recursive: true, force: true });
}

/** In an order in which what is referred to comes first. */
async function allRows(): Promise<StatementRecord['rows']> {
  const tables = ['regions', 'flavors', 'images', 'organizations', 'projects', 'quotas'];
  const others = await sql<{ name: string }[]>`
    SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' AND NOT tablename = ANY(${tables}) ORDER BY 1`;
  const rows: StatementRecord['rows'] = {};
  for (const name of [...tables, ...others.map((table) => table.name)]) {
    const content = await sql.unsafe<{ row: unknown }[]>(`SELECT to_jsonb(t) AS row FROM ${name} t`);
    if (content.length > 0) rows[name] = content.map(({ row }) => row);
  }
  return rows;
}

/** Every kind of request, and every end that a job may have. */
async function useEverything(api: Api): Promise<void> {
  const at = { region: 'tpe-1' };
  const vm = (name: string, more: object = {}) => ({ name, ...at, flavor: 'small', image: 'debian-13', ...more });
  const key = { 'idempotency-key': 'statements' };
  await api.done('POST', '/networks', { name: 'net', ...at, cidr: '10.0.0.0/24' });
  await api.done('POST', '/volumes', { name: 'vol', ...at, sizeGib: 1 }, key);
  await api.tenant('POST', '/volumes', { name: 'vol', ...at, sizeGib: 1 }, key);
  await api.done('POST', '/vms', vm('vm', { networks: ['net'], volumes: ['vol'], userData: 'secret' }));
  await api.done('POST', '/vms', vm('lonely'));
  for (const refused of ['/networks/net', '/volumes/none']) await api.tenant('DELETE', refused);
  await api.tenant('POST', '/vms', vm('vm'));
  await simulator.fault({ effect: 'permanent', operation: 'vm.create', name: 'refused' });
  await api.done('POST', '/vms', vm('refused'));
  await simulator.fault({ effect: 'transient', operation: 'vm.create', name: 'retried', times: 1 });
  const retried = await api.done('POST', '/vms', vm('retried'));
  await simulator.fault({ effect: 'accept-then-drop', operation: 'vm.create', name: 'held' });
  for (const operation of ['vm.get', 'vm.delete'])
    await simulator.fault({ effect: 'permanent', operation, name: 'held' });
  const { body } = await api.tenant('POST', '/vms', vm('held'));
  const held = await api.jobWhen(body.job.id, ({ state }) => state === 'HELD', 60_000);
  await simulator.clearFaults();
  await api.tenant('POST', `/jobs/${held.id}/settle`, { action: 'retry', reason: 'mended' });
  await api.jobWhen(held.id);

  const file = readFileSync(join(tree, 'examples/web-shop.yaml'), 'utf8');
  await simulator.fault({ effect: 'permanent', operation: 'vm.create', name: 'lb-nrt' });
  for (let round = 1; round <= 3; round += 1) {
    const answer = await api.tenant('POST', '/batches', file);
    await api.jobWhen(answer.body.job.id, undefined, 60_000);
    await simulator.clearFaults();
  }
  for (const name of ['vms/vm', 'volumes/vol', 'networks/net']) await api.done('DELETE', `/${name}`);
  const lists = ['vms', 'networks', 'volumes', 'jobs', 'batches'];
  for (const list of lists) {
    const page = await api.tenant('GET', `/${list}?limit=2`);
    await api.tenant('GET', `/${list}?limit=2&cursor=${page.body.nextCursor}`);
    await api.tenant('GET', `/${list}/${page.body.items[0].id}`);
  }
  await api.tenant('GET', `/jobs?state=SUCCEEDED&resource=${retried.resource.id}`);
  await readEvents(api, `/api/tenant/v1/jobs/${retried.id}/events`);
  for (const path of ['/api/ops/v1/regions', '/api/ops/v1/workers', '/api/common/v1/ready']) await api.get(path);
  const looks = proxy.sent.length;
  await until('the dispatcher to have looked', async () => proxy.sent.length > looks + 1);
}

/** The record, each call with the rows it gives on the schema that it was written for. */
async function onOwnSchema(rows: StatementRecord['rows']): Promise<StatementRecord> {
  const texts: string[] = [];
  const reads = new Map<string, number>();
  const names = new Map<number, string>([[0, 'unknown']]);
  const calls = [];
  for (const { text, types, parameters } of proxy.sent) {
    if (/^\s*(begin|commit|rollback|savepoint|release|listen|select b\.oid)/i.test(text)) continue;
    for (const oid of types) {
      const [row] = await sql<{ name: string }[]>`SELECT ${oid}::oid::regtype::text AS name`;
      if (oid !== 0) names.set(oid, row?.name ?? 'unknown');
    }
    if (!texts.includes(text)) texts.push(text);
    const asked = (reads.get(text) ?? 0) + 1;
    reads.set(text, asked);
    if (/^\s*select/i.test(text) && asked > mostReads) continue;
    calls.push({
      text: texts.indexOf(text),
      types: types.map((oid) => names.get(oid) ?? 'unknown'),
      parameters: [...parameters],
    });
  }
  await runOn(database.url, 'CREATE DATABASE own');
  const url = database.url.replace(/\/[^/]*$/, '/own');
  const migrations = readdirSync(join(tree, 'drizzle')).filter((name) => name.endsWith('.sql')).length;
  await migrate(url);
  const own = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    const tables = await own<{ name: string }[]>`SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'`;
    // The audit log lets nobody empty it, but for one who puts back a copy.
    await own.unsafe(`SET session_replication_role = replica`);
    await own.unsafe(`TRUNCATE ${tables.map(({ name }) => name).join(', ')} CASCADE`);
    await own.unsafe(`RESET session_replication_role`);
    await restore(own, rows);
    const outcomes = await replay(own, { texts }, calls);
    const sound = calls.flatMap((call, index) => {
      const count = outcomes[index];
      return typeof count === 'number' ? [{ ...call, count }] : [];
    });
    return { migrations, rows, texts, calls: sound };
  } finally {
    await own.end();
  }
}

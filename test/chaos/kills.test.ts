import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readConfig } from '../../src/config/index.ts';
import { removeHome } from '../../src/platform/postgres-data.ts';
import { type Platform, startPlatform } from '../../src/platform/supervisor.ts';
import { Api } from '../harness/api.ts';
import { expectConsistent } from '../harness/consistency.ts';
import { Simulator } from '../harness/simulator.ts';
import { until } from '../harness/until.ts';

let platform: Platform;
let api: Api;
let simulator: Simulator;
let sql: Sql;
const home = mkdtempSync(join(tmpdir(), 'millwright-chaos-'));
const said: string[] = [];

beforeAll(async () => {
  const config = readConfig({ PATH: process.env.PATH, MILLWRIGHT_HOME: home });
  platform = await startPlatform({ config, port: 0 }, (line) => said.push(line));
  api = new Api(platform.endpoints.api, readFileSync(join(home, 'operator.token'), 'utf8').trim());
  simulator = new Simulator(platform.endpoints.simulator);
  sql = postgres(platform.endpoints.postgres, { max: 2, onnotice: () => undefined });
  await simulator.settings({ latencyMs: { 'vm.create': 1500, 'volume.create': 700, 'network.create': 400 } });
});
afterAll(async () => {
  await sql?.end();
  await platform?.stop();
  removeHome(home);
});

/** What cannot be asked while a process is away is asked again. */
const patiently = <Value>(
  what: string,
  ask: () => Promise<Value | undefined | false>,
  deadlineMs = 60_000,
): Promise<Value> => until(what, () => ask().catch(() => undefined), deadlineMs);

/** Kills a role and waits until the supervisor has another one of it, that works. */
async function kill(role: string): Promise<void> {
  const pid = platform.pidOf(role);
  if (pid === undefined) throw new Error(`${role} does not run`);
  process.kill(pid, 'SIGKILL');
  // One that is only about to start dies of another's death, and is one more that was started again.
  await until(`${role} to be back`, async () => {
    const now = platform.status().roles.find((entry) => entry.role === role);
    return now?.state === 'running' && now.process?.pid !== pid;
  });
}

const done = async (): Promise<number> =>
  Number((await sql`SELECT count(*) FROM batch_operations WHERE state = 'SUCCEEDED'`)[0]?.count);

test('a batch during which every process is killed builds each thing once', async () => {
  const file = readFileSync(new URL('../../examples/web-shop.yaml', import.meta.url), 'utf8');
  const { status, body } = await api.tenant('POST', '/batches', file, { 'idempotency-key': 'chaos' });
  expect(status).toBe(202);
  const total = body.resource.operations.length;
  // Each is killed at another stage of the batch.
  const victims = ['region.tpe-1', 'control', 'api', 'temporal', 'postgres', 'region.nrt-1'];
  for (const [index, victim] of victims.entries()) {
    await patiently(`${index + 1} operations done`, async () => (await done()) > index);
    await kill(victim);
  }
  const job = await patiently(
    'the batch to end',
    async () => {
      const now = await api.job(body.job.id);
      return now.endedAt !== null && now;
    },
    180_000,
  );
  expect(job).toMatchObject({ state: 'SUCCEEDED', error: null });
  const { body: batch } = await patiently('the batch', () => api.tenant('GET', '/batches/web-shop'));
  expect(batch.counts).toEqual({ SUCCEEDED: total });
  const names = await simulator.names();
  expect(names).toHaveLength(total);
  expect(new Set(names).size).toBe(total);
  await expectConsistent({ sql, simulator });
  for (const victim of victims)
    expect(platform.status().roles.find(({ role }) => role === victim)?.restarts, said.join('\n')).toBe(1);

  // The same request again, as by a user whose answer was lost: nothing happens twice.
  const again = await api.tenant('POST', '/batches', file, { 'idempotency-key': 'chaos' });
  expect(again.body.job.id).toBe(body.job.id);
  const anew = await api.tenant('POST', '/batches', file);
  expect(anew.body.resource.counts).toEqual({ UNCHANGED: total });
});

test('creates that are asked for while the API is killed again and again each come about once', async () => {
  const ask = (index: number) =>
    patiently(`create ${index} to be answered`, async () => {
      const answer = await api.tenant(
        'POST',
        '/volumes',
        { name: `stubborn-${index}`, region: 'nrt-1', sizeGib: 1 },
        { 'idempotency-key': `stubborn-${index}` },
      );
      return answer.status === 202 && (answer.body.job.id as string);
    });
  const asked = Promise.all(Array.from({ length: 40 }, (_, index) => ask(index)));
  for (const _round of [1, 2, 3]) await kill('api');
  const jobs = await asked;
  await Promise.all(
    jobs.map((id) => patiently(`job ${id}`, async () => (await api.job(id)).state === 'SUCCEEDED', 60_000)),
  );
  expect((await simulator.names()).filter((name) => name.includes('stubborn'))).toHaveLength(40);
  await expectConsistent({ sql, simulator });
});

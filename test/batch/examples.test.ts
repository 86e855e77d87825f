import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Plan } from '../../src/domain/plan.ts';
import { expectConsistent } from '../harness/consistency.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { until } from '../harness/until.ts';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform();
});
afterAll(() => platform.stop());

type Variables = Readonly<Record<string, string>>;
const examples = new URL('../../examples/', import.meta.url);
const read = (name: string): string => readFileSync(new URL(`${name}.yaml`, examples), 'utf8');

/** Sends an example with all others beside it, as the command line sends what a file names. */
async function send(path: string, name: string, variables: Variables) {
  const form = new FormData();
  form.append('file', new Blob([read(name)]), `${name}.yaml`);
  form.append('variables', JSON.stringify(variables));
  if (read(name).includes('file: site.yaml')) form.append('include', new Blob([read('site')]), 'site.yaml');
  return await platform.api.tenant('POST', path, form);
}

async function plan(name: string, variables: Variables = {}): Promise<Plan> {
  const { status, body } = await send('/batches?dryRun=true', name, variables);
  expect({ status, detail: body.detail }).toEqual({ status: 200, detail: undefined });
  return body;
}

/** Applies an example; approves (or rejects) what it asks. Gives its id and its job when that has ended. */
async function apply(name: string, variables: Variables = {}, answer: 'approve' | 'reject' = 'approve') {
  expect(await send('/batches/validate', name, variables)).toMatchObject({ status: 200 });
  const { status, body } = await send('/batches', name, variables);
  expect({ status, detail: body.detail }).toEqual({ status: 202, detail: undefined });
  const { id } = body.resource;
  const job = await until(`${name} to end`, async () => {
    const { body: batch } = await platform.api.tenant('GET', `/batches/${id}`);
    const asking = batch.operations.filter((one: { state: string }) => one.state === 'WAITING');
    for (const { id: operation } of asking)
      await platform.api.tenant('POST', `/batches/${id}/operations/${operation}/${answer}`, {
        reason: 'the test says so',
      });
    return batch.endedAt !== null && platform.api.job(batch.jobId);
  });
  return { id: String(id), job };
}

/** Applies an example that comes about, after which it has nothing to do. */
async function comesTrue(name: string, variables: Variables = {}): Promise<string> {
  const { id, job } = await apply(name, variables);
  expect(job).toMatchObject({ state: 'SUCCEEDED', error: null });
  const { counts, operations } = await plan(name, variables);
  expect(counts).toMatchObject({ create: 0, change: 0, replace: 0, delete: 0, run: 0, none: operations.length });
  await expectConsistent(platform);
  return id;
}

const namesLike = async (pattern: RegExp): Promise<string[]> =>
  (await platform.simulator.inventory())
    .map(({ name }) => name)
    .filter((name) => pattern.test(name))
    .toSorted();

test('every example is run here, in the demo, or in rack.test.ts', () => {
  const files = readdirSync(examples).map((file) => file.replace(/\.yaml$/, ''));
  const run = [
    'blue-green',
    'cluster',
    'database',
    'move-region',
    'rack',
    'rolling-replacement',
    'site',
    'two-regions',
    'web-shop',
  ];
  expect(files.toSorted()).toEqual(run);
  for (const name of run)
    expect(read(name)).toMatch(/^# yaml-language-server: \$schema=\.\.\/docs\/batch\.schema\.json\n# /);
});

test('two-regions: a site of three tiers in each; with more web servers, these alone are built', async () => {
  await comesTrue('two-regions');
  expect(await namesLike(/^shop-/)).toHaveLength(14);
  const { counts, operations } = await plan('two-regions', { web: '4' });
  expect(counts).toMatchObject({ create: 4, change: 0, replace: 0, delete: 0 });
  const created = operations.filter(({ action }) => action === 'create').map(({ id }) => id);
  expect(created).toEqual(['site/tpe-1/web/3', 'site/tpe-1/web/4', 'site/nrt-1/web/3', 'site/nrt-1/web/4']);
});

test('blue-green: the other colour takes over once it is approved; rejected, it goes and the old one stays', async () => {
  const blue = ['web-blue-1', 'web-blue-2', 'web-blue-3', 'web-front'];
  await comesTrue('blue-green', { release: '1' });
  expect(await namesLike(/^web-/)).toEqual(blue);
  const green = { live: 'green', idle: 'blue', release: '2' };
  const rejected = await apply('blue-green', green, 'reject');
  expect(rejected.job).toMatchObject({ state: 'FAILED', rollback: 'complete' });
  expect(await namesLike(/^web-/)).toEqual(blue);
  await comesTrue('blue-green', green);
  expect(await namesLike(/^web-/)).toEqual(['web-front', 'web-green-1', 'web-green-2', 'web-green-3']);
});

test('blue-green: given the same colour twice, it deletes nothing of it', async () => {
  const { job } = await apply('blue-green', { live: 'green', idle: 'green', release: '2' });
  expect(job).toMatchObject({ state: 'SUCCEEDED' });
  expect(await namesLike(/^web-green/)).toHaveLength(3);
});

test('cluster: killed while its machines are made, it is there with eight machines all the same', async () => {
  const { api, simulator } = platform;
  await simulator.fault({ effect: 'hang', operation: 'vm.create', name: 'kube-worker-4', times: 1 });
  const { body } = await send('/batches', 'cluster', {});
  await until('the other machines', async () => (await namesLike(/^kube-(cp|worker)-/)).length === 7);
  await platform.terminate(body.job.workflowId);
  expect(await api.jobWhen(body.job.id, undefined, 60_000)).toMatchObject({ state: 'SUCCEEDED', error: null });
  expect(await namesLike(/^kube-/)).toHaveLength(11);
  const jobs = await platform.sql`SELECT FROM jobs WHERE type = 'vm.create' AND resource_name LIKE 'kube-%'`;
  expect(jobs).toHaveLength(8);
  await comesTrue('cluster');
});

test('database: its replicas come one after the other, and nothing may delete what they hold', async () => {
  const id = await comesTrue('database');
  const { body } = await platform.api.tenant('GET', `/batches/${id}`);
  const replicas: { startedAt: string; endedAt: string }[] = body.operations
    .filter((one: { id: string }) => one.id.startsWith('replica/'))
    .toSorted((one: { startedAt: string }, other: { startedAt: string }) => (one.startedAt < other.startedAt ? -1 : 1));
  expect(replicas).toHaveLength(3);
  for (const [at, { startedAt }] of replicas.slice(1).entries())
    expect(startedAt >= (replicas[at]?.endedAt ?? '')).toBe(true);
  const larger = await send('/batches', 'database', { sizeGib: '200' });
  expect(larger).toMatchObject({ status: 409, body: { detail: expect.stringContaining('protected') } });
  const deletion = await platform.api.tenant('DELETE', `/batches/${id}`);
  expect(deletion).toMatchObject({ status: 409 });
});

test('rolling-replacement: fifty machines are replaced, and never are more than five away', async () => {
  await comesTrue('rolling-replacement', { release: '1' });
  const before = await platform.simulator.calls();
  expect((await plan('rolling-replacement', { release: '2' })).counts).toMatchObject({ replace: 50, create: 0 });
  await comesTrue('rolling-replacement', { release: '2' });
  const away = new Set<string>();
  let most = 0;
  for (const { operation, name, status } of (await platform.simulator.calls()).slice(before.length)) {
    if (!name?.startsWith('worker-') || status === null || status >= 300) continue;
    if (operation === 'vm.delete') away.add(name);
    if (operation === 'vm.create') away.delete(name);
    most = Math.max(most, away.size);
  }
  expect(away.size).toBe(0);
  expect(most).toBeGreaterThan(1);
  expect(most).toBeLessThanOrEqual(5);
  expect(await namesLike(/^worker-/)).toHaveLength(50);
});

test('site and move-region: rejected, the site stays where it is; approved, it is in the other region and nothing is left', async () => {
  const site = { name: 'office', region: 'tpe-1', cidr: '10.40.0.0/24' };
  await comesTrue('site', site);
  const there = await namesLike(/^office-/);
  expect((await apply('move-region', {}, 'reject')).job).toMatchObject({ state: 'FAILED', rollback: 'complete' });
  expect(await namesLike(/^office-/)).toEqual(there);
  await comesTrue('move-region');
  expect(await namesLike(/^office-/)).toEqual(there.map((name) => name.replace('tpe-1', 'nrt-1')).toSorted());
});

import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectConsistent } from '../harness/consistency.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform();
});
afterAll(() => platform.stop());

function site(name: string): string {
  const create = (id: string, type: string, given: object) => ({
    id,
    type,
    region: 'tpe-1',
    with: { name: `${name}-${id}`, ...given },
  });
  const vm = { flavor: 'small', image: 'debian-13', networks: [`${name}-net`] };
  const operations = [
    create('net', 'network.create', { cidr: '10.40.0.0/24' }),
    create('data', 'volume.create', { sizeGib: 20 }),
    create('db', 'vm.create', { ...vm, volumes: [`${name}-data`] }),
    { ...create('web', 'vm.create', vm), dependsOn: ['db'] },
  ];
  return JSON.stringify({ name, operations });
}
const remove = (reference: string, query = '', headers?: Record<string, string>) =>
  platform.api.tenant('DELETE', `/batches/${reference}${query}`, undefined, headers);

test('deleting a batch deletes all that it made, dependants first, and what is gone already is passed over', async () => {
  const { api, simulator } = platform;
  const made = await api.done('POST', '/batches', site('gone'));
  await api.done('DELETE', '/vms/gone-web');
  const plan = await remove('gone', '?dryRun=true');
  expect(plan).toMatchObject({ status: 200, body: { counts: { delete: 3, none: 1 } } });
  const key = { 'idempotency-key': 'delete-gone' };
  const [answer, again] = [await remove('gone', '', key), await remove('gone', '', key)];
  expect(answer).toMatchObject({
    status: 202,
    body: { resource: { name: 'gone', counts: { PENDING: 3, UNCHANGED: 1 } } },
  });
  expect(again.body.job.id).toBe(answer.body.job.id);
  expect(await api.jobWhen(answer.body.job.id)).toMatchObject({ state: 'SUCCEEDED' });
  const deleted = (await simulator.calls())
    .filter(({ operation }) => operation.endsWith('.delete'))
    .map(({ name }) => name);
  expect(deleted.indexOf('gone-db')).toBeLessThan(deleted.indexOf('gone-net'));
  expect(deleted.indexOf('gone-db')).toBeLessThan(deleted.indexOf('gone-data'));
  expect((await simulator.names()).filter((name) => name.includes('gone'))).toEqual([]);
  const once = await remove(made.resource.id);
  expect(once).toMatchObject({ status: 202, body: { job: { state: 'SUCCEEDED' } } });
  await expectConsistent(platform);
});

test('what is protected, or used by others, is refused at once, all of it named, and nothing is deleted', async () => {
  const { api, simulator } = platform;
  await api.done('POST', '/batches', site('kept'));
  await api.tenant('PATCH', '/volumes/kept-data', { deletionProtection: true });
  const other = { name: 'stranger', region: 'tpe-1', flavor: 'small', image: 'debian-13', networks: ['kept-net'] };
  await api.done('POST', '/vms', other);
  const before = await simulator.names();
  const answer = await remove('kept');
  expect(answer.status).toBe(409);
  expect(answer.body.detail).toContain('"kept-data"');
  expect(answer.body.detail).toContain('"kept-net"');
  expect(answer.body.detail).toContain('vm "stranger"');
  expect(await simulator.names()).toEqual(before);
});

test('a name that another resource has by now is not taken for the one that the batch made', async () => {
  const { api, simulator } = platform;
  const file =
    'name: swap\noperations:\n  - { id: a, type: volume.create, region: tpe-1, with: { name: swapped, sizeGib: 1 } }\n';
  await api.done('POST', '/batches', file);
  await api.done('DELETE', '/volumes/swapped');
  await api.done('POST', '/volumes', { name: 'swapped', region: 'tpe-1', sizeGib: 2 });
  expect(await remove('swap')).toMatchObject({ status: 202, body: { job: { state: 'SUCCEEDED' } } });
  expect(await simulator.names()).toContain('volume swapped');
});

test('a batch that is at work is not deleted beside it', async () => {
  const { api, simulator } = platform;
  await simulator.fault({ effect: 'hang', operation: 'volume.create', name: 'busy' });
  const file =
    'name: busy\noperations:\n  - { id: a, type: volume.create, region: tpe-1, with: { name: busy, sizeGib: 1 } }\n';
  const applied = await api.tenant('POST', '/batches', file);
  expect(await remove('busy')).toMatchObject({
    status: 409,
    body: { detail: expect.stringContaining('has not ended') },
  });
  await simulator.clearFaults();
  await api.jobWhen(applied.body.job.id);
});

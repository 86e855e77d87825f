import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { computeHost } from '../harness/compute-hosts.ts';
import { expectConsistent } from '../harness/consistency.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { until } from '../harness/until.ts';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform({ regions: ['tpe-1', 'nrt-1'] });
  for (const name of ['rack-1', 'rack-2']) await ops('POST', '/racks', { name, region: 'tpe-1' });
  await ops('POST', '/host-groups', { name: 'fast' });
  for (const [name, more] of Object.entries(hosts)) await computeHost(platform.api, { name, ...room, ...more });
});
afterEach(async () => {
  for (const { name, deletionProtection } of (await platform.api.tenant('GET', '/vms?limit=500')).body.items) {
    expect(deletionProtection).toBe(false);
    expect(await platform.api.done('DELETE', `/vms/${name}`)).toMatchObject({ state: 'SUCCEEDED' });
  }
  for (const name of Object.keys(hosts)) await ops('PATCH', `/compute-hosts/${name}`, { maintenance: null });
  await expectConsistent(platform);
});
afterAll(() => platform.stop());

const room = { vcpus: 8, memoryMib: 32_768, diskGib: 500 };
const hosts = {
  'a-1': { rack: 'rack-1', labels: { disk: 'nvme' } },
  'a-2': { rack: 'rack-1', groups: ['fast'] },
  'b-1': { rack: 'rack-2', gpus: 2 },
};
const ops = (method: string, path: string, body?: object) => platform.api.request(method, `/api/ops/v1${path}`, body);
const vmBody = (more: object = {}) => ({
  ...{
    name: `vm-${randomUUID().slice(0, 8)}`,
    region: 'tpe-1',
    vcpus: 2,
    memoryMib: 1024,
    diskGib: 10,
    image: 'debian-13',
  },
  ...more,
});
const create = async (more: object = {}) => platform.api.done('POST', '/vms', vmBody(more));

/** The host that a VM of this kind came to. */
async function hostOf(more: object = {}): Promise<string> {
  const job = await create(more);
  expect(job).toMatchObject({ state: 'SUCCEEDED', error: null });
  const { body } = await ops('GET', `/vms/${job.resource.id}/placement`);
  const told = (await platform.simulator.inventory()).find(({ key }) => key === job.resource.id);
  expect(told?.host).toBe(body.host.name);
  return body.host.name;
}
const usedOf = async (name: string) => (await ops('GET', `/compute-hosts/${name}`)).body.used;

test('a VM goes where its group, labels and GPUs say, and its placement says why', async () => {
  expect(await hostOf({ placement: { group: 'fast' } })).toBe('a-2');
  expect(await hostOf({ placement: { labels: { disk: 'nvme' } } })).toBe('a-1');
  expect(await hostOf({ gpus: 1 })).toBe('b-1');
  expect(await usedOf('b-1')).toMatchObject({ vcpus: 2, gpus: 1 });
  await ops('PATCH', '/compute-hosts/a-1', { maintenance: 'a fan' });
  // What a worker knows of the hosts may be half a second old.
  const { job, placement } = await until('a placement that knows of the maintenance', async () => {
    const job = await create();
    const placement = (await ops('GET', `/vms/${job.resource.id}/placement`)).body;
    return placement.explanation.removed.length > 0 && { job, placement };
  });
  expect(placement).toMatchObject({
    vm: { name: job.resource.name },
    host: { name: 'a-2', rack: 'rack-1', maintenance: null },
    claimed: { vcpus: 2, memoryMib: 1024, diskGib: 10, gpus: 0 },
    jobId: job.id,
    explanation: {
      candidates: 3,
      removed: [{ filter: 'maintenance', count: 1 }],
      remaining: 2,
      best: [
        { host: 'a-2', score: expect.any(Number) },
        { host: 'b-1', parts: { 'keep-gpus': 0 } },
      ],
    },
  });
});

test('VMs keep together, apart, and spread over racks', async () => {
  const labels = { app: 'db' };
  const spread = { spread: { labels } };
  const first = await hostOf({ name: 'db-1', labels, placement: spread });
  const second = await hostOf({ name: 'db-2', labels, placement: spread });
  expect(first.slice(0, 1)).not.toBe(second.slice(0, 1));
  expect(await hostOf({ placement: { affinity: { vms: ['db-1'] } } })).toBe(first);
  const apart = { antiAffinity: { labels } };
  const third = await hostOf({ name: 'db-3', labels, placement: apart });
  expect(new Set([first, second, third]).size).toBe(3);
  const job = await create({ placement: apart });
  expect(job).toMatchObject({ state: 'FAILED', rollback: 'complete', error: { code: 'capacity' } });
  expect(job.error?.message).toContain(
    'Of 3 hosts, anti-affinity removed 3. It would help to leave out the anti-affinity',
  );
});

test('what does not fit fails with how many each filter removed, and leaves nothing', async () => {
  await ops('PATCH', '/compute-hosts/a-1', { maintenance: 'a fan' });
  const job = await create({ vcpus: 9 });
  expect(job).toMatchObject({ state: 'FAILED', rollback: 'complete', error: { code: 'capacity' } });
  expect(job.error?.message).toContain('Of 3 hosts, maintenance removed 1, capacity removed 2.');
  expect((await ops('GET', '/compute-hosts?limit=10')).body.items.map(({ vms }: { vms: number }) => vms)).toEqual([
    0, 0, 0,
  ]);
});

test('a resize changes the claim with it: what a host has no room for is refused, what fails is given back', async () => {
  const job = await create({ name: 'grows', placement: { group: 'fast' } });
  expect(job.state).toBe('SUCCEEDED');
  expect(await platform.api.done('POST', '/vms/grows/resize', { vcpus: 8 })).toMatchObject({ state: 'SUCCEEDED' });
  expect(await usedOf('a-2')).toMatchObject({ vcpus: 8 });
  const refused = await platform.api.done('POST', '/vms/grows/resize', { vcpus: 9 });
  expect(refused).toMatchObject({ state: 'FAILED', rollback: 'complete', error: { code: 'capacity' } });
  expect(refused.error?.message).toContain('Its host "a-2" has no room for that: 0 vCPUs');
  await platform.simulator.fault({ effect: 'permanent', operation: 'vm.resize', name: 'grows', times: 1 });
  expect(await platform.api.done('POST', '/vms/grows/resize', { vcpus: 1 })).toMatchObject({ state: 'FAILED' });
  expect(await usedOf('a-2')).toMatchObject({ vcpus: 8 });
  expect(await platform.api.done('POST', '/vms/grows/resize', { vcpus: 1 })).toMatchObject({ state: 'SUCCEEDED' });
  expect(await usedOf('a-2')).toMatchObject({ vcpus: 1 });
});

test('where there are no compute hosts a VM is made as ever, and what only they have is refused', async () => {
  const job = await create({ region: 'nrt-1' });
  expect(job.state).toBe('SUCCEEDED');
  expect(job.steps.map(({ name }) => name)).toEqual(['create']);
  const answer = await platform.api.tenant(
    'POST',
    '/vms',
    vmBody({ region: 'nrt-1', gpus: 1, placement: { group: 'fast' } }),
  );
  expect(answer.status).toBe(400);
  expect(answer.body.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual(['/gpus', '/placement']);
});

test('a compute host is listed, changed within what is claimed, and deleted once it is empty', async () => {
  const job = await create({ placement: { labels: { disk: 'nvme' } } });
  expect(job.state).toBe('SUCCEEDED');
  const names = async (query: string) =>
    (await ops('GET', `/compute-hosts?${query}`)).body.items.map(({ name }: { name: string }) => name);
  expect(await names('rack=rack-1')).toEqual(['a-1', 'a-2']);
  expect(await names('group=fast')).toEqual(['a-2']);
  expect(await names('region=nrt-1')).toEqual([]);
  const first = await ops('GET', '/compute-hosts?limit=2');
  expect(await names(`limit=2&cursor=${first.body.nextCursor}`)).toEqual(['b-1']);
  expect(await ops('PATCH', '/compute-hosts/a-1', { vcpus: 1 })).toMatchObject({
    status: 409,
    body: { code: 'conflict' },
  });
  expect(await ops('PATCH', '/compute-hosts/a-1', { cpuRatio: 4, labels: { row: '7' } })).toMatchObject({
    status: 200,
    body: { cpuRatio: 4, labels: { disk: 'nvme', row: '7' }, rack: 'rack-1', used: { vcpus: 2 }, vms: 1 },
  });
  expect(await ops('DELETE', '/compute-hosts/a-1')).toMatchObject({ status: 409 });
  expect(await ops('DELETE', '/racks/rack-1')).toMatchObject({ status: 409 });
  const faulty = await ops('POST', '/compute-hosts', {
    name: 'x',
    region: 'nrt-1',
    ...room,
    rack: 'rack-1',
    groups: ['none'],
  });
  expect(faulty.body.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual(['/rack', '/groups/0']);
  expect((await ops('POST', '/compute-hosts', { name: 'empty', region: 'tpe-1', ...room })).status).toBe(201);
  expect(await ops('DELETE', '/compute-hosts/empty')).toMatchObject({ status: 204 });
  const audit =
    await platform.sql`SELECT action FROM audit_entries WHERE action LIKE 'compute-host.%' AND phase = 'opened'`;
  expect(new Set(audit.map(({ action }) => action))).toEqual(
    new Set(['compute-host.create', 'compute-host.update', 'compute-host.delete']),
  );
});

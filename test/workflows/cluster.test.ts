import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import type { Cluster } from '../../src/domain/cluster.ts';
import { fragileRegion } from '../harness/check-saga.ts';
import { expectConsistent } from '../harness/consistency.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { killNow, startRoleProcess } from '../harness/role-process.ts';
import { until } from '../harness/until.ts';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform({ regions: ['tpe-1'] });
});
afterAll(() => platform.stop());

const newName = (): string => `k-${randomUUID().slice(0, 8)}`;
const body = (name: string, more: object = {}) => ({
  ...{ name, region: 'tpe-1', version: '1.33', image: 'debian-13' },
  controlPlane: { count: 3, flavor: 'small' },
  pools: [{ name: 'web', count: 2, flavor: 'small', labels: { tier: 'web' } }],
  ...more,
});
const machinesOf = (name: string): string[] => [
  ...[0, 1, 2].map((ordinal) => `${name}-cp-${ordinal}`),
  ...[0, 1].map((ordinal) => `${name}-web-${ordinal}`),
];
const view = async (name: string): Promise<Cluster> => (await platform.api.tenant('GET', `/clusters/${name}`)).body;

/** The VMs of a cluster that the provider has. */
async function vmsOf(name: string): Promise<string[]> {
  const inventory = await platform.simulator.inventory();
  return inventory.flatMap((found) => (found.name.startsWith(`${name}-`) ? [found.name] : [])).toSorted();
}
const clustersNamed = async (name: string) =>
  (await platform.simulator.clusters()).filter((cluster) => cluster.name === name);
async function expectNothingLeft(name: string): Promise<void> {
  expect((await platform.api.tenant('GET', `/clusters/${name}`)).status).toBe(404);
  expect(await vmsOf(name)).toEqual([]);
  expect(await clustersNamed(name)).toEqual([]);
}

/** The jobs that were accepted for its machines, by their types. */
const machineJobs = (name: string): Promise<readonly { type: string; name: string; state: string }[]> =>
  platform.sql`
    SELECT m.type, m.resource_name AS name, m.state FROM jobs m JOIN jobs c ON c.id = m.host_job_id
    WHERE c.resource_name = ${name} ORDER BY m.type, m.resource_name`;

const hasMachines = (name: string, count: number): Promise<unknown> =>
  until(`${count} machines of ${name}`, async () => (await vmsOf(name)).length >= count);

test('a cluster of three and two is five VMs and five nodes, and when it is deleted nothing', async () => {
  const name = newName();
  const job = await platform.api.done('POST', '/clusters', body(name));
  expect(job).toMatchObject({ state: 'SUCCEEDED', steps: [{ name: 'machines' }, { name: 'bootstrap' }] });
  expect(await vmsOf(name)).toEqual(machinesOf(name));
  const cluster = await view(name);
  expect(cluster).toMatchObject({ status: 'available', version: '1.33', currentJobId: null });
  expect(cluster.endpoint).toContain(name);
  expect(cluster.machines.map((machine) => machine.name)).toEqual(machinesOf(name));
  for (const { role, pool, node, version, vmStatus } of cluster.machines) {
    expect({ node, version, vmStatus }).toEqual({ node: 'Ready', version: '1.33', vmStatus: 'running' });
    expect(pool).toBe(role === 'worker' ? 'web' : null);
  }
  const [known] = await clustersNamed(name);
  expect(known?.nodes.map((node) => node.name).toSorted()).toEqual(machinesOf(name));
  expect((await platform.api.tenant('GET', `/vms/${name}-web-0`)).body.labels).toEqual({
    tier: 'web',
    'millwright.cluster': name,
  });
  expect(await machineJobs(name)).toEqual(
    machinesOf(name).map((machine) => ({ type: 'vm.create', name: machine, state: 'SUCCEEDED' })),
  );
  expect(await platform.api.done('DELETE', `/clusters/${name}`)).toMatchObject({ state: 'SUCCEEDED' });
  await expectNothingLeft(name);
  await expectConsistent(platform);
});

test('a machine is not deleted, resized or rebuilt by itself: the answer names its cluster', async () => {
  const name = newName();
  await platform.api.done('POST', '/clusters', body(name));
  const vm = `/vms/${name}-cp-0`;
  const answers = [
    await platform.api.tenant('DELETE', vm),
    await platform.api.tenant('POST', `${vm}/resize`, { flavor: 'medium' }),
    await platform.api.tenant('POST', `${vm}/rebuild`, {}),
  ];
  for (const answer of answers)
    expect(answer).toMatchObject({ status: 409, body: { detail: expect.stringContaining(`cluster "${name}"`) } });
  expect(await platform.api.done('POST', `${vm}/reboot`, {})).toMatchObject({ state: 'SUCCEEDED' });
  expect(await platform.api.done('DELETE', `/clusters/${name}`)).toMatchObject({ state: 'SUCCEEDED' });
});

test.for(['cluster.bootstrap', 'vm.create'])('a cluster that fails at %s leaves nothing', async (operation) => {
  const name = newName();
  const failing = operation === 'vm.create' ? `${name}-web-1` : name;
  await platform.simulator.fault({ effect: 'permanent', operation, name: failing });
  const job = await platform.api.done('POST', '/clusters', body(name));
  expect(job).toMatchObject({ state: 'FAILED', rollback: 'complete' });
  if (operation === 'vm.create') expect(job.error?.message).toContain(`Machine "${failing}"`);
  await expectNothingLeft(name);
  await expectConsistent(platform);
});

test('a plan that deletes a machine of a cluster names the cluster, and does not apply', async () => {
  const name = newName();
  await platform.api.done('POST', '/clusters', body(name));
  const operations = [
    { id: 'gone', type: 'vm.delete', region: 'tpe-1', with: { name: `${name}-web-0` } },
    { id: 'apart', type: 'network.create', region: 'tpe-1', with: { name: `${name}-net`, cidr: '10.9.0.0/24' } },
  ];
  const refused = await platform.api.tenant('POST', '/batches', JSON.stringify({ name, operations }));
  expect(refused).toMatchObject({
    status: 409,
    body: { detail: expect.stringContaining(`is in use by cluster "${name}"`) },
  });
  expect(await vmsOf(name)).toEqual(machinesOf(name));
  expect(await platform.api.done('DELETE', `/clusters/${name}`)).toMatchObject({ state: 'SUCCEEDED' });
});

test('more machines than are made at a time are all made, fifty at a time, and all removed', async () => {
  const name = newName();
  const large = body(name, { pools: [{ name: 'web', count: 52, flavor: 'small' }] });
  expect(await platform.api.done('POST', '/clusters', large)).toMatchObject({ state: 'SUCCEEDED' });
  expect(await vmsOf(name)).toHaveLength(55);
  const ends = await platform.sql<{ created: Date; ended: Date }[]>`
    SELECT m.created_at AS created, m.ended_at AS ended FROM jobs m JOIN jobs c ON c.id = m.host_job_id
    WHERE c.resource_name = ${name} ORDER BY m.created_at`;
  const firstEnd = Math.max(...ends.slice(0, 50).map(({ ended }) => ended.getTime()));
  for (const { created } of ends.slice(50)) expect(created.getTime()).toBeGreaterThanOrEqual(firstEnd);
  expect(await platform.api.done('DELETE', `/clusters/${name}`)).toMatchObject({ state: 'SUCCEEDED' });
  await expectNothingLeft(name);
});

test('a cluster of more nodes than one workflow takes is refused', async () => {
  const name = newName();
  const pools = Array.from({ length: 5 }, (_, index) => ({ name: `p-${index}`, count: 100, flavor: 'small' }));
  const refused = await platform.api.tenant('POST', '/clusters', body(name, { pools }));
  expect(refused).toMatchObject({
    status: 400,
    body: { errors: [{ pointer: '/pools', detail: 'Expected at most 500 nodes in all.' }] },
  });
  await expectNothingLeft(name);
});

test('a cluster whose machines the quota does not hold says so, and leaves nothing', async () => {
  const name = newName();
  const quota = '/api/ops/v1/projects/default/quota';
  await platform.api.request('PATCH', quota, { limits: { vms: 4 } });
  const job = await platform.api.done('POST', '/clusters', body(name));
  expect(job).toMatchObject({ state: 'FAILED', rollback: 'complete', error: { code: 'quota' } });
  await expectNothingLeft(name);
  await platform.api.request('PATCH', quota, { limits: { vms: 100 } });
});

test('a cluster canceled while its machines are made leaves nothing', async () => {
  const name = newName();
  await platform.simulator.fault({ effect: 'hang', operation: 'vm.create', name: `${name}-web-1`, times: 1 });
  const { body: asked } = await platform.api.tenant('POST', '/clusters', body(name));
  await hasMachines(name, 4);
  expect(await platform.api.canceled(asked.job.id)).toMatchObject({ state: 'CANCELED', rollback: 'complete' });
  await expectNothingLeft(name);
  await expectConsistent(platform);
});

test('one machine that is canceled by itself takes its cluster back', async () => {
  const name = newName();
  await platform.simulator.fault({ effect: 'hang', operation: 'vm.create', name: `${name}-web-1`, times: 1 });
  const { body: asked } = await platform.api.tenant('POST', '/clusters', body(name));
  await hasMachines(name, 4);
  const [machine] = await platform.sql<{ id: string }[]>`
    SELECT id FROM jobs WHERE resource_name = ${`${name}-web-1`} AND type = 'vm.create'`;
  expect(await platform.api.canceled(machine?.id ?? '')).toMatchObject({ state: 'CANCELED' });
  expect(await platform.api.jobWhen(asked.job.id)).toMatchObject({ state: 'FAILED', rollback: 'complete' });
  await expectNothingLeft(name);
});

test('a cluster whose workflow is lost while its machines are made goes on, and makes none twice', async () => {
  const name = newName();
  await platform.simulator.fault({ effect: 'hang', operation: 'vm.create', name: `${name}-web-1`, times: 1 });
  const { body: asked } = await platform.api.tenant('POST', '/clusters', body(name));
  await hasMachines(name, 4);
  await platform.terminate(asked.job.workflowId);
  expect(await platform.api.jobWhen(asked.job.id)).toMatchObject({ state: 'SUCCEEDED', rollback: 'none' });
  expect(await vmsOf(name)).toEqual(machinesOf(name));
  expect(await machineJobs(name)).toHaveLength(5);
  await platform.api.done('DELETE', `/clusters/${name}`);
  await expectConsistent(platform);
});

test('a cluster whose region worker is killed while its machines are made comes about all the same', async () => {
  const start = () =>
    startRoleProcess({ ...platform.config, MILLWRIGHT_PROVIDER_TIMEOUT_MS: 60_000 }, [
      ...['worker', 'region', '--region', fragileRegion],
    ]);
  let worker = await start();
  try {
    const name = newName();
    await platform.simulator.fault({ effect: 'hang', operation: 'vm.create', name: `${name}-web-1`, times: 1 });
    const { body: asked } = await platform.api.tenant('POST', '/clusters', body(name, { region: fragileRegion }));
    await hasMachines(name, 4);
    await killNow(worker);
    worker = await start();
    expect(await platform.api.jobWhen(asked.job.id)).toMatchObject({ state: 'SUCCEEDED', rollback: 'none' });
    expect(await vmsOf(name)).toEqual(machinesOf(name));
    expect(await platform.api.done('DELETE', `/clusters/${name}`)).toMatchObject({ state: 'SUCCEEDED' });
  } finally {
    await killNow(worker);
  }
});

test('a kubeconfig is given to whoever asks for it, on record, and is found nowhere else', async () => {
  const name = newName();
  const job = await platform.api.done('POST', '/clusters', body(name));
  const { status, body: answer } = await platform.api.tenant('GET', `/clusters/${name}/kubeconfig`);
  expect(status).toBe(200);
  const config = parse(answer.kubeconfig);
  expect(config).toMatchObject({ apiVersion: 'v1', kind: 'Config', 'current-context': name });
  const token: string = config.users[0].user.token;
  expect(token).toMatch(/^sim-token-/);

  const shown = [
    await platform.api.tenant('GET', `/clusters/${name}`),
    await platform.api.tenant('GET', `/jobs/${job.id}`),
    await platform.api.tenant('GET', `/audit?limit=100`),
  ];
  expect(JSON.stringify(shown.map((one) => one.body))).not.toContain(token);
  const tables = await platform.sql<{ name: string }[]>`
    SELECT quote_ident(table_name) AS name FROM information_schema.tables WHERE table_schema = 'public'`;
  for (const table of tables) {
    const found = await platform.sql.unsafe(`SELECT FROM ${table.name} t WHERE to_jsonb(t)::text LIKE $1`, [
      `%${token}%`,
    ]);
    expect({ table: table.name, found: found.length }).toEqual({ table: table.name, found: 0 });
  }
  const kept = await platform.sql<{ kubeconfig: string }[]>`
    SELECT k.kubeconfig FROM clusters k JOIN resources r ON r.id = k.resource_id WHERE r.name = ${name}`;
  expect(kept).toEqual([{ kubeconfig: expect.stringMatching(/^mws1\./) }]);
  const acts = await platform.sql`
    SELECT c.outcome FROM audit_entries o JOIN audit_entries c ON c.act_id = o.act_id AND c.phase = 'closed'
    WHERE o.action = 'cluster.kubeconfig' AND o.resource_name = ${name}`;
  expect(acts).toEqual([{ outcome: 'SUCCEEDED' }]);
  await platform.api.done('DELETE', `/clusters/${name}`);
});

import { afterAll, beforeAll, expect, test } from 'vitest';
import { Clusters } from '../harness/clusters.ts';
import { expectConsistent } from '../harness/consistency.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { until } from '../harness/until.ts';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform({ regions: ['tpe-1'] });
});
afterAll(() => platform.stop());

const clusters = new Clusters(() => platform);
const scaled = (name: string, body: object) => clusters.acted(name, 'scale', body);
const web = (count: number) => ({ pools: [{ name: 'web', count }] });
const asBefore = ['cp-0', 'web-0', 'web-1'];

test('one request lets a control plane and a pool grow, another shrink, and makes a new one', async () => {
  const pools = [
    { name: 'web', count: 2, flavor: 'small', labels: { tier: 'web' } },
    { name: 'jobs', count: 3, flavor: 'small' },
  ];
  const name = await clusters.made({ pools });
  const job = await scaled(name, {
    controlPlane: { count: 3 },
    pools: [
      { name: 'web', count: 3 },
      { name: 'jobs', count: 1 },
      { name: 'data', count: 1, flavor: 'medium', labels: { tier: 'data' } },
    ],
  });
  expect(job).toMatchObject({ state: 'SUCCEEDED', type: 'cluster.scale' });
  expect(job.steps.map((step) => step.name)).toEqual(['machines', 'join', 'drain', 'remove-machines']);
  expect(await clusters.machines(name)).toEqual(
    ['cp-0', 'cp-1', 'cp-2', 'data-0', 'jobs-0', 'web-0', 'web-1', 'web-2'].toSorted(),
  );
  expect(await clusters.jobsUnder(job.id)).toEqual([
    ...['cp-1', 'cp-2', 'data-0', 'web-2'].map((machine) => `vm.create ${name}-${machine} SUCCEEDED`),
    ...['jobs-1', 'jobs-2'].map((machine) => `vm.delete ${name}-${machine} SUCCEEDED`),
  ]);
  const made = (await platform.api.tenant('GET', `/vms/${name}-data-0`)).body;
  expect(made).toMatchObject({ flavor: 'medium', labels: { tier: 'data', 'millwright.cluster': name } });
  const joined = (await platform.simulator.calls()).filter(
    (call) => call.operation === 'cluster.join' && call.name.startsWith(name),
  );
  expect(joined.slice(0, 2).map((call) => call.name)).toEqual([`${name}-cp-1`, `${name}-cp-2`]);
  const less = await scaled(name, { controlPlane: { count: 1 }, pools: [{ name: 'data', count: 0, remove: true }] });
  expect(less).toMatchObject({ state: 'SUCCEEDED' });
  expect(await clusters.machines(name)).toEqual(['cp-0', 'jobs-0', 'web-0', 'web-1', 'web-2']);
  await clusters.gone(name);
});

test('a control plane joins one machine after another', async () => {
  const name = await clusters.made();
  await platform.simulator.settings({ latencyMs: { 'cluster.join': 300 } });
  await scaled(name, { controlPlane: { count: 3 } });
  await platform.simulator.settings({ latencyMs: {} });
  const joins = (await platform.simulator.calls()).filter(
    (call) => call.operation === 'cluster.join' && call.name.startsWith(name),
  );
  expect(joins.map((call) => call.name)).toEqual([`${name}-cp-1`, `${name}-cp-2`]);
  const [first = 0, second = 0] = joins.map(({ at }) => Date.parse(at));
  expect(second - first).toBeGreaterThanOrEqual(300);
  await clusters.gone(name);
});

test('a cluster that cannot grow is as before', async () => {
  const name = await clusters.made();
  await platform.simulator.fault({ effect: 'permanent', operation: 'vm.create', name: `${name}-web-3` });
  const job = await scaled(name, web(4));
  expect(job).toMatchObject({ state: 'FAILED', rollback: 'complete' });
  expect(job.error?.message).toContain(`Machine "${name}-web-3"`);
  expect(await clusters.machines(name)).toEqual(asBefore);
  expect(await clusters.view(name)).toMatchObject({ status: 'available', currentJobId: null });
  await expectConsistent(platform);
  await clusters.gone(name);
});

test('a cluster that cannot shrink has what it removed made anew, under the same names', async () => {
  const name = await clusters.made({ pools: [{ name: 'web', count: 4, flavor: 'small' }] });
  const before = await clusters.view(name);
  const vmOf = ({ machines }: typeof before, ordinal: number) =>
    machines.find((machine) => machine.name === `${name}-web-${ordinal}`)?.vm;
  await platform.simulator.fault({ effect: 'permanent', operation: 'vm.delete', name: `${name}-web-2`, times: 1 });
  const job = await scaled(name, web(1));
  expect(job).toMatchObject({ state: 'FAILED', rollback: 'complete' });
  expect(await clusters.machines(name)).toEqual(['cp-0', 'web-0', 'web-1', 'web-2', 'web-3']);
  const after = await clusters.view(name);
  expect(vmOf(after, 0)).toBe(vmOf(before, 0));
  expect(vmOf(after, 3)).not.toBe(vmOf(before, 3));
  const refused = await platform.api.tenant('DELETE', `/vms/${name}-web-2`);
  expect(refused).toMatchObject({ status: 409, body: { detail: expect.stringContaining(`cluster "${name}"`) } });
  await expectConsistent(platform);
  await clusters.gone(name);
});

test('what a larger cluster takes of the quota is taken when it is accepted, or it is refused', async () => {
  const name = await clusters.made();
  const quota = '/api/ops/v1/projects/default/quota';
  const used = async () => (await platform.api.tenant('GET', '/quota')).body.items[0].metrics.vms.used;
  const before = await used();
  await platform.api.request('PATCH', quota, { limits: { vms: before + 3 } });
  const refused = await platform.api.tenant('POST', `/clusters/${name}/scale`, web(6));
  expect(refused).toMatchObject({ status: 403, body: { detail: expect.stringContaining('vms: 4 wanted') } });
  await platform.simulator.fault({ effect: 'hang', operation: 'vm.create', name: `${name}-web-4`, times: 1 });
  const { body } = await platform.api.tenant('POST', `/clusters/${name}/scale`, web(5));
  await platform.simulator.hit(`${name}-web-4`);
  expect(await used()).toBe(before + 3);
  const another = { name: `${name}-vm`, region: 'tpe-1', flavor: 'small', image: 'debian-13' };
  expect(await platform.api.tenant('POST', '/vms', another)).toMatchObject({ status: 403 });
  expect(await platform.api.jobWhen(body.job.id)).toMatchObject({ state: 'SUCCEEDED' });
  expect(await used()).toBe(before + 3);
  await expectConsistent(platform);
  await platform.api.request('PATCH', quota, { limits: { vms: 1000 } });
  await clusters.gone(name);
});

test('what was taken for machines that were not made is given back, also where the job is kept as it is', async () => {
  const name = await clusters.made();
  await platform.simulator.fault({ effect: 'permanent', operation: 'vm.create', name: `${name}-web-*`, times: 2 });
  const job = await scaled(name, { ...web(4), onFailure: 'keep' });
  expect(job).toMatchObject({ state: 'FAILED', rollback: 'none', leftovers: ['machines'] });
  expect(await clusters.view(name)).toMatchObject({ status: 'error' });
  await expectConsistent(platform);
  await clusters.gone(name);
});

test('while a cluster is scaled it is neither deleted nor scaled, and its labels change all the same', async () => {
  const name = await clusters.made();
  await platform.simulator.fault({ effect: 'hang', operation: 'vm.create', name: `${name}-web-2`, times: 1 });
  const { body } = await platform.api.tenant('POST', `/clusters/${name}/scale`, web(3));
  await platform.simulator.hit(`${name}-web-2`);
  expect(await clusters.view(name)).toMatchObject({ status: 'scaling' });
  const answers = [
    await platform.api.tenant('DELETE', `/clusters/${name}`),
    await platform.api.tenant('POST', `/clusters/${name}/scale`, web(1)),
  ];
  for (const answer of answers)
    expect(answer).toMatchObject({ status: 409, body: { detail: expect.stringContaining(body.job.id) } });
  expect(await platform.api.tenant('PATCH', `/clusters/${name}`, { labels: { a: 'b' } })).toMatchObject({
    status: 200,
  });
  expect(await platform.api.canceled(body.job.id)).toMatchObject({ state: 'CANCELED', rollback: 'complete' });
  expect(await clusters.machines(name)).toEqual(asBefore);
  await clusters.gone(name);
});

test('a cluster whose workflow is lost while it grows goes on, and makes no machine twice', async () => {
  const name = await clusters.made();
  await platform.simulator.fault({ effect: 'hang', operation: 'vm.create', name: `${name}-web-3`, times: 1 });
  const { body } = await platform.api.tenant('POST', `/clusters/${name}/scale`, web(4));
  await platform.simulator.hit(`${name}-web-3`);
  await platform.terminate(body.job.workflowId);
  expect(await platform.api.jobWhen(body.job.id)).toMatchObject({ state: 'SUCCEEDED', rollback: 'none' });
  expect(await clusters.jobsUnder(body.job.id)).toHaveLength(2);
  expect(await clusters.machines(name)).toEqual([...asBefore, 'web-2', 'web-3']);
  await clusters.gone(name);
});

test('all that is wrong with a scaling is told at once, and what is so already is a conflict', async () => {
  const name = await clusters.made();
  const pools = [
    { name: 'web', count: 3, flavor: 'medium' },
    { name: 'jobs', count: 1 },
  ];
  const refused = await platform.api.tenant('POST', `/clusters/${name}/scale`, { pools });
  expect(refused).toMatchObject({
    status: 400,
    body: {
      errors: [
        { pointer: '/pools/0/flavor', detail: expect.stringContaining('a pool of another name') },
        { pointer: '/pools/1/flavor', detail: expect.stringContaining('Give a flavor to make it') },
      ],
    },
  });
  const unknown = { pools: [{ name: 'jobs', count: 1, flavor: 'huge' }] };
  expect(await platform.api.tenant('POST', `/clusters/${name}/scale`, unknown)).toMatchObject({
    status: 400,
    body: { errors: [{ pointer: '/pools/0/flavor' }] },
  });
  expect(await platform.api.tenant('POST', `/clusters/${name}/scale`, web(2))).toMatchObject({ status: 409 });
  await clusters.gone(name);
});

test('a batch that scales a cluster, and then fails, gives back what was before', async () => {
  const name = await clusters.made();
  await platform.simulator.fault({ effect: 'permanent', operation: 'volume.create', name: `${name}-vol` });
  const pools = [
    { name: 'web', count: 3 },
    { name: 'jobs', count: 1, flavor: 'small' },
  ];
  const operations = [
    { id: 'more', type: 'cluster.scale', with: { name, pools } },
    {
      id: 'then',
      type: 'volume.create',
      region: 'tpe-1',
      dependsOn: ['more'],
      with: { name: `${name}-vol`, sizeGib: 1 },
    },
  ];
  const plan = await platform.api.tenant('POST', '/batches?dryRun=true', JSON.stringify({ name, operations }));
  expect(plan.body.operations[0]).toMatchObject({ id: 'more', action: 'change' });
  const { body } = await platform.api.tenant('POST', '/batches', JSON.stringify({ name, operations }));
  expect(await platform.api.jobWhen(body.job.id)).toMatchObject({ state: 'FAILED', rollback: 'complete' });
  await until('the cluster to rest', async () => (await clusters.view(name)).status === 'available');
  expect(await clusters.machines(name)).toEqual(asBefore);
  expect(
    await platform.api.tenant('POST', `/clusters/${name}/scale`, { pools: [{ name: 'jobs', count: 0 }] }),
  ).toMatchObject({
    status: 400,
  });
  await clusters.gone(name);
});

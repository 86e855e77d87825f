import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectConsistent } from '../harness/consistency.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform({ regions: ['tpe-1'] });
});
afterAll(() => platform.stop());

const done = async (method: string, path: string, body?: object): Promise<void> => {
  expect(await platform.api.done(method, path, body)).toMatchObject({ state: 'SUCCEEDED' });
};
const newVolume = (name: string) => done('POST', '/volumes', { name, region: 'tpe-1', sizeGib: 10 });
const newSnapshot = (name: string, volume: string) => done('POST', '/snapshots', { name, volume });
const held = async () => {
  const { snapshots, storageGib } = (await platform.api.tenant('GET', '/quota')).body.items[0].metrics;
  return { snapshots: snapshots.used, storageGib: storageGib.used };
};

test('a snapshot is where its volume is, and counts the size that the volume had', async () => {
  await newVolume('grows');
  const before = await held();
  await newSnapshot('small', 'grows');
  await done('POST', '/volumes/grows/grow', { sizeGib: 30 });
  await newSnapshot('large', 'grows');
  expect((await platform.api.tenant('GET', '/snapshots/small')).body).toMatchObject({
    ...{ region: 'tpe-1', provider: 'simulator', status: 'available', sizeGib: 10, volume: { name: 'grows' } },
  });
  expect((await platform.api.tenant('GET', '/snapshots/large')).body).toMatchObject({ sizeGib: 30 });
  expect(await held()).toEqual({ snapshots: 2, storageGib: before.storageGib + 20 + 10 + 30 });
});

test('a volume keeps its snapshots: it cannot be deleted before them', async () => {
  await newVolume('kept');
  await newSnapshot('of-kept', 'kept');
  expect(await platform.api.tenant('DELETE', '/volumes/kept')).toMatchObject({
    status: 409,
    body: { detail: expect.stringContaining('snapshot "of-kept"') },
  });
  await done('DELETE', '/snapshots/of-kept');
  await done('DELETE', '/volumes/kept');
});

test('of an attached volume one is taken, and brought back while its VM is stopped', async () => {
  await newVolume('disk');
  await done('POST', '/vms', {
    ...{ name: 'db', region: 'tpe-1', flavor: 'small', image: 'debian-13', volumes: ['disk'] },
  });
  await newSnapshot('then', 'disk');
  expect((await platform.api.tenant('GET', '/volumes/disk')).body.attachedTo).toMatchObject({ name: 'db' });
  expect(await platform.api.tenant('POST', '/volumes/disk/restore', { snapshot: 'then' })).toMatchObject({
    status: 409,
    body: { detail: expect.stringContaining('attached to the VM "db", which is running. Stop it') },
  });
  await done('POST', '/vms/db/stop', {});
  await done('POST', '/volumes/disk/restore', { snapshot: 'then' });
  await done('POST', '/vms/db/start', {});
});

test('while a volume is brought back, neither its snapshot nor its VM changes', async () => {
  const { api, simulator } = platform;
  await newVolume('busy');
  await newSnapshot('of-busy', 'busy');
  const fault = await simulator.fault({ effect: 'permanent', operation: 'volume.restore', name: 'busy' });
  const { job } = (await api.tenant('POST', '/volumes/busy/restore', { snapshot: 'of-busy', onFailure: 'hold' })).body;
  await api.jobWhen(job.id, ({ state }) => state === 'HELD');
  expect(await api.tenant('DELETE', '/snapshots/of-busy')).toMatchObject({ status: 409 });
  await simulator.removeFault(fault);
  expect((await api.settled(job.id, 'retry')).state).toBe('SUCCEEDED');
  await done('DELETE', '/snapshots/of-busy');
});

test('a snapshot of another volume, or of none, is refused and named', async () => {
  await newVolume('other');
  await newSnapshot('of-other', 'other');
  await newVolume('mine');
  const asked = async (path: string, body: object) => (await platform.api.tenant('POST', path, body)).body.errors;
  expect(await asked('/volumes/mine/restore', { snapshot: 'of-other' })).toEqual([
    { pointer: '/snapshot', detail: expect.stringContaining('is of another volume than "mine"') },
  ]);
  expect(await asked('/snapshots', { name: 'lost', volume: 'nowhere' })).toEqual([
    { pointer: '/volume', detail: 'There is no volume "nowhere" in this project.' },
  ]);
});

test('a batch makes a volume, a snapshot of it, and plans nothing the second time', async () => {
  const file = `
name: kept
operations:
  - { id: vol, type: volume.create, region: tpe-1, with: { name: in-batch, sizeGib: 3 } }
  - { id: snap, type: snapshot.create, with: { name: in-batch-then, volume: '\${operations.vol.outputs.name}' } }
`;
  const { body } = await platform.api.tenant('POST', '/batches', file);
  expect(await platform.api.jobWhen(body.job.id)).toMatchObject({ state: 'SUCCEEDED' });
  expect((await platform.api.tenant('GET', '/snapshots/in-batch-then')).body).toMatchObject({ sizeGib: 3 });
  const plan = (await platform.api.tenant('POST', '/batches?dryRun=true', file)).body;
  expect(plan.operations.map(({ action }: { action: string }) => action)).toEqual(['none', 'none']);
  const astray = await platform.api.tenant(
    'POST',
    '/batches',
    file.replace('snapshot.create,', 'snapshot.create, region: tpe-1,'),
  );
  expect(astray).toMatchObject({ status: 400, body: { detail: expect.stringContaining('has no region') } });
});

test('afterwards data centre and database agree', () => expectConsistent(platform));

import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { driftOf, reconcileNow } from '../harness/reconcile.ts';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform();
  await platform.api.done('POST', '/networks', { name: 'net', ...at, cidr: '10.0.0.0/24' });
  for (const name of disks) await volume(name);
  const joined = { networks: ['net'], volumes: ['disk-1'] };
  await platform.api.done('POST', '/vms', { name: 'web', ...at, flavor: 'small', image: 'debian-13', ...joined });
  await platform.api.done('POST', '/snapshots', { name: 'then', volume: 'disk-1' });
  await platform.api.done('POST', '/buckets', { name: 'bucket', ...at });
  await platform.api.done('POST', '/buckets/bucket/create-key', { key: 'app' });
}, 120_000);
afterAll(() => platform.stop());
beforeEach(() => platform.simulator.clearFaults());

const at = { region: 'tpe-1' };
const disks = Array.from({ length: 12 }, (_, index) => `disk-${index + 1}`);
const volume = async (name: string): Promise<string> =>
  (await platform.api.done('POST', '/volumes', { name, ...at, sizeGib: 1 })).resource.id;
const idOf = async (path: string): Promise<string> => (await platform.api.tenant('GET', path)).body.id;

/** Asks the provider itself, as one does behind our back. */
async function byHand(method: string, path: string, body?: object): Promise<void> {
  const answer = await fetch(`${platform.simulator.url}/v1/regions/tpe-1${path}`, {
    method,
    headers: { 'content-type': 'application/json' },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
}
const compared = (findings: number) => ({ state: 'compared', findings });

test('what is as it should be gives no drift, in every kind and field that is compared', async () => {
  const outcome = { state: 'compared', wanted: 16, found: 16, findings: 0 };
  expect(await reconcileNow(platform)).toEqual(outcome);
  expect(await reconcileNow(platform)).toEqual(outcome);
  expect(await driftOf(platform)).toEqual([]);
});

test('what is removed behind our back is missing once two runs have missed it, and no more when it is deleted', async () => {
  await volume('lost');
  await platform.simulator.removeByHand('lost');
  expect(await reconcileNow(platform)).toMatchObject(compared(1));
  expect(await driftOf(platform)).toEqual(['missing volume lost suspected']);
  expect((await platform.api.tenant('GET', '/drift')).body.items).toEqual([]);
  await reconcileNow(platform);
  expect(await driftOf(platform)).toEqual(['missing volume lost open']);
  const { items } = (await platform.api.tenant('GET', '/drift?state=open')).body;
  expect(items).toMatchObject([{ class: 'missing', resourceId: await idOf('/volumes/lost'), field: null }]);
  await platform.api.done('DELETE', '/volumes/lost');
  await reconcileNow(platform);
  expect(await driftOf(platform, '?state=resolved')).toEqual(['missing volume lost resolved']);
});

test('what is changed behind our back says which field, what it should be and what it is', async () => {
  const [web, disk] = [await idOf('/vms/web'), await idOf('/volumes/disk-2')];
  await byHand('POST', `/vms/${web}/stop`, {});
  await byHand('POST', `/volumes/${disk}/grow`, { sizeGib: 7 });
  await byHand('POST', `/volumes/${disk}/attach`, { vm: web });
  await reconcileNow(platform);
  expect(await reconcileNow(platform)).toMatchObject(compared(3));
  const { items } = (await platform.api.tenant('GET', '/drift?state=open&class=changed')).body;
  const told = items.map(({ name, field, wanted, found }: Record<string, unknown>) => ({ name, field, wanted, found }));
  expect(told).toHaveLength(3);
  expect(told).toEqual(
    expect.arrayContaining([
      { name: 'web', field: 'state', wanted: 'running', found: 'stopped' },
      { name: 'disk-2', field: 'sizeGib', wanted: 1, found: 7 },
      { name: 'disk-2', field: 'vm', wanted: null, found: web },
    ]),
  );
  await byHand('POST', `/vms/${web}/start`, {});
  await byHand('POST', `/volumes/${disk}/detach`, { vm: web });
  await platform.api.done('POST', '/volumes/disk-2/grow', { sizeGib: 7 });
  expect(await reconcileNow(platform)).toMatchObject(compared(0));
  expect(await driftOf(platform, '?state=open')).toEqual([]);
  const events = (await platform.api.tenant('GET', '/events?type=drift.*&limit=500')).body.items;
  expect(events.map(({ type }: { type: string }) => type)).toEqual(
    expect.arrayContaining(['drift.opened', 'drift.resolved']),
  );
});

test('what is created behind our back is an orphan, under whatever key, which no tenant sees', async () => {
  await byHand('POST', '/volumes', { key: 'Z/by.hand', name: 'by-hand', sizeGib: 1 });
  await byHand('POST', '/volumes', { key: '0/by.hand', name: 'first', sizeGib: 1 });
  await reconcileNow(platform);
  await reconcileNow(platform);
  expect((await driftOf(platform, '?class=orphaned&state=open')).toSorted()).toEqual([
    'orphaned volume by-hand open',
    'orphaned volume first open',
  ]);
  expect((await platform.api.tenant('GET', '/drift?state=open')).body.items).toEqual([]);
  await byHand('DELETE', '/volumes/Z%2Fby.hand');
  await byHand('DELETE', '/volumes/0%2Fby.hand');
  await reconcileNow(platform);
  expect(await driftOf(platform, '?state=open')).toEqual([]);
});

test('what was made anew under its key is another thing', async () => {
  const id = await volume('twin');
  await byHand('DELETE', `/volumes/${id}`);
  await byHand('POST', '/volumes', { key: id, name: 'twin', sizeGib: 1 });
  await reconcileNow(platform);
  await reconcileNow(platform);
  expect(await driftOf(platform, '?state=open')).toEqual(['changed volume twin reference open']);
  await platform.api.done('DELETE', '/volumes/twin');
  await reconcileNow(platform);
});

test('drift that stands costs no write', async () => {
  const id = await volume('standing');
  await platform.simulator.removeByHand('standing');
  await reconcileNow(platform);
  await reconcileNow(platform);
  expect(await driftOf(platform, '?state=open')).toEqual(['missing volume standing open']);
  const rows = async () => platform.sql`SELECT id, xmin::text, ctid::text FROM drift ORDER BY id`;
  const before = await rows();
  await reconcileNow(platform);
  expect(await rows()).toEqual(before);
  await platform.api.done('DELETE', `/volumes/${id}`);
  await reconcileNow(platform);
});

test('a list that is short or stale for one run is not believed', async () => {
  await platform.simulator.fault({ effect: 'short', operation: 'snapshot.observe', times: 1 });
  expect(await reconcileNow(platform)).toMatchObject(compared(1));
  expect(await reconcileNow(platform)).toMatchObject(compared(0));
  expect(await driftOf(platform, '?state=open')).toEqual([]);
  expect(await driftOf(platform, '?state=suspected')).toEqual([]);
});

test('a provider that has lost so much is not believed, however often it says so', async () => {
  const nothing = `${platform.simulator.url}/v1/regions/tpe-1/volumes`;
  const gone = await Promise.all(disks.slice(2, 9).map((name) => idOf(`/volumes/${name}`)));
  for (const id of gone) await fetch(`${nothing}/${id}`, { method: 'DELETE' });
  for (const _ of ['once', 'twice', 'thrice']) {
    const outcome = await reconcileNow(platform);
    expect(outcome).toMatchObject({ state: 'not-compared', reason: 'observer-wrong' });
  }
  expect(await driftOf(platform, '?state=open')).toEqual([]);
  for (const name of disks.slice(2, 9)) await platform.api.done('DELETE', `/volumes/${name}`);
  expect(await reconcileNow(platform)).toMatchObject(compared(0));
});

test('a provider that does not answer is not compared, and says since when', async () => {
  await platform.simulator.fault({ effect: 'permanent', operation: 'volume.observe' });
  const first = await reconcileNow(platform);
  expect(first).toMatchObject({ state: 'not-compared', reason: 'provider-away' });
  expect(await reconcileNow(platform)).toMatchObject({ since: 'since' in first ? first.since : '' });
});

test('a resource that a job holds is neither missing nor an orphan', async () => {
  await platform.simulator.fault({ effect: 'accept-then-drop', operation: 'volume.create', name: 'held', times: 1 });
  await platform.simulator.fault({ effect: 'permanent', operation: 'volume.get', name: 'held' });
  const { body } = await platform.api.tenant('POST', '/volumes', {
    name: 'held',
    ...at,
    sizeGib: 1,
    onFailure: 'hold',
  });
  await platform.api.jobWhen(body.job.id, ({ state }) => state === 'HELD');
  await reconcileNow(platform);
  await reconcileNow(platform);
  expect(await driftOf(platform, '?state=open')).toEqual([]);
  await platform.simulator.clearFaults();
  await platform.api.settled(body.job.id, 'rollback');
});

test('a scope is paused and resumed, on record, and none is found where there is no such provider', async () => {
  const path = '/api/ops/v1/reconciliations/tpe-1/simulator';
  expect((await platform.api.request('POST', `${path}/pause`, { reason: 'moving racks' })).body).toMatchObject({
    paused: true,
    pausedBecause: 'moving racks',
  });
  expect((await platform.api.request('POST', `${path}/resume`)).body).toMatchObject({ paused: false });
  const acts = (await platform.api.get('/api/ops/v1/audit?limit=500')).body.items;
  expect(acts.filter(({ action }: { action: string }) => action === 'reconciliation.pause')).toHaveLength(1);
  expect((await platform.api.get('/api/ops/v1/reconciliations/tpe-1/nimbus')).status).toBe(404);
});

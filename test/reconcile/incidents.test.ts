import { afterAll, beforeAll, expect, test } from 'vitest';
import { escalateIncidents } from '../../src/db/queries/incidents.ts';
import type { Incident } from '../../src/domain/incident.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { reconcileNow } from '../harness/reconcile.ts';
import { until } from '../harness/until.ts';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform({ environment: { MILLWRIGHT_ESCALATE_MINUTES: '' } });
});
afterAll(() => platform.stop());

const volume = (name: string) => platform.api.done('POST', '/volumes', { name, region: 'tpe-1', sizeGib: 1 });
const all = async (): Promise<Incident[]> => (await platform.api.get('/api/ops/v1/incidents?limit=500')).body.items;
const incident = (kind: string, state: string): Promise<Incident> =>
  until(`an incident ${kind} that is ${state}`, async () =>
    (await all()).find((one) => one.kind === kind && one.state === state),
  );
const told = async (id: string): Promise<string[]> =>
  (
    await platform.sql`SELECT type FROM events WHERE data ->> 'incidentId' = ${id} ORDER BY transaction_id, position`
  ).map(({ type }) => type);
const twice = async (): Promise<void> => {
  await reconcileNow(platform);
  await reconcileNow(platform);
};

test('drift of a resource is one incident, acknowledged with a note, and resolved with its cause', async () => {
  await volume('lost');
  await platform.simulator.removeByHand('lost');
  await twice();
  const opened = await incident('drift', 'open');
  expect(opened).toMatchObject({
    resource: { kind: 'volume', name: 'lost' },
    summary: 'The volume "lost" in tpe-1 is missing at simulator.',
  });
  const path = `/incidents/${opened.id}/acknowledge`;
  expect((await platform.api.tenant('POST', path, {})).status).toBe(400);
  const acknowledged = await platform.api.tenant('POST', path, { note: 'asked the data centre' });
  expect(acknowledged).toMatchObject({ status: 200, body: { state: 'acknowledged', note: 'asked the data centre' } });
  // The first to see to it stays so.
  expect((await platform.api.tenant('POST', path, { note: 'another' })).body.note).toBe('asked the data centre');
  expect(await escalateIncidents(platform.sql, [0])).toBe(0);
  await platform.api.done('DELETE', '/volumes/lost');
  await reconcileNow(platform);
  await incident('drift', 'resolved');
  expect(await told(opened.id)).toEqual(['incident.opened', 'incident.acknowledged', 'incident.resolved']);
  expect((await platform.api.tenant('POST', path, { note: 'late' })).status).toBe(409);
});

test('what nobody sees to is told of again, each time once and to the next', async () => {
  await volume('alone');
  await platform.simulator.removeByHand('alone');
  await twice();
  const { id } = await incident('drift', 'open');
  expect(await escalateIncidents(platform.sql, [0, 60])).toBe(1);
  expect(await escalateIncidents(platform.sql, [0, 60])).toBe(0);
  expect(await escalateIncidents(platform.sql, [0, 0, 0])).toBe(1);
  expect(await told(id)).toEqual([
    'incident.opened',
    ...['first', 'second', 'third'].map((level) => `incident.escalated.${level}`),
  ]);
  await platform.api.done('DELETE', '/volumes/alone');
  await reconcileNow(platform);
  await incident('drift', 'resolved');
});

test('orphans are one incident of the platform, which no tenant sees', async () => {
  const at = `${platform.simulator.url}/v1/regions/tpe-1/volumes`;
  const headers = { 'content-type': 'application/json' };
  for (const key of ['by-hand-1', 'by-hand-2'])
    await fetch(at, { method: 'POST', headers, body: JSON.stringify({ key, name: key, sizeGib: 1 }) });
  await twice();
  const opened = await incident('orphans', 'open');
  expect(opened).toMatchObject({ organizationId: null, resource: { id: null, name: 'tpe-1/simulator' } });
  expect(opened.summary).toContain('simulator has 2 things in tpe-1');
  expect((await platform.api.tenant('GET', '/incidents?state=open')).body.items).toEqual([]);
  expect((await platform.api.tenant('POST', `/incidents/${opened.id}/acknowledge`, { note: 'n' })).status).toBe(404);
  const ops = `/api/ops/v1/incidents/${opened.id}/acknowledge`;
  expect((await platform.api.request('POST', ops, { note: 'ours' })).body).toMatchObject({ state: 'acknowledged' });
  for (const key of ['by-hand-1', 'by-hand-2']) await fetch(`${at}/${key}`, { method: 'DELETE' });
  await reconcileNow(platform);
  await incident('orphans', 'resolved');
});

test('a provider that two runs could not compare is one incident, and a third run writes nothing', async () => {
  await platform.simulator.fault({ effect: 'permanent', operation: 'volume.observe' });
  await reconcileNow(platform);
  const rows = () => platform.sql`SELECT *, xmin::text FROM not_compared`;
  expect(await rows()).toMatchObject([{ confirmed: false, reason: 'provider-away' }]);
  await reconcileNow(platform);
  const opened = await incident('not-compared', 'open');
  expect(opened.summary).toContain('simulator in tpe-1 cannot be compared with what should be there');
  const before = await rows();
  await reconcileNow(platform);
  expect(await rows()).toEqual(before);
  await platform.simulator.clearFaults();
  await reconcileNow(platform);
  await incident('not-compared', 'resolved');
});

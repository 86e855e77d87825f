import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

let platform: TestPlatform;
const ada = 'ada@example.com';
const bob = 'bob@example.com';
beforeAll(async () => {
  platform = await startTestPlatform({ regions: ['tpe-1'] });
  for (const user of [ada, bob]) await made('/role-bindings', { role: 'member', user });
  await made('/maintainer-groups', { name: 'storage-team', description: 'disks', members: [ada] });
});
afterAll(() => platform.stop());

const unique = (stem: string) => `${stem}-${randomUUID().slice(0, 8)}`;
async function made(path: string, body: object) {
  const answer = await platform.api.tenant('POST', path, body);
  expect(answer).toMatchObject({ status: 201 });
  return answer.body;
}
async function volume(): Promise<string> {
  const name = unique('vol');
  await platform.api.done('POST', '/volumes', { name, region: 'tpe-1', sizeGib: 1 });
  return name;
}
const give = (name: string, maintainer: string | null) =>
  platform.api.tenant('PATCH', `/volumes/${name}`, { maintainer });
const maintainedBy = async (maintainer: string): Promise<string[]> => {
  const { body } = await platform.api.tenant('GET', `/volumes?maintainer=${encodeURIComponent(maintainer)}`);
  return body.items.map(({ name }: { name: string }) => name);
};

test('a resource is given to a group or to a person, found by that, and each change is on record with whoever it was before', async () => {
  const { api, sql } = platform;
  const name = await volume();
  const { id, maintainer } = (await api.tenant('GET', `/volumes/${name}`)).body;
  expect(maintainer).toBeNull();

  expect((await give(name, 'storage-team')).body.maintainer).toMatchObject({
    kind: 'maintainer-group',
    name: 'storage-team',
  });
  expect(await maintainedBy('storage-team')).toEqual([name]);
  expect((await give(name, 'ADA@example.com')).body.maintainer).toMatchObject({ kind: 'user', name: ada });
  expect(await maintainedBy('storage-team')).toEqual([]);
  expect(await maintainedBy(ada)).toEqual([name]);
  // The same again is no change.
  await give(name, ada);
  expect((await give(name, null)).body.maintainer).toBeNull();

  const acts = await sql`
    SELECT details ->> 'maintainer' AS now, details ->> 'maintainerBefore' AS before FROM audit_entries
    WHERE resource_id = ${id} AND action = 'volume.update' AND phase = 'opened' ORDER BY transaction_id, position`;
  expect([...acts]).toEqual([
    { now: 'storage-team', before: null },
    { now: ada, before: 'storage-team' },
    { now: null, before: ada },
  ]);
  const events =
    await sql`SELECT data ->> 'maintainer' AS now FROM events WHERE resource_id = ${id} AND type = 'resource.updated' ORDER BY transaction_id, position`;
  expect(events.map(({ now }) => now)).toEqual(['storage-team', ada, null]);
});

test('labels change without the maintainer, and the maintainer without the labels', async () => {
  const name = await volume();
  await give(name, 'storage-team');
  const { body } = await platform.api.tenant('PATCH', `/volumes/${name}`, { labels: { tier: 'db' } });
  expect(body).toMatchObject({ labels: { tier: 'db' }, maintainer: { name: 'storage-team' } });
  expect((await give(name, bob)).body).toMatchObject({ labels: { tier: 'db' }, maintainer: { name: bob } });
});

test('nobody but members and groups of the organization maintain anything', async () => {
  const { api } = platform;
  const name = await volume();
  for (const [stranger, detail] of [
    ['eve@example.com', 'Nobody in the organization'],
    ['network-team', 'There is no maintainer group "network-team"'],
  ] as const) {
    expect(await give(name, stranger)).toMatchObject({
      status: 400,
      body: { errors: [{ pointer: '/maintainer', detail: expect.stringContaining(detail) }] },
    });
    expect((await api.tenant('GET', `/volumes?maintainer=${stranger}`)).status).toBe(400);
  }
  expect((await give(name, 'Not a name!')).status).toBe(400);
  const group = { name: unique('team'), members: [ada, 'eve@example.com', 'mallory@example.com'] };
  expect(await api.tenant('POST', '/maintainer-groups', group)).toMatchObject({
    status: 400,
    body: { errors: [{ pointer: '/members/1' }, { pointer: '/members/2' }] },
  });
  expect((await api.tenant('GET', `/maintainer-groups/${group.name}`)).status).toBe(404);
  expect((await api.tenant('PUT', '/maintainer-groups/storage-team/members/eve@example.com')).status).toBe(404);
  expect((await api.tenant('POST', '/maintainer-groups', { name: 'storage-team' })).status).toBe(409);
});

test('members come and go, and a group that maintains something stays', async () => {
  const { api } = platform;
  const { id, name: group } = await made('/maintainer-groups', { name: unique('team') });
  for (const _ of [1, 2])
    expect((await api.tenant('PUT', `/maintainer-groups/${group}/members/${bob}`)).status).toBe(204);
  expect((await api.tenant('GET', `/maintainer-groups/${id}`)).body.members).toMatchObject([{ email: bob }]);
  expect((await api.tenant('DELETE', `/maintainer-groups/${group}/members/${bob}`)).status).toBe(204);
  expect((await api.tenant('GET', `/maintainer-groups/${id}`)).body.members).toEqual([]);

  const names = [await volume(), await volume()];
  for (const name of names) await give(name, group);
  expect(await api.tenant('DELETE', `/maintainer-groups/${group}`)).toMatchObject({
    status: 409,
    body: { detail: expect.stringContaining(`maintains the volume "${names[0]}" and 1 more`) },
  });
  await give(names[0] ?? '', ada);
  await api.done('DELETE', `/volumes/${names[1]}`);
  expect((await api.tenant('DELETE', `/maintainer-groups/${group}`)).status).toBe(204);
});

test('what somebody who is gone maintained is nobody’s, on record as any change is', async () => {
  const { api, sql } = platform;
  const user = `${unique('carol')}@example.com`;
  await made('/role-bindings', { role: 'viewer', user });
  const name = await volume();
  await give(name, user);
  expect((await api.request('DELETE', `/api/ops/v1/users/${user}`)).status).toBe(204);
  const { id, maintainer } = (await api.tenant('GET', `/volumes/${name}`)).body;
  expect(maintainer).toBeNull();
  const [act] = await sql`
    SELECT details FROM audit_entries
    WHERE resource_id = ${id} AND action = 'volume.update' AND phase = 'opened' ORDER BY transaction_id DESC LIMIT 1`;
  expect(act?.details).toEqual({ maintainer: null, maintainerBefore: user });
  const [event] = await sql`
    SELECT data FROM events WHERE resource_id = ${id} AND type = 'resource.updated' ORDER BY transaction_id DESC LIMIT 1`;
  expect(event?.data).toEqual({ maintainer: null });
});

test('a group that is deleted at the moment it is given something does one or the other, never both', async () => {
  const { api, sql } = platform;
  const name = await volume();
  for (let round = 0; round < 20; round += 1) {
    await give(name, null);
    const { name: group } = await made('/maintainer-groups', { name: unique('brief') });
    const [given, deleted] = await Promise.all([
      give(name, group),
      api.tenant('DELETE', `/maintainer-groups/${group}`),
    ]);
    expect([
      [200, 409],
      [400, 204],
    ]).toContainEqual([given.status, deleted.status]);
  }
  const lost = await sql`
    SELECT name FROM resources r WHERE maintainer_id IS NOT NULL AND deleted_at IS NULL
      AND NOT EXISTS (SELECT FROM maintainer_groups g WHERE g.id = r.maintainer_id)
      AND NOT EXISTS (SELECT FROM users u WHERE u.id = r.maintainer_id)`;
  expect([...lost]).toEqual([]);
});

test('a batch gives a resource to a maintainer, its plan says so, and its rollback gives it back', async () => {
  const { api, simulator } = platform;
  const name = await volume();
  await give(name, ada);
  const file = (end: string) => `name: ${name}
operations:
  - { id: give, type: volume.update, with: { name: ${name}, maintainer: storage-team } }
${end}`;
  const plan = await api.tenant('POST', '/batches?dryRun=true', file(''));
  expect(plan.body.operations[0].differences).toEqual([
    expect.objectContaining({ field: 'maintainer', before: ada, after: 'storage-team' }),
  ]);
  await give(name, bob);
  expect(await api.tenant('POST', `/batches?planHash=${plan.body.hash}`, file(''))).toMatchObject({ status: 409 });
  await give(name, ada);
  await simulator.fault({ effect: 'permanent', operation: 'volume.create', name: `${name}-x` });
  const failing = file(
    `  - { id: x, type: volume.create, region: tpe-1, dependsOn: [give], with: { name: ${name}-x, sizeGib: 1 } }\n`,
  );
  expect(await api.done('POST', '/batches', failing)).toMatchObject({ state: 'FAILED', rollback: 'complete' });
  expect((await api.tenant('GET', `/volumes/${name}`)).body.maintainer).toMatchObject({ name: ada });
  expect(await api.done('POST', '/batches', file(''))).toMatchObject({ state: 'SUCCEEDED' });
  expect((await api.tenant('GET', `/volumes/${name}`)).body.maintainer).toMatchObject({ name: 'storage-team' });
  const again = await api.tenant('POST', '/batches', file(''));
  expect(again.body.resource.counts).toEqual({ UNCHANGED: 1 });
});

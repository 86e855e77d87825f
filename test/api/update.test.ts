import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform();
});
afterAll(() => platform.stop());

async function volume(more: object = {}): Promise<string> {
  const name = `u-${randomUUID().slice(0, 8)}`;
  expect(await platform.api.done('POST', '/volumes', { name, region: 'tpe-1', sizeGib: 1, ...more })).toMatchObject({
    state: 'SUCCEEDED',
  });
  return name;
}
const change = (name: string, body: object) => platform.api.tenant('PATCH', `/volumes/${name}`, body);

test('labels are merged: one named is set, null takes one away, the rest stays', async () => {
  const name = await volume({ labels: { app: 'shop', tier: 'db' } });
  expect(await change(name, { labels: { tier: null, owner: 'ada' } })).toMatchObject({
    status: 200,
    body: { name, labels: { app: 'shop', owner: 'ada' }, deletionProtection: false },
  });
  const labels = (await platform.api.tenant('GET', `/volumes/${name}`)).body.labels;
  expect(labels).toEqual({ app: 'shop', owner: 'ada' });
});

test('protection can be put on and taken off, and keeps only from deletion', async () => {
  const name = await volume();
  await change(name, { deletionProtection: true });
  expect(await platform.api.tenant('DELETE', `/volumes/${name}`)).toMatchObject({
    status: 409,
    body: { detail: expect.stringContaining('--no-deletion-protection') },
  });
  expect(await change(name, { labels: { still: 'changes' } })).toMatchObject({ status: 200 });
  await change(name, { deletionProtection: false });
  expect(await platform.api.done('DELETE', `/volumes/${name}`)).toMatchObject({ state: 'SUCCEEDED' });
});

test('a change is on record and an event; one that changes nothing is neither', async () => {
  const { api, sql } = platform;
  const name = await volume();
  const { id } = (await api.tenant('GET', `/volumes/${name}`)).body;
  const traces = async () => [
    await sql`SELECT FROM audit_entries WHERE resource_id = ${id} AND action = 'volume.update'`,
    await sql`SELECT FROM events WHERE resource_id = ${id} AND type = 'resource.updated'`,
  ];
  expect((await traces()).map(({ length }) => length)).toEqual([0, 0]);
  await change(name, { labels: { a: 'b' } });
  expect((await traces()).map(({ length }) => length)).toEqual([1, 1]);
  const before = (await api.tenant('GET', `/volumes/${name}`)).body.updatedAt;
  expect((await change(name, { labels: { a: 'b' }, deletionProtection: false })).body.updatedAt).toBe(before);
  expect((await traces()).map(({ length }) => length)).toEqual([1, 1]);
});

test('what a batch compares with follows the change', async () => {
  const name = await volume({ labels: { a: '1' } });
  await change(name, { labels: { a: '2' } });
  const file = `name: u
operations: [{ id: v, type: volume.create, region: tpe-1, with: { name: ${name}, sizeGib: 1, labels: { a: "2" } } }]`;
  expect((await platform.api.tenant('POST', '/batches', file)).body.resource.counts).toEqual({ UNCHANGED: 1 });
});

test('a job at work on a resource lets it be labelled while it is made, and not while it is deleted', async () => {
  const { api, simulator } = platform;
  const name = `u-${randomUUID().slice(0, 8)}`;
  const making = await simulator.fault({ effect: 'hang', operation: 'volume.create', name });
  const { body } = await api.tenant('POST', '/volumes', { name, region: 'tpe-1', sizeGib: 1 });
  expect(await change(name, { labels: { a: 'b' } })).toMatchObject({ status: 200, body: { status: 'provisioning' } });
  expect(await api.tenant('DELETE', `/volumes/${name}`)).toMatchObject({ status: 409, body: { jobId: body.job.id } });
  await simulator.removeFault(making);
  await api.jobWhen(body.job.id);
  const deleting = await simulator.fault({ effect: 'hang', operation: 'volume.delete', name });
  const removal = await api.tenant('DELETE', `/volumes/${name}`);
  for (const refused of [
    await change(name, { labels: {}, deletionProtection: true }),
    await api.tenant('DELETE', `/volumes/${name}`),
  ]) {
    expect(refused).toMatchObject({ status: 409, body: { jobId: removal.body.job.id } });
  }
  await simulator.removeFault(deleting);
  expect(await api.jobWhen(removal.body.job.id)).toMatchObject({ state: 'SUCCEEDED' });
});

test('what cannot be changed so is refused, all of it at once', async () => {
  const name = await volume();
  for (const [body, pointer] of [
    [{}, ''],
    [{ name: 'other', deletionProtection: true }, '/name'],
    [{ labels: { 'not a key!': 'x' } }, '/labels/not a key!'],
    [{ deletionProtection: 'yes' }, '/deletionProtection'],
  ] as const) {
    expect(await change(name, body)).toMatchObject({ status: 400, body: { errors: [{ pointer }] } });
  }
  const many = Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`l${index}`, 'x']));
  expect(await change(name, { labels: many })).toMatchObject({
    status: 400,
    body: { errors: [{ pointer: '/labels' }] },
  });
  expect(await change('nowhere', { deletionProtection: true })).toMatchObject({ status: 404 });
});

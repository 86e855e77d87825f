import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { insertEvent } from '../../src/db/queries/outbox.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { type Receiver, startReceiver } from '../harness/receiver.ts';
import { killNow, startRoleProcess } from '../harness/role-process.ts';
import { until } from '../harness/until.ts';

let platform: TestPlatform;
let place: { organizationId: string; projectId: string };
const receivers: Receiver[] = [];
beforeAll(async () => {
  platform = await startTestPlatform({
    environment: {
      MILLWRIGHT_WEBHOOK_ALLOW_NETWORKS: '127.0.0.0/8',
      MILLWRIGHT_WEBHOOK_ALLOW_HTTP: 'true',
      MILLWRIGHT_WEBHOOK_TIMEOUT_MS: '500',
      MILLWRIGHT_WEBHOOK_RETRY_SECONDS: '2,0.2',
    },
  });
  const { body } = await platform.api.tenant('POST', '/volumes', { name: 'first', region: 'tpe-1', sizeGib: 1 });
  place = { organizationId: body.resource.organizationId, projectId: body.resource.projectId };
  await platform.api.jobWhen(body.job.id);
});
afterEach(async () => {
  const { body } = await platform.api.tenant('GET', '/webhooks');
  for (const { id } of body.items) await platform.api.tenant('DELETE', `/webhooks/${id}`);
  await Promise.all(receivers.splice(0).map((receiver) => receiver.stop()));
});
afterAll(() => platform.stop());

/** An endpoint, and a webhook to it. */
async function hooked(more: object = {}) {
  const receiver = await startReceiver();
  receivers.push(receiver);
  const name = `hook-${randomUUID().slice(0, 8)}`;
  const { status, body } = await platform.api.tenant('POST', '/webhooks', { name, url: receiver.url, ...more });
  expect(status, JSON.stringify(body)).toBe(201);
  return { receiver, webhook: body, path: `/webhooks/${body.id}` };
}
const tell = (type: string, id: string = randomUUID(), kind = 'volume'): Promise<void> =>
  insertEvent(platform.sql, { ...place, type, resource: { id, kind, name: 'told' } });
const deliveries = async (path: string, state: string) =>
  (await platform.api.tenant('GET', `${path}/deliveries?state=${state}`)).body.items;
const types = (events: readonly { type: string }[]): string[] => events.map(({ type }) => type);

test('a webhook gets the events of its project in order, signed so that the library verifies them', async () => {
  const { receiver, webhook } = await hooked({ types: ['job.*'] });
  const job = await platform.api.done('POST', '/volumes', { name: 'hooked', region: 'tpe-1', sizeGib: 1 });
  const events = await receiver.takes(4);
  expect(types(events)).toEqual(['job.accepted', 'job.step', 'job.step', 'job.ended']);
  expect(events.at(-1)).toMatchObject({ jobId: job.id, resource: { name: 'hooked', status: 'available' } });
  expect(webhook.secret).toMatch(/^whsec_/);
  for (const one of receiver.received) {
    receiver.verify(one, webhook.secret);
    expect(one.id).toBe(one.event.id);
    expect(JSON.parse(one.body)).toMatchObject({ type: one.event.type, timestamp: one.event.at });
    expect(() => receiver.verify({ ...one, body: `${one.body} ` }, webhook.secret)).toThrow('No matching signature');
  }
  const { body } = await platform.api.get(`/api/tenant/v1/events?job=${job.id}`);
  expect(body.items).toEqual(events);
});

test('a webhook gets only the types and kinds that it wants', async () => {
  const { receiver } = await hooked({ types: ['told.*', 'other.one'], kinds: ['volume'] });
  for (const type of ['told.a', 'other.two', 'other.one']) await tell(type);
  await tell('told.vm', randomUUID(), 'vm');
  await tell('told.last');
  expect(types(await receiver.takes(3))).toEqual(['told.a', 'other.one', 'told.last']);
});

test('what fails by status or time-out is sent again under the same id, before what comes after it', async () => {
  const { receiver, path } = await hooked({ types: ['told.*'] });
  const id = randomUUID();
  let attempts = 0;
  receiver.answer(({ type }) => {
    if (type !== 'told.first') return { status: 200 };
    attempts += 1;
    return attempts === 1
      ? { status: 500, body: 'x'.repeat(5000) }
      : attempts === 2
        ? { status: 'hangs' }
        : { status: 200 };
  });
  await tell('told.first', id);
  await tell('told.then', id);
  expect(types(await receiver.takes(2))).toEqual(['told.first', 'told.then']);
  const first = receiver.received.filter(({ event }) => event.type === 'told.first');
  expect(first).toHaveLength(3);
  expect(new Set(first.map((one) => one.id)).size).toBe(1);
  expect(new Set(first.map(({ headers }) => headers['webhook-signature'])).size).toBeGreaterThan(1);
  const done = await until('both to be recorded', async () => {
    const ended = await deliveries(path, 'delivered');
    return ended.length === 2 && ended;
  });
  expect(done.map(({ attempts: made }: { attempts: number }) => made)).toEqual([1, 3]);
});

test('an event about another resource does not wait for one that fails', async () => {
  const { receiver } = await hooked({ types: ['told.*'] });
  receiver.answer(({ type }) => ({ status: type === 'told.poison' ? 500 : 200 }));
  const id = randomUUID();
  await tell('told.poison', id);
  await tell('told.behind', id);
  await tell('told.other');
  expect(types(await receiver.takes(2))).toEqual(['told.other', 'told.behind']);
});

test('what was tried as often as it may be is a dead letter, and is delivered when it is redelivered', async () => {
  const { receiver, path, webhook } = await hooked({ types: ['told.*'] });
  receiver.answer({ status: 503, body: 'not today' });
  await tell('told.one');
  await tell('told.two');
  const dead = await until('dead letters', async () => {
    const items = await deliveries(path, 'dead');
    return items.length === 2 && items;
  });
  expect(dead[0]).toMatchObject({
    attempts: 3,
    status: 503,
    response: 'not today',
    error: expect.stringContaining('503'),
  });
  expect((await platform.api.tenant('GET', path)).body).toMatchObject({ deliveries: { pending: 0, dead: 2 } });
  receiver.answer({ status: 200 });
  const [second, first] = dead;
  expect(await platform.api.tenant('POST', `${path}/deliveries/${second.id}/redeliver`)).toMatchObject({
    status: 202,
    body: { redelivered: 1 },
  });
  expect(types(await receiver.takes(1))).toEqual(['told.two']);
  expect(await platform.api.tenant('POST', `${path}/redeliver`)).toMatchObject({ body: { redelivered: 1 } });
  const events = await receiver.takes(2);
  expect(events.map(({ id }) => id)).toEqual([second.eventId, first.eventId]);
  receiver.verify(receiver.received.at(-1) ?? expect.fail('nothing came'), webhook.secret);
});

test('an endpoint that says when to come back is left alone until then', async () => {
  const { receiver } = await hooked({ types: ['told.*'] });
  receiver.answer({ status: 429, headers: { 'retry-after': '2' } });
  await tell('told.one');
  await tell('told.two');
  await until('the first attempt', async () => receiver.received.length === 1);
  receiver.answer({ status: 200 });
  await receiver.takes(2);
  const [first, second] = receiver.received;
  expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(1900);
});

test('an endpoint that answers 410 is disabled, with an event that says so, and goes on when it is enabled', async () => {
  const { receiver, path, webhook } = await hooked({ types: ['told.*'] });
  receiver.answer({ status: 410 });
  await tell('told.one');
  await until('it to be disabled', async () => (await platform.api.tenant('GET', path)).body.state === 'disabled');
  const { body } = await platform.api.get(`/api/tenant/v1/events?type=webhook.disabled&resource=${webhook.id}`);
  expect(body.items).toMatchObject([
    { resource: { status: 'disabled' }, data: { reason: expect.stringContaining('410') } },
  ]);
  await tell('told.meanwhile');
  receiver.answer({ status: 200 });
  expect(await platform.api.tenant('PATCH', path, { enabled: true })).toMatchObject({ body: { state: 'enabled' } });
  expect(types(await receiver.takes(1))).toEqual(['told.meanwhile']);
});

test('during a rotation both secrets verify, and afterwards the new one alone', async () => {
  const { receiver, path, webhook } = await hooked({ types: ['told.*'] });
  const rotated = await platform.api.tenant('POST', `${path}/rotate`, { graceSeconds: 3600 });
  expect(rotated.body.secret).not.toBe(webhook.secret);
  await tell('told.during');
  await receiver.takes(1);
  const [during] = receiver.received;
  if (!during) throw new Error('nothing came');
  for (const secret of [webhook.secret, rotated.body.secret]) receiver.verify(during, secret);
  const last = await platform.api.tenant('POST', `${path}/rotate`, { graceSeconds: 0 });
  await tell('told.after');
  await receiver.takes(2);
  const after = receiver.received.at(-1) ?? expect.fail('nothing came');
  receiver.verify(after, last.body.secret);
  expect(() => receiver.verify(after, rotated.body.secret)).toThrow('No matching signature');
});

test('a secret is shown once, and stands nowhere in clear', async () => {
  const { path, webhook } = await hooked();
  expect(JSON.stringify((await platform.api.tenant('GET', path)).body)).not.toContain(webhook.secret);
  for (const table of ['webhooks', 'events', 'audit_entries', 'webhook_deliveries']) {
    const rows = await platform.sql.unsafe(`SELECT t::text AS row FROM ${table} t`);
    expect(rows.filter(({ row }) => row.includes(webhook.secret.slice('whsec_'.length)))).toEqual([]);
  }
});

test('a ping reaches its webhook alone, whatever that wants', async () => {
  const one = await hooked({ types: ['none.of-these'] });
  const other = await hooked();
  expect(await platform.api.tenant('POST', `${one.path}/ping`)).toMatchObject({ status: 202 });
  expect(types(await one.receiver.takes(1))).toEqual(['webhook.ping']);
  await tell('told.last');
  await until('the other to get what is its own', async () => types(other.receiver.taken()).includes('told.last'));
  expect(types(other.receiver.taken())).not.toContain('webhook.ping');
});

test('a redirect is an answer like others, and not followed', async () => {
  const { receiver } = await hooked({ types: ['told.*'] });
  const { receiver: elsewhere } = await hooked({ types: ['none.of-these'] });
  receiver.answer({ status: 302, headers: { location: elsewhere.url } });
  await tell('told.one');
  await until('two attempts', async () => receiver.received.length >= 2);
  expect(elsewhere.received).toEqual([]);
});

test('endpoints that hang do not delay others, of the same project or another', async () => {
  const hanging = await Promise.all(Array.from({ length: 12 }, () => hooked({ types: ['told.*'] })));
  for (const { receiver } of hanging) receiver.answer({ status: 'hangs' });
  await platform.api.tenant('POST', '/projects', { name: 'neighbour' });
  const receiver = await startReceiver();
  receivers.push(receiver);
  const { body } = await platform.api.tenant('POST', '/webhooks?project=neighbour', {
    name: 'quick',
    url: receiver.url,
    types: ['told.*'],
  });
  for (let round = 0; round < 5; round += 1) {
    await tell('told.hang');
    const begun = performance.now();
    await insertEvent(platform.sql, { ...place, projectId: body.projectId, type: 'told.quick', resource: null });
    await receiver.takes(round + 1);
    expect(performance.now() - begun).toBeLessThan(2500);
  }
  await platform.api.tenant('DELETE', `/webhooks/${body.id}?project=neighbour`);
});

test('a control worker that is killed in the midst of delivering loses no event', async () => {
  await platform.control.stop();
  const { receiver, path } = await hooked({ types: ['told.*'] });
  const ids = Array.from({ length: 6 }, () => randomUUID());
  receiver.answer(({ type }) => ({ status: type.endsWith('-slow') ? 'hangs' : 200 }));
  const names = Array.from({ length: 60 }, (_, index) => `told.${'x'.repeat(index + 1)}${index === 20 ? '-slow' : ''}`);
  for (const [index, type] of names.entries()) await tell(type, ids[index % ids.length]);
  const config = { ...platform.config, MILLWRIGHT_WEBHOOK_TIMEOUT_MS: 30_000 };
  const first = await startRoleProcess(config, ['worker', 'control']);
  await until('it to be in the midst of an attempt', async () => receiver.received.at(-1)?.status === 'hangs');
  await killNow(first);
  receiver.answer({ status: 200 });
  const second = await startRoleProcess(platform.config, ['worker', 'control']);
  await until('all to have come', async () => new Set(types(receiver.taken())).size === names.length, 40_000);
  await until('all to be recorded', async () => (await deliveries(path, 'pending')).length === 0);
  await killNow(second);
  const taken = receiver.taken();
  for (const id of ids) {
    const mine = taken.filter(({ resource }) => resource?.id === id).map(({ type }) => type);
    expect([...new Set(mine)]).toEqual(names.filter((_, index) => ids[index % ids.length] === id));
  }
  expect(taken.length).toBeLessThanOrEqual(names.length + 1);
}, 120_000);

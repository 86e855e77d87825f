import { randomUUID } from 'node:crypto';
import type { Sql } from 'postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTail } from '../../api/events/tail.ts';
import { startApi } from '../../api/server.ts';
import { insertEvent, insertEvents } from '../../src/db/queries/outbox.ts';
import type { Event } from '../../src/domain/event.ts';
import { createLogger } from '../../src/log.ts';
import { Api } from '../harness/api.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { watch } from '../harness/sse.ts';
import { until } from '../harness/until.ts';

let platform: TestPlatform;
let place: { organizationId: string; projectId: string };
const log = createLogger('test', 'silent');
beforeAll(async () => {
  platform = await startTestPlatform();
  const { body } = await platform.api.tenant('POST', '/volumes', { name: 'first', region: 'tpe-1', sizeGib: 1 });
  place = { organizationId: body.resource.organizationId, projectId: body.resource.projectId };
  await platform.api.jobWhen(body.job.id);
});
afterAll(() => platform.stop());

const volume = (name: string) => ({ name, region: 'tpe-1', sizeGib: 1 });
const story = (events: readonly Event[]): string[] =>
  events.map(({ type, data, resource }) => `${type} ${data.state} ${resource?.status ?? ''}`.trim());
const lifeOfVolume = [
  'job.accepted PENDING provisioning',
  'job.step RUNNING',
  'job.step RUNNING',
  'job.ended SUCCEEDED available',
];
/** An event of a resource of its own, told from others by its type. */
const tell = (type: string, id: string = randomUUID()): Promise<void> =>
  insertEvent(platform.sql, { ...place, type, resource: { id, kind: 'volume', name: 'told' } });
const tenant = '/api/tenant/v1';
const never = new AbortController().signal;

test('a resource is watched from its first event to its deletion', async () => {
  const { api } = platform;
  const { body } = await api.tenant('POST', '/volumes', volume('watched'));
  const watcher = await watch(api, `${tenant}/volumes/watched/events`);
  await api.jobWhen(body.job.id);
  const deletion = await api.done('DELETE', '/volumes/watched');
  await watcher.ended;
  expect(story(watcher.seen)).toEqual([
    ...lifeOfVolume,
    'job.accepted PENDING deleting',
    'job.step RUNNING',
    'job.step RUNNING',
    'job.ended SUCCEEDED deleted',
  ]);
  expect(new Set(watcher.seen.map(({ jobId }) => jobId))).toEqual(new Set([body.job.id, deletion.id]));
  const late = await watch(api, `${tenant}/volumes/${body.resource.id}/events`, watcher.lastId());
  await late.ended;
  expect(late.seen).toEqual([]);
});

test('a project is watched from now on, or from where one was', async () => {
  const { api } = platform;
  const watcher = await watch(api, `${tenant}/events/watch`);
  expect(watcher.seen).toEqual([]);
  const job = await api.done('POST', '/volumes', volume('in-project'));
  const seen = () => watcher.seen.filter(({ jobId }) => jobId === job.id);
  await until('its last event', async () => seen().length === lifeOfVolume.length);
  expect(story(seen())).toEqual(lifeOfVolume);
  await watcher.leave();
  const again = await watch(api, `${tenant}/events/watch?job=${job.id}`, seen()[1]?.id);
  await until('the rest', async () => again.seen.length === 2);
  expect(again.seen).toEqual(seen().slice(2));
  await again.leave();
});

test('pages go on from any cursor, and what is asked for is all that comes', async () => {
  const { api } = platform;
  const begun = (await api.get(`${tenant}/events?limit=500`)).body.cursor;
  const job = await api.done('POST', '/volumes', volume('paged'));
  await tell('incident.opened');
  const page = async (query: string) => (await api.get(`${tenant}/events?cursor=${begun}${query}`)).body;
  const all = await page('');
  expect(story(all.items.slice(0, 4))).toEqual(lifeOfVolume);
  expect(all).toMatchObject({ nextCursor: null, cursor: expect.stringMatching(/^\d+-\d+$/) });
  const first = await page('&limit=2');
  const { body: second } = await api.get(`${tenant}/events?cursor=${first.nextCursor}`);
  expect([...first.items, ...second.items]).toEqual(all.items);
  expect(story((await page('&type=job.ended')).items)).toEqual(['job.ended SUCCEEDED available']);
  expect((await page('&type=incident.*,resource.updated')).items).toMatchObject([{ type: 'incident.opened' }]);
  expect((await page(`&resource=${job.resource.id}`)).items).toHaveLength(4);
  expect((await page(`&job=${job.id}`)).items).toHaveLength(4);
  expect((await page('&kind=vm')).items).toEqual([]);
  const since = all.items[2].at;
  const { body: later } = await api.get(`${tenant}/events?since=${since}`);
  expect(later.items[0].at >= since).toBe(true);
  expect(later.items.at(-1)).toEqual(all.items.at(-1));
});

test('the events of another project are not to be seen', async () => {
  const { api } = platform;
  const { body: other } = await api.tenant('POST', '/projects', { name: 'next-door' });
  await tell('resource.updated');
  expect(await api.get(`${tenant}/events?project=${other.id}`)).toMatchObject({ status: 200, body: { items: [] } });
  const { body } = await api.tenant('GET', '/volumes/first');
  expect(await api.get(`${tenant}/volumes/${body.id}/events?project=${other.id}`)).toMatchObject({ status: 404 });
});

test('what is not a cursor, a time or a type is refused', async () => {
  const { api } = platform;
  for (const query of [
    'cursor=nonsense',
    'since=yesterday',
    'type=%25',
    'kind=VM',
    'cursor=1-1&since=2026-01-01T00:00:00Z',
  ])
    expect((await api.get(`${tenant}/events?${query}`)).status, query).toBe(400);
});

test('a hundred watchers each see every event, and the outbox is read for all of them at once', async () => {
  let reads = 0;
  const counted = new Proxy(platform.sql, {
    get: (target, key, receiver) => {
      if (key === 'unsafe') reads += 1;
      return Reflect.get(target, key, receiver);
    },
  }) as Sql;
  const tail = createTail(counted, never, log);
  const joined = await Promise.all(Array.from({ length: 100 }, () => tail.join({ types: ['told.*'] })));
  const types = Array.from(
    { length: 30 },
    (_, index) => `told.${String.fromCharCode(97 + (index % 26))}${'x'.repeat(index)}`,
  );
  const begun = performance.now();
  for (const type of types) await tell(type);
  const seen = await Promise.all(
    joined.map(async (subscription) => {
      const mine: string[] = [];
      while (mine.length < types.length) {
        const news = await subscription.take(5000, never);
        if (!Array.isArray(news)) throw new Error('nothing came');
        mine.push(...news.map(({ type }: Event) => type));
      }
      return mine;
    }),
  );
  for (const mine of seen) expect(mine).toEqual(types);
  expect(reads).toBeLessThanOrEqual(2 + (performance.now() - begun) / 200);
  for (const subscription of joined) subscription.leave();
  const after = reads;
  await until('the tail to rest', async () => {
    const before = reads;
    await new Promise((done) => setTimeout(done, 450));
    return reads === before;
  });
  expect(reads - after).toBeLessThanOrEqual(2);
});

test('a watcher that takes nothing is caught up from the database, and keeps no more than its share of memory', async () => {
  const tail = createTail(platform.sql, never, log);
  const [slow, quick] = await Promise.all([tail.join({ types: ['flood.*'] }), tail.join({ types: ['flood.*'] })]);
  const flood = { ...place, type: 'flood.came', resource: null };
  await insertEvents(
    platform.sql,
    Array.from({ length: 1500 }, () => flood),
  );
  for (let seen = 0; seen < 1500; ) {
    const news = await quick.take(5000, never);
    if (!Array.isArray(news)) throw new Error('the flood has not come');
    seen += news.length;
  }
  expect(await slow.take(5000, never)).toBe('behind');
  for (const subscription of [slow, quick]) subscription.leave();
});

test('a watcher that comes back after each restart of the API sees every event exactly once, in order', async () => {
  const start = async () => {
    const role = await startApi({ ...platform.config, MILLWRIGHT_API_PORT: 0 }, log);
    return { role, api: new Api(`http://127.0.0.1:${role.port}`, platform.api.token) };
  };
  const id = randomUUID();
  const expected: string[] = [];
  const seen: string[] = [];
  let lastId: string | undefined;
  for (let round = 0; round < 4; round += 1) {
    const { role, api } = await start();
    const watcher = await watch(api, `${tenant}/events/watch?resource=${id}`, lastId);
    lastId ??= watcher.lastId();
    const telling = (async () => {
      for (let index = 0; index < 40; index += 1) {
        const type = `round-${'abcd'[round]}.${'x'.repeat(index + 1)}`;
        await tell(type, id);
        expected.push(type);
      }
    })();
    await until('some events', async () => watcher.seen.length > 5);
    const stoppedAt = performance.now();
    await role.stop();
    await watcher.ended;
    expect(performance.now() - stoppedAt).toBeLessThan(2500);
    await telling;
    seen.push(...watcher.seen.map(({ type }) => type));
    lastId = watcher.lastId();
  }
  const { role, api } = await start();
  const watcher = await watch(api, `${tenant}/events/watch?resource=${id}`, lastId);
  await until('the rest', async () => seen.length + watcher.seen.length >= expected.length);
  seen.push(...watcher.seen.map(({ type }) => type));
  expect(seen).toEqual(expected);
  await watcher.leave();
  await role.stop();
});

test('a stream ends within seconds when its token is revoked', async () => {
  const { api } = platform;
  const { body } = await api.tenant('POST', '/tokens', { name: 'short-lived', role: 'viewer' });
  const watcher = await watch(new Api(api.url, body.secret ?? body.token), `${tenant}/events/watch`);
  await platform.sql`UPDATE api_tokens SET revoked_at = now() WHERE name = 'short-lived'`;
  const ended = await Promise.race([
    watcher.ended.then(() => 'ended'),
    until('ever', async () => false, 8000).catch(() => 'goes on'),
  ]);
  expect(ended).toBe('ended');
});

test('a cursor from before what is kept is answered with 410, by pages and by streams', async () => {
  const { api, sql } = platform;
  const { body } = await api.get(`${tenant}/events?limit=2`);
  const [old, next] = body.items;
  const [transaction, position] = next.id.split('-');
  await sql`INSERT INTO events_deleted (transaction_id, position, at) VALUES (${transaction}::text::xid8, ${position}, ${next.at})`;
  expect(await api.get(`${tenant}/events?cursor=${old.id}`)).toMatchObject({ status: 410, body: { code: 'gone' } });
  expect(await api.get(`${tenant}/events?since=${old.at}`)).toMatchObject({ status: 410 });
  expect(await api.request('GET', `${tenant}/events/watch`, undefined, { 'last-event-id': old.id })).toMatchObject({
    status: 410,
    body: { detail: expect.stringContaining('begin anew') },
  });
  expect((await api.get(`${tenant}/events?cursor=${next.id}`)).status).toBe(200);
  expect((await api.get(`${tenant}/events`)).status).toBe(200);
});

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import { type FakeApi, json, startApi } from './api.ts';
import { at, millwright } from './millwright.ts';
import { batch, jobOf, operation } from './things.ts';

let api: FakeApi | undefined;
afterEach(async () => {
  await api?.stop();
  api = undefined;
});

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'millwright-batch-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

const waiting = {
  kind: 'slot',
  reason: 'a slot: parallelLimit is 1, and 1 are under way',
  since: null,
  until: null,
} as const;
const one = batch([operation('db', 'RUNNING'), operation('web', 'PENDING', { waitingFor: waiting })], {
  state: 'RUNNING',
});
const progress = { ...one.progress, waiting: [{ kind: 'slot', count: 1, reason: waiting.reason }] };

test('batch get says what waits, and lists the operations of a small batch only', async () => {
  const asked: string[] = [];
  api = await startApi({
    'GET /batches/web': ({ query }, response) => {
      asked.push(String(query.get('view')));
      json(response, { ...one, progress });
    },
    [`GET /batches/${one.id}/operations`]: (_, response) => json(response, { items: one.operations, nextCursor: null }),
    'GET /batches/vast': (_, response) => json(response, { ...one, progress, counts: { PENDING: 9000, FAILED: 1000 } }),
  });
  const small = await millwright(['batch', 'get', 'web'], { env: at(api.url) });
  expect(small.out).toMatch(/ {2}slot +1: a slot: parallelLimit is 1/);
  expect(small.out).toMatch(/^web +vm\.create +PENDING .*a slot: parallelLimit is 1, and 1 are under way$/m);
  const vast = await millwright(['batch', 'get', 'vast'], { env: at(api.url) });
  expect(vast.out).toContain('9,000 PENDING, 1,000 FAILED');
  expect(vast.err).toContain('It has 10,000 operations. See them with: millwright batch operations vast');
  expect(asked).toEqual(['basic']);
});

test('batch operations asks for several states', async () => {
  let states: string[] = [];
  api = await startApi({
    'GET /batches/web/operations': ({ query }, response) => {
      states = query.getAll('state');
      json(response, { items: [], nextCursor: null });
    },
  });
  const words = ['batch', 'operations', 'web', '--state', 'FAILED', '--state', 'SKIPPED'];
  const { code, err } = await millwright(words, { env: at(api.url) });
  expect([code, err]).toEqual([0, 'No such operations in this batch.\n']);
  expect(states).toEqual(['FAILED', 'SKIPPED']);
  expect((await millwright(['batch', 'operations', 'web', '--state', 'LOST'], { env: at(api.url) })).code).toBe(2);
});

test('batch timeline shows the critical path, or writes the picture', async () => {
  const time = '2026-11-23T12:00:00.000Z';
  const timeline = {
    id: one.id,
    name: 'web',
    state: 'SUCCEEDED',
    rollback: 'none',
    createdAt: time,
    startedAt: time,
    endedAt: time,
    at: time,
    lanes: 1,
    criticalPath: [{ id: 'db', waitedSeconds: 0.5, seconds: 9.5, share: 1 }],
    operations: [],
  };
  api = await startApi({
    'GET /batches/web/timeline': ({ query }, response) => {
      if (query.get('format') === 'svg') response.end('<svg/>');
      else json(response, timeline);
    },
  });
  const { out } = await millwright(['batch', 'timeline', 'web'], { env: at(api.url) });
  expect(out).toBe('OPERATION   WAITED   TOOK   SHARE\ndb          0.5s     9.5s   100.0 %\n');
  const file = join(folder(), 'web.svg');
  await millwright(['batch', 'timeline', 'web', '--svg', file], { env: at(api.url) });
  expect(readFileSync(file, 'utf8')).toBe('<svg/>');
});

test('batch delete begins the job that deletes, and says so where all is gone already', async () => {
  const done = jobOf(one, { state: 'SUCCEEDED' });
  api = await startApi({
    'DELETE /batches/web': (_, response) => json(response, { resource: one, job: jobOf(one) }, 202),
    'DELETE /batches/gone': (_, response) => json(response, { resource: one, job: done }, 202),
  });
  expect((await millwright(['batch', 'delete', 'web'], { env: at(api.url) })).err).toContain('Watch it with');
  const gone = await millwright(['batch', 'delete', 'gone', '--watch'], { env: at(api.url) });
  expect([gone.code, gone.err]).toEqual([0, 'Nothing to do: all of it is deleted already.\n']);
});

test('batch convert needs no platform: the file goes to standard output, what is left over to standard error', async () => {
  const file = join(folder(), 'old.k');
  const server = '{name = "web-1", plan = "p1", zone = "tpe-1", tags = ["a"]}';
  writeFileSync(file, `name = "old"\noperations = [\n  {id = "web", type = "server", servers = [${server}]}\n]\n`);
  const words = ['batch', 'convert', file, '--flavor-map', 'p1=small,p2=large', '--image', 'debian-13'];
  const { code, out, err } = await millwright(words);
  expect(code).toBe(0);
  expect(out).toContain(
    '      flavor: small\n      image: debian-13\n      # tags: ["a"] has no like in a batch file\n',
  );
  expect(err).toBe(
    `${file}:3: operation "web": tags: ["a"] has no like in a batch file\nOne thing is left to you; see the comments.\n`,
  );
  expect((await millwright(['batch', 'convert', file, '--flavor-map', 'p1'])).code).toBe(2);
});

test('decisions on a batch and its operations are asked for with their reason, and the batch is shown as it then is', async () => {
  const route = (_: unknown, response: ServerResponse): void => json(response, {});
  const within = '/batches/web/operations/site%2Fdb';
  api = await startApi({
    'GET /batches/web': (_, response) => json(response, one),
    ...Object.fromEntries(['pause', 'resume', 'cancel'].map((act) => [`POST /batches/web/${act}`, route])),
    ...Object.fromEntries(['settle', 'approve', 'reject'].map((act) => [`POST ${within}/${act}`, route])),
  });
  const env = at(api.url);
  for (const act of ['pause', 'resume', 'cancel']) {
    const { code, out } = await millwright(['batch', act, 'web', '--reason', 'so'], { env });
    expect([code, out]).toEqual([0, expect.stringMatching(/^web .* RUNNING /m)]);
  }
  for (const act of ['approve', 'reject'])
    await millwright(['batch', act, 'web', 'site/db', '--reason', 'so'], { env });
  await millwright(['batch', 'settle', 'web', 'site/db', 'retry', '--reason', 'mended'], { env });
  const asked = api.asked.filter(({ method }) => method === 'POST');
  expect(asked.map(({ path, body }) => `${path.replace('/api/tenant/v1', '')} ${body}`)).toEqual([
    '/batches/web/pause {"reason":"so"}',
    '/batches/web/resume {"reason":"so"}',
    '/batches/web/cancel {"reason":"so"}',
    `${within}/approve {"reason":"so"}`,
    `${within}/reject {"reason":"so"}`,
    `${within}/settle {"action":"retry","reason":"mended"}`,
  ]);
  expect((await millwright(['batch', 'pause', 'web'], { env })).code).toBe(2);
});

test('a batch is resumed as another file says, with other values', async () => {
  api = await startApi({
    'GET /batches/web': (_, response) => json(response, one),
    'POST /batches/web/resume': (_, response) => json(response, {}),
  });
  const env = at(api.url);
  const file = join(folder(), 'web.yaml');
  writeFileSync(file, 'name: web\n');
  const resume = (...more: string[]) => millwright(['batch', 'resume', 'web', ...more, '--reason', 'so'], { env });

  expect(await resume(file)).toMatchObject({ code: 0, out: expect.stringMatching(/^web .* RUNNING /m) });
  expect(await resume(file, '--var', 'size=medium')).toMatchObject({ code: 0 });
  const [whole, form] = api.asked.filter(({ method }) => method === 'POST');
  expect([whole?.body, whole?.query.get('reason'), whole?.headers['content-type']]).toEqual([
    'name: web\n',
    'so',
    'application/yaml',
  ]);
  expect([form?.body, form?.query.get('reason')]).toEqual([expect.stringContaining('{"size":"medium"}'), 'so']);
  expect(await resume('--var', 'size=medium')).toMatchObject({
    code: 2,
    err: expect.stringContaining('need the file'),
  });
});

import { afterEach, expect, test } from 'vitest';
import { parse } from 'yaml';
import { type FakeApi, json, startApi } from './api.ts';
import { at, millwright } from './millwright.ts';
import { batch, job, operation, vm } from './things.ts';

let api: FakeApi;
afterEach(() => api.stop());

const page = (items: readonly unknown[], nextCursor: string | null = null) => ({ items, nextCursor });

test('a list is an aligned table with ages, nothing cut', async () => {
  const long = 'a-name-that-is-as-long-as-names-may-be-which-is-sixty-three-chars';
  const reason = 'The provider has no room left for machines of this size in any of its racks; ask for a smaller one.';
  const items = [vm('web-1'), vm(long.slice(0, 63), { status: 'error', statusReason: reason, memoryMib: 1536 })];
  api = await startApi({ 'GET /vms': (_, response) => json(response, page(items)) });
  const { code, out, err } = await millwright(['vm', 'list'], { env: at(api.url) });
  const [head = '', first = '', second = '', end] = out.split('\n');
  expect(code).toBe(0);
  expect(err).toBe('');
  expect(head.split(/ {3,}/)).toEqual([
    ...[
      'NAME',
      'STATUS',
      'REGION',
      'PROVIDER',
      'FLAVOR',
      'VCPUS',
      'MEMORY',
      'DISK',
      'IMAGE',
      'ADDRESS',
      'AGE',
      'REASON',
    ],
  ]);
  expect(first).toMatch(/^web-1 +running +tpe-1 +simulator +small +1 +2GiB +10GiB +debian-13 +10\.0\.0\.4 +3m$/);
  expect(second).toContain('1536MiB');
  expect(second.endsWith(reason)).toBe(true);
  expect(first.indexOf('running')).toBe(head.indexOf('STATUS'));
  expect(end).toBe('');
});

test('json and yaml are what the API gave, with what this version does not know', async () => {
  const items = [{ ...vm('web-1'), addedLater: { by: 'a newer API' } }];
  api = await startApi({ 'GET /vms': (_, response) => json(response, page(items)) });
  const asJson = await millwright(['vm', 'list', '-o', 'json'], { env: at(api.url) });
  const asYaml = await millwright(['vm', 'list', '--output', 'yaml'], { env: at(api.url) });
  expect(JSON.parse(asJson.out)).toEqual(items);
  expect(parse(asYaml.out)).toEqual(items);
});

test('a list has every page, or as many as are asked for', async () => {
  const all = Array.from({ length: 5 }, (_, index) => vm(`web-${index}`));
  api = await startApi({
    'GET /vms': ({ query }, response) => {
      const from = Number(query.get('cursor') ?? 0);
      const to = from + Math.min(2, Number(query.get('limit')));
      json(response, page(all.slice(from, to), to < all.length ? String(to) : null));
    },
  });
  const everything = await millwright(['vm', 'list', '-o', 'json'], { env: at(api.url) });
  const three = await millwright(['vm', 'list', '-o', 'json', '--limit', '3'], { env: at(api.url) });
  expect(JSON.parse(everything.out)).toHaveLength(5);
  expect(JSON.parse(three.out).map(({ name }: { name: string }) => name)).toEqual(['web-0', 'web-1', 'web-2']);
});

test('an empty list says so beside the data', async () => {
  api = await startApi({ 'GET /networks': (_, response) => json(response, page([])) });
  const asTable = await millwright(['network', 'list'], { env: at(api.url) });
  const asJson = await millwright(['network', 'list', '-o', 'json'], { env: at(api.url) });
  expect(asTable).toEqual({ code: 0, out: '', err: 'No networks in this project.\n' });
  expect(asJson.out).toBe('[]\n');
});

test('what a stranger named cannot steer the terminal', async () => {
  const hostile = vm('web-1', { statusReason: 'boom\u001b[2J\r\nmillwright: all is well' });
  api = await startApi({ 'GET /vms/web-1': (_, response) => json(response, hostile) });
  const { out } = await millwright(['vm', 'get', 'web-1'], { env: at(api.url) });
  expect(out).toContain('boom millwright: all is well');
  expect(out.split('\n')).toHaveLength(3);
});

test('create sends what its options say and shows resource and job', async () => {
  const accepted = { resource: vm('web-1', { status: 'provisioning' }), job: job() };
  api = await startApi({ 'POST /vms': (_, response) => json(response, accepted, 202) });
  const key = 'ssh-ed25519 AAAA me@here';
  const words =
    'vm create web-1 --region tpe-1 --flavor small --image debian-13 --network a --network b --label tier=web --label x=';
  const asked = [...words.split(' '), '--ssh-key', key, '--deletion-protection', '--project', 'shop'];
  const { code, out, err } = await millwright(asked, { env: at(api.url) });
  expect(code).toBe(0);
  expect(JSON.parse(api.asked[0]?.body ?? '')).toEqual({
    name: 'web-1',
    region: 'tpe-1',
    flavor: 'small',
    image: 'debian-13',
    networks: ['a', 'b'],
    labels: { tier: 'web', x: '' },
    sshKeys: [key],
    deletionProtection: true,
  });
  expect(api.asked[0]?.query.get('project')).toBe('shop');
  expect(api.asked[0]?.headers.authorization).toBe('Bearer secret');
  expect(out).toMatch(/^NAME .*\nweb-1 +provisioning/);
  expect(err).toContain(`Watch it with: millwright job watch ${accepted.job.id} --project shop`);
});

test('a job is shown with its error, what it waits for, its steps and where Temporal shows it', async () => {
  const held = job({
    state: 'HELD',
    rollback: 'stuck',
    error: { code: 'capacity', message: 'No room in tpe-1.', providerClass: 'permanent' },
    waitingFor: 'a decision',
    leftovers: ['create'],
    temporalUiUrl: 'http://temporal/vm/create/web-1',
    steps: [
      {
        position: 1,
        name: 'create',
        state: 'UNDO_FAILED',
        attempts: 10,
        error: { code: 'unavailable', message: 'No answer.' },
        nextAttemptAt: null,
        providerReference: 'sim-7',
        startedAt: '2026-11-23T12:00:00.000Z',
        endedAt: '2026-11-23T12:01:02.000Z',
      },
    ],
  });
  api = await startApi({ [`GET /jobs/${held.id}`]: (_, response) => json(response, held) });
  const { out } = await millwright(['job', 'get', held.id], { env: at(api.url) });
  expect(out).toMatch(/^Error +No room in tpe-1\. \(capacity, permanent\)$/m);
  expect(out).toMatch(/^Waits for +a decision$/m);
  expect(out).toMatch(/^Left over +create \(at the provider: what has the key /m);
  expect(out).toMatch(/^Temporal +http:\/\/temporal\/vm\/create\/web-1$/m);
  expect(out).toMatch(/^create +UNDO_FAILED +10 +1m02s +sim-7 +No answer\.$/m);
});

test('a batch where nothing is to be done says so', async () => {
  const done = batch([operation('db', 'UNCHANGED'), operation('web', 'UNCHANGED')], { state: 'SUCCEEDED' });
  const accepted = { resource: done, job: job({ type: 'batch.apply', state: 'SUCCEEDED' }) };
  api = await startApi({ 'POST /batches': (_, response) => json(response, accepted, 202) });
  const { code, out, err } = await millwright(['batch', 'apply', '-', '--watch'], {
    env: at(api.url),
    input: 'name: web',
  });
  expect(code).toBe(0);
  expect(err).toBe('Nothing to do: all 2 operations are as the file says.\n');
  expect(out).toMatch(/2\/2/);
  expect(api.asked[0]).toMatchObject({ body: 'name: web', headers: { 'content-type': 'application/yaml' } });
});

test('operators see regions and workers', async () => {
  const region = { name: 'tpe-1', providers: ['simulator'], status: 'online', workers: 1 };
  const worker = {
    ...{
      id: 'w',
      role: 'region',
      region: 'tpe-1',
      version: '0.1.0',
      drivers: ['simulator@1'],
      host: 'h',
      processId: 7,
    },
    ...{ status: 'lost', startedAt: vm('x').createdAt, heartbeatAt: vm('x').updatedAt, activitiesUnderWay: 2 },
  };
  api = await startApi({
    'GET /regions': (_, response) => json(response, page([region])),
    'GET /workers': (_, response) => json(response, page([worker])),
  });
  const regions = await millwright(['region', 'list'], { env: at(api.url) });
  const workers = await millwright(['worker', 'list'], { env: at(api.url) });
  expect(regions.out).toMatch(/^tpe-1 +online +1 +simulator$/m);
  expect(workers.out).toMatch(/^region +tpe-1 +lost +2 +0\.1\.0 +simulator@1 +h +7 +3m +5s$/m);
});

import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { simulated } from './simulated.ts';

const vms = '/v1/regions/tpe-1/vms';
const vm = () => ({ key: randomUUID(), name: 'web-1', vcpus: 1, memoryMib: 512, diskGib: 1, image: 'debian-13' });

test('a body that is not JSON, or is not what is asked for, is refused with all that is wrong', async () => {
  const { send, inventory } = await simulated();
  for (const body of ['', '{', '[]', 'null', '"vm"', '{"key":1}', '[['.repeat(100_000)]) {
    expect(await send('POST', vms, body)).toMatchObject({ status: 400, json: { code: 'invalid' } });
  }
  const { json } = await send('POST', vms, { ...vm(), vcpus: 0, image: 'Debian', networks: ['a', 'a'], colour: 'red' });
  const pointers = json.faults.map(({ pointer }: { pointer: string }) => pointer);
  expect(pointers.toSorted()).toEqual(['/colour', '/image', '/networks', '/vcpus']);
  expect(await inventory()).toEqual([]);
});

test('a fault is refused with all that is wrong with it', async () => {
  const { send } = await simulated();
  const pointersOf = async (fault: unknown) => {
    const { status, json } = await send('POST', '/faults', fault);
    expect(status).toBe(400);
    return json.faults.map(({ pointer }: { pointer: string }) => pointer).toSorted();
  };
  expect(await pointersOf({ effect: 'explode', operation: 'vm.explode', times: 0, colour: 'red' })).toEqual([
    '/colour',
    '/effect',
    '/operation',
    '/times',
  ]);
  expect(await pointersOf({ effect: 'hang', afterMs: 1, retryAfterSeconds: 1, when: 'now' })).toEqual([
    '/afterMs',
    '/retryAfterSeconds',
    '/when',
  ]);
  expect(await pointersOf({})).toEqual(['/effect']);
  expect(await pointersOf(null)).toEqual(['']);
  expect((await send('GET', '/faults')).json).toEqual({ faults: [] });
});

test('faults are deleted one by one, or all', async () => {
  const { send } = await simulated();
  const ids = [];
  for (const effect of ['slow', 'hang', 'permanent']) ids.push((await send('POST', '/faults', { effect })).json.id);
  expect((await send('DELETE', `/faults/${ids[1]}`)).status).toBe(204);
  expect((await send('DELETE', `/faults/${ids[1]}`)).status).toBe(404);
  expect((await send('DELETE', '/faults/nonsense')).status).toBe(404);
  expect((await send('GET', '/faults')).json.faults).toMatchObject([{ id: ids[0] }, { id: ids[2] }]);
  expect((await send('DELETE', '/faults')).status).toBe(204);
  expect((await send('GET', '/faults')).json).toEqual({ faults: [] });
});

test('settings that make no sense change nothing', async () => {
  const { send } = await simulated();
  const bad = { latencyMs: { 'vm.get': 1, 'vm.create': -1 }, capacity: { 'tpe-1': { gpus: 1 } }, colour: 'red' };
  const { status, json } = await send('PUT', '/settings', bad);
  expect(status).toBe(400);
  expect(json.faults.map(({ pointer }: { pointer: string }) => pointer).toSorted()).toEqual([
    '/capacity/tpe-1/gpus',
    '/colour',
    '/latencyMs/vm.create',
    '/latencyMs/vm.get',
  ]);
  expect((await send('GET', '/settings')).json).toEqual({ latencyMs: {}, capacity: {} });
});

test('a region that nobody has named before is empty, whatever it is called', async () => {
  const { send } = await simulated();
  await send('PUT', '/settings', { capacity: { 'tpe-1': { vms: 0 } } });
  expect(await send('GET', '/v1/regions/mars-1/vms')).toMatchObject({ status: 200, json: { resources: [] } });
  expect((await send('POST', '/v1/regions/constructor/vms', vm())).status).toBe(201);
});

test('a name that no region can have is refused, and never as if the resource were gone', async () => {
  const { send } = await simulated();
  for (const region of ['TPE', '..%2f..', '%00', '%E0%A4%A', 'x'.repeat(64), "1'; DROP TABLE resources; --"]) {
    const path = `/v1/regions/${region}/vms`;
    expect(await send('DELETE', `${path}/web-1`)).toMatchObject({ status: 400, json: { code: 'invalid' } });
    expect((await send('GET', path)).status).toBe(400);
  }
});

test('a path that leads nowhere is not taken for a resource that is gone', async () => {
  const { send } = await simulated();
  for (const path of ['/', '/v1', '/v1/regions/tpe-1', '/v1/regions/tpe-1/hosts/web-1', `${vms}/`, `${vms}/a/b`]) {
    expect(await send('DELETE', path)).toMatchObject({ status: 404, json: { code: 'invalid' } });
  }
  expect(await send('DELETE', `${vms}/web-1`)).toMatchObject({ status: 404, json: { code: 'not_found' } });
});

test('a huge body is refused, told or untold of its length', async () => {
  const { send, url, inventory } = await simulated();
  const huge = JSON.stringify({ ...vm(), userData: 'x'.repeat(8 * 1024 * 1024) });
  expect((await send('POST', vms, huge)).status).toBe(413);
  const untold = await fetch(`${url}${vms}`, { method: 'POST', body: new Blob([huge]).stream(), duplex: 'half' });
  expect(untold.status).toBe(413);
  expect(await inventory()).toEqual([]);
});

test('the largest machine that the schema allows is not too large', async () => {
  const { send } = await simulated();
  const sshKeys = Array.from({ length: 64 }, () => 'k'.repeat(16_384));
  expect((await send('POST', vms, { ...vm(), sshKeys, userData: '\u0001'.repeat(65_536) })).status).toBe(201);
});

test('clients that go away in the middle leave it well', async () => {
  const { send, url, inventory } = await simulated();
  await send('POST', '/faults', { effect: 'slow', operation: 'vm.create', afterMs: 50, times: 20 });
  await send('POST', '/faults', { effect: 'hang', operation: 'vm.list' });
  const gone = AbortSignal.timeout(20);
  const asked = Array.from({ length: 20 }, () => [
    fetch(`${url}${vms}`, { method: 'POST', body: JSON.stringify(vm()), signal: gone }),
    fetch(`${url}${vms}`, { signal: gone }),
  ]);
  expect((await Promise.allSettled(asked.flat())).every(({ status }) => status === 'rejected')).toBe(true);

  const half = connect(Number(new URL(url).port), '127.0.0.1');
  await once(half, 'connect');
  half.end(`POST ${vms} HTTP/1.1\r\nHost: simulator\r\nContent-Length: 1000\r\n\r\n{"key":`);
  half.resume();
  await once(half, 'close');
  expect((await send('GET', '/health')).json).toEqual({ status: 'ok' });
  await send('DELETE', '/faults');
  expect((await send('POST', vms, vm())).status).toBe(201);
  expect((await inventory()).length).toBeLessThanOrEqual(21);
});

test('500 calls at once are all answered', { timeout: 60_000 }, async () => {
  const { send, inventory } = await simulated();
  const answers = await Promise.all(Array.from({ length: 500 }, () => send('POST', vms, vm())));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
  expect(new Set(answers.map(({ json }) => json.reference)).size).toBe(500);
  expect(await inventory()).toHaveLength(500);
});

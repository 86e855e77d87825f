import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { call, vmSpec } from './conformance.ts';
import { type Simulated, simulated } from './simulated.ts';

/** A simulator with one fault, and a create of one machine on it. */
async function faulty(fault: Record<string, unknown>, timeoutMs = 5000) {
  const simulator = await simulated();
  const { compute } = simulator.driver({ timeoutMs });
  const [key, spec] = [randomUUID(), vmSpec({ name: 'web-1' })];
  expect(await simulator.send('POST', '/faults', fault)).toMatchObject({
    status: 201,
    json: { id: expect.any(String) },
  });
  return { simulator, compute, key, ensure: () => compute.ensure(key, spec, call()) };
}

async function hits(simulator: Simulated): Promise<number[]> {
  const { json } = await simulator.send('GET', '/faults');
  return json.faults.map((fault: { hits: number }) => fault.hits);
}

test('transient: nothing is done, and it may be tried again when the provider says', async () => {
  const fault = { effect: 'transient', operation: 'vm.create', times: 1, retryAfterSeconds: 7, afterMs: 5 };
  const { simulator, ensure } = await faulty(fault);
  await expect(ensure()).rejects.toMatchObject({
    providerClass: 'transient',
    code: 'unavailable',
    retryAfterSeconds: 7,
  });
  expect(await simulator.inventory()).toEqual([]);
  await ensure();
  expect(await simulator.inventory()).toEqual(['vm web-1 running']);
});

test('throttle: nothing is done, and the next try is in a second unless it says otherwise', async () => {
  const { simulator, ensure } = await faulty({ effect: 'throttle', operation: 'vm.*', times: 1 });
  await expect(ensure()).rejects.toMatchObject({
    providerClass: 'transient',
    code: 'unavailable',
    retryAfterSeconds: 1,
  });
  await simulator.send('POST', '/faults', { effect: 'throttle', retryAfterSeconds: 30, times: 1 });
  await expect(ensure()).rejects.toMatchObject({ providerClass: 'transient', retryAfterSeconds: 30 });
  await ensure();
});

test('permanent: nothing is done, and no try will help', async () => {
  const { simulator, ensure } = await faulty({ effect: 'permanent', operation: 'vm.create' });
  await expect(ensure()).rejects.toMatchObject({ providerClass: 'permanent', code: 'precondition' });
  await expect(ensure()).rejects.toMatchObject({ providerClass: 'permanent' });
  expect(await simulator.inventory()).toEqual([]);
});

test('accept-then-drop: a create that loses its answer leaves one machine', async () => {
  const { simulator, ensure } = await faulty({ effect: 'accept-then-drop', operation: 'vm.create', times: 1 });
  await expect(ensure()).rejects.toMatchObject({ providerClass: 'ambiguous' });
  expect(await simulator.inventory()).toEqual(['vm web-1 running']);
  await ensure();
  expect(await simulator.inventory()).toEqual(['vm web-1 running']);
});

test('accept-then-drop: a delete that loses its answer leaves nothing', async () => {
  const { simulator, compute, key, ensure } = await faulty({
    effect: 'accept-then-drop',
    operation: 'vm.delete',
    times: 1,
  });
  await ensure();
  await expect(compute.remove(key, call())).rejects.toMatchObject({ providerClass: 'ambiguous' });
  expect(await simulator.inventory()).toEqual([]);
  await compute.remove(key, call());
});

test('slow: a create that is answered too late leaves one machine', async () => {
  const { simulator, ensure } = await faulty(
    { effect: 'slow', operation: 'vm.create', afterMs: 60_000, times: 1 },
    100,
  );
  await expect(ensure()).rejects.toMatchObject({ providerClass: 'ambiguous' });
  await ensure();
  expect(await simulator.inventory()).toEqual(['vm web-1 running']);
});

test('slow: a caller with patience gets the answer', async () => {
  const { ensure } = await faulty({ effect: 'slow', afterMs: 50, times: 2 });
  const startedAt = performance.now();
  await ensure();
  expect(performance.now() - startedAt).toBeGreaterThan(95);
});

test('hang: nothing is done; a create may have been, a look may simply be tried again', async () => {
  const { simulator, compute, key, ensure } = await faulty({ effect: 'hang', operation: 'vm.create', times: 1 }, 100);
  await expect(ensure()).rejects.toMatchObject({ providerClass: 'ambiguous' });
  expect(await simulator.inventory()).toEqual([]);
  await simulator.send('POST', '/faults', { effect: 'hang', times: 1 });
  await expect(compute.find(key, call())).rejects.toMatchObject({ providerClass: 'transient', code: 'unavailable' });
  await ensure();
});

test('a dropped look is transient, for it changes nothing', async () => {
  const { compute, key } = await faulty({ effect: 'accept-then-drop' });
  await expect(compute.find(key, call())).rejects.toMatchObject({ providerClass: 'transient' });
  await expect(compute.list(call())).rejects.toMatchObject({ providerClass: 'transient' });
});

test('a simulator that is not there was not asked, so nothing is ambiguous', async () => {
  const { simulator, compute, key } = await faulty({ effect: 'transient' });
  await simulator.stop();
  const away = { providerClass: 'transient', code: 'unavailable', message: expect.stringContaining('ECONNREFUSED') };
  await expect(compute.find(key, call())).rejects.toMatchObject(away);
  await expect(compute.remove(key, call())).rejects.toMatchObject(away);
});

test('a hanging call ends when its activity is canceled', async () => {
  const { simulator, compute, key } = await faulty({ effect: 'hang' });
  const canceled = new AbortController();
  const reason = new Error('canceled');
  const removal = compute.remove(key, call(canceled.signal));
  await expect.poll(() => hits(simulator)).toEqual([1]);
  canceled.abort(reason);
  await expect(removal).rejects.toBe(reason);
});

test('a fault meets the calls that fit its operation, its region and its name, and no other', async () => {
  const simulator = await simulated();
  const [here, there] = [simulator.driver().compute, simulator.driver({ region: 'nrt-1' }).compute];
  const keys = { web: randomUUID(), db: randomUUID(), far: randomUUID() };
  await here.ensure(keys.web, vmSpec({ name: 'web-1-blue' }), call());
  await here.ensure(keys.db, vmSpec({ name: 'db-1' }), call());
  await there.ensure(keys.far, vmSpec({ name: 'web-1-blue' }), call());
  await simulator.send('POST', '/faults', {
    effect: 'permanent',
    operation: 'vm.get',
    region: 'tpe-1',
    name: 'web-*-b*e',
  });
  await simulator.send('POST', '/faults', {
    effect: 'permanent',
    operation: 'vm.delete',
    region: 'tpe-1',
    name: 'web-1-blue',
  });
  const refused = { providerClass: 'permanent' };

  await expect(here.find(keys.web, call())).rejects.toMatchObject(refused);
  await expect(here.remove(keys.web, call())).rejects.toMatchObject(refused);
  await here.find(keys.db, call());
  await there.find(keys.far, call());
  expect(await here.list(call())).toHaveLength(2);
  await here.remove(keys.db, call());
  await there.remove(keys.far, call());
  expect(await hits(simulator)).toEqual([1, 1]);
});

test('a fault for three calls meets three of those that come at once', async () => {
  const { simulator, compute } = await faulty({ effect: 'transient', operation: 'vm.create', name: 'web-*', times: 3 });
  const names = Array.from({ length: 20 }, (_, index) => `web-${index}`);
  const made = await Promise.allSettled(names.map((name) => compute.ensure(randomUUID(), vmSpec({ name }), call())));
  expect(made.filter(({ status }) => status === 'rejected')).toHaveLength(3);
  expect(await simulator.inventory()).toHaveLength(17);
  expect(await hits(simulator)).toEqual([3]);
});

test('the log of calls shows what was asked, answered and kept from an answer', async () => {
  const { simulator, ensure, key } = await faulty({ effect: 'accept-then-drop', operation: 'vm.create', times: 1 });
  await expect(ensure()).rejects.toThrow();
  await ensure();
  const { json } = await simulator.send('GET', '/calls');
  const seen = { region: 'tpe-1', key, at: expect.stringMatching(/^\d{4}-.*Z$/) };
  expect(json.calls).toEqual([
    { ...seen, operation: 'vm.get', name: null, status: 404, fault: null },
    { ...seen, operation: 'vm.create', name: 'web-1', status: null, fault: 'accept-then-drop' },
    { ...seen, operation: 'vm.get', name: 'web-1', status: 200, fault: null },
  ]);
  await simulator.send('DELETE', '/calls');
  expect((await simulator.send('GET', '/calls')).json).toEqual({ calls: [] });
});

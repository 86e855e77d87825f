import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { resourceKinds } from '../../src/domain/kinds.ts';
import { driverNames, openDriver } from '../../src/providers/registry.ts';
import { call, conformance, networkSpec, vmSpec, volumeSpec } from './conformance.ts';
import { openSimulator, simulated } from './simulated.ts';

async function open(latencyMs: Record<string, number>) {
  const { driver, close } = await openSimulator({ latencyMs });
  return { driver: driver(), elsewhere: driver({ region: 'nrt-1' }), close };
}
const latency = resourceKinds
  .flatMap((kind) => [`${kind}.create`, `${kind}.delete`])
  .map((operation) => [operation, 10]);
conformance('a simulator without latency', () => open({}));
conformance('a simulator that takes its time', () => open(Object.fromEntries(latency)));

test('a provider that has no driver is refused with the names of those that have', () => {
  const settings = { region: 'tpe-1', endpoint: 'http://127.0.0.1:1', timeoutMs: 1000 };
  expect(driverNames).toContain('simulator');
  expect(() => openDriver('nimbus', settings)).toThrow(/no driver "nimbus".*simulator/);
  expect(() => openDriver('simulator', { ...settings, endpoint: '' })).toThrow(/endpoint ""/);
});

test('a create tells how far it is, and an abort ends the wait for it at once', async () => {
  const simulator = await simulated({ latencyMs: { 'vm.create': 3_600_000 } });
  const canceled = new AbortController();
  const reason = new Error('canceled');
  const seen: string[] = [];
  const progress = (detail: string) => {
    seen.push(detail);
    if (seen.length === 3) canceled.abort(reason);
  };
  const { compute } = simulator.driver();
  const key = randomUUID();
  await expect(compute.ensure(key, vmSpec(), { ...call(canceled.signal), progress })).rejects.toBe(reason);
  expect(seen).toEqual(['building, 0 s', 'building, 0 s', 'building, 0 s']);
  expect((await compute.find(key, call()))?.state).toBe('building');
});

test('what is being deleted is not built anew by an ensure that comes too late', async () => {
  const simulator = await simulated({ latencyMs: { 'vm.delete': 3_600_000 } });
  const { compute } = simulator.driver();
  const [key, spec] = [randomUUID(), vmSpec({ name: 'web-1' })];
  await compute.ensure(key, spec, call());
  await simulator.send('DELETE', `/v1/regions/tpe-1/vms/${key}`);
  await expect(compute.ensure(key, spec, call())).rejects.toMatchObject({
    providerClass: 'transient',
    code: 'conflict',
  });
  expect(await simulator.inventory()).toEqual(['vm web-1 deleting']);
});

test('a create of what is being deleted is a conflict', async () => {
  const simulator = await simulated({ latencyMs: { 'volume.delete': 3_600_000 } });
  const path = '/v1/regions/tpe-1/volumes';
  const body = { key: randomUUID(), ...volumeSpec() };
  await simulator.send('POST', path, body);
  await simulator.send('DELETE', `${path}/${body.key}`);
  expect(await simulator.send('POST', path, body)).toMatchObject({ status: 409, json: { code: 'conflict' } });
});

test('an endpoint that leads elsewhere is refused, and nothing is taken to be gone', async () => {
  const simulator = await simulated();
  const settings = { region: 'tpe-1', endpoint: `${simulator.url}/elsewhere`, timeoutMs: 5000 };
  const { compute } = openDriver('simulator', settings);
  const refused = { providerClass: 'permanent', code: 'invalid' };
  await expect(compute.remove(randomUUID(), call())).rejects.toMatchObject(refused);
  await expect(compute.find(randomUUID(), call())).rejects.toMatchObject(refused);
});

test('50 machines made at once have 50 addresses, the lowest that the network has', async () => {
  const { compute, network } = (await simulated()).driver();
  const net = { key: randomUUID(), name: 'backbone' };
  await network.ensure(net.key, { ...net, cidr: '10.40.0.0/24' }, call());
  const machines = await Promise.all(
    Array.from({ length: 50 }, () => compute.ensure(randomUUID(), vmSpec({ networks: [net] }), call())),
  );
  const addresses = machines.flatMap((vm) => vm.addresses.map(({ address }) => address));
  expect(new Set(addresses)).toEqual(new Set(Array.from({ length: 50 }, (_, index) => `10.40.0.${index + 10}`)));

  const freed = machines.find((vm) => vm.addresses[0]?.address === '10.40.0.17');
  await compute.remove(freed?.key ?? '', call());
  const next = await compute.ensure(randomUUID(), vmSpec({ networks: [net] }), call());
  expect(next.addresses).toEqual([{ network: 'backbone', address: '10.40.0.17' }]);
});

test.each([
  ['10.50.0.0/29', ['10.50.0.2', '10.50.0.3', '10.50.0.4', '10.50.0.5', '10.50.0.6']],
  ['10.50.0.248/29', ['10.50.0.250', '10.50.0.251', '10.50.0.252', '10.50.0.253', '10.50.0.254']],
])('a network %s gives all its addresses and then has no capacity', async (cidr, expected) => {
  const { compute, network } = (await simulated()).driver();
  const net = { key: randomUUID(), name: 'tiny' };
  await network.ensure(net.key, { ...net, cidr }, call());
  const next = () => compute.ensure(randomUUID(), vmSpec({ networks: [net] }), call());
  const given = [];
  for (const _ of expected) given.push((await next()).addresses[0]?.address);
  expect(given).toEqual(expected);
  await expect(next()).rejects.toMatchObject({
    providerClass: 'permanent',
    code: 'capacity',
    message: expect.stringContaining('no free address'),
  });
  expect(await compute.list(call())).toHaveLength(expected.length);
});

test('a machine has an address of an IPv6 network as well', async () => {
  const { compute, network } = (await simulated()).driver();
  const net = { key: randomUUID(), name: 'six' };
  await network.ensure(net.key, { ...net, cidr: '2001:db8:0:1::/64' }, call());
  const { addresses } = await compute.ensure(randomUUID(), vmSpec({ networks: [net] }), call());
  expect(addresses).toEqual([{ network: 'six', address: '2001:db8:0:1::a' }]);
});

test('a region that is full refuses for good and says how much was wanted and is free', async () => {
  const simulator = await simulated();
  await simulator.send('PUT', '/settings', {
    capacity: { 'tpe-1': { vms: 2, memoryMib: 3000 }, 'nrt-1': { volumeGib: 10 } },
  });
  const { compute } = simulator.driver();
  const first = await compute.ensure(randomUUID(), vmSpec({ memoryMib: 2048 }), call());
  await expect(compute.ensure(randomUUID(), vmSpec({ memoryMib: 2048 }), call())).rejects.toMatchObject({
    providerClass: 'permanent',
    code: 'capacity',
    message: expect.stringContaining('2048 MiB of memory wanted, 952 of 3000 free'),
  });
  await compute.remove(first.key, call());
  await compute.ensure(randomUUID(), vmSpec({ memoryMib: 2048 }), call());

  const elsewhere = simulator.driver({ region: 'nrt-1' });
  await elsewhere.compute.ensure(randomUUID(), vmSpec({ memoryMib: 4096 }), call());
  await expect(elsewhere.storage.ensure(randomUUID(), volumeSpec(11), call())).rejects.toMatchObject({
    code: 'capacity',
    message: expect.stringContaining('11 GiB of volumes wanted, 10 of 10 free'),
  });
});

test('many creates at once never overfill a region', async () => {
  const simulator = await simulated();
  await simulator.send('PUT', '/settings', { capacity: { 'tpe-1': { vms: 3 } } });
  const { compute } = simulator.driver();
  const made = await Promise.allSettled(
    Array.from({ length: 20 }, () => compute.ensure(randomUUID(), vmSpec(), call())),
  );
  expect(made.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
  expect(await compute.list(call())).toHaveLength(3);
});

test('a key that another body was created under is a conflict', async () => {
  const simulator = await simulated();
  const [key, path] = [randomUUID(), '/v1/regions/tpe-1/networks'];
  const spec = networkSpec();
  const [first, again, other] = [
    await simulator.send('POST', path, { key, ...spec }),
    await simulator.send('POST', path, { cidr: spec.cidr, name: spec.name, key }),
    await simulator.send('POST', path, { key, ...spec, cidr: '10.99.0.0/24' }),
  ];
  expect([first.status, again.status, other.status]).toEqual([201, 200, 409]);
  expect(again.json).toEqual(first.json);
  expect(other.json).toMatchObject({ code: 'conflict' });
});

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { addressDifferences } from '../../src/db/queries/address-use.ts';
import { quotaDifferences } from '../../src/db/queries/quota.ts';
import type { Quota } from '../../src/domain/quota.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform({ regions: ['tpe-1'] });
});
afterAll(() => platform.stop());

const newName = (kind: string): string => `${kind}-${randomUUID().slice(0, 8)}`;
const ask = (method: string, path: string, body?: object) => platform.api.tenant(method, path, body);
async function newNetwork(cidr: string, more: object = {}): Promise<string> {
  const name = newName('net');
  const job = await platform.api.done('POST', '/networks', { name, region: 'tpe-1', cidr, ...more });
  expect(job.state).toBe('SUCCEEDED');
  return name;
}
const newVm = (name: string, network: string) =>
  platform.api.done('POST', '/vms', {
    ...{ name, region: 'tpe-1', vcpus: 1, memoryMib: 128, diskGib: 1, image: 'debian-13', networks: [network] },
  });

test('a network comes with a subnet that says how far it is used, and more can be added to it', async () => {
  const network = await newNetwork('10.1.0.0/24');
  expect(await newVm(newName('vm'), network)).toMatchObject({ state: 'SUCCEEDED' });
  const name = newName('subnet');
  const added = await ask('POST', '/subnets', { name, network, cidr: '2001:db8:1::/64', dnsServers: ['2001:DB8::53'] });
  expect(added).toMatchObject({
    status: 201,
    body: { name, family: 6, vrf: null, gateway: '2001:db8:1::1', dnsServers: ['2001:db8::53'], use: { used: 0 } },
  });
  expect((await ask('GET', `/subnets?network=${network}`)).body.items).toMatchObject([
    {
      name: network,
      cidr: '10.1.0.0/24',
      use: { total: 256, used: 1, reserved: 3, quarantined: 0, free: 252, percent: 0.4 },
    },
    { name },
  ]);
});

test('a subnet that overlaps another of its VRF, or has faults, is refused with all of them', async () => {
  const network = await newNetwork('10.2.0.0/24');
  const body = { name: newName('subnet'), network, cidr: '10.2.0.128/25' };
  expect(await ask('POST', '/subnets', body)).toMatchObject({ status: 409, body: { code: 'conflict' } });
  const faulty = {
    ...body,
    cidr: '10.3.0.0/24',
    gateway: '10.3.0.255',
    reserved: [{ from: '10.3.0.9', to: '10.3.0.1' }],
    dynamicRange: { from: '10.4.0.1', to: '10.4.0.9' },
  };
  const { status, body: problem } = await ask('POST', '/subnets', faulty);
  expect(status).toBe(400);
  const pointers = problem.errors.map(({ pointer }: { pointer: string }) => pointer);
  expect(pointers).toEqual(['/gateway', '/reserved/0', '/dynamicRange']);
});

test('a VM goes to the next subnet of its network when the first is full', async () => {
  const network = await newNetwork('10.5.0.0/29');
  const added = await ask('POST', '/subnets', { name: newName('subnet'), network, cidr: '10.6.0.0/29' });
  expect(added.status).toBe(201);
  const names = Array.from({ length: 6 }, () => newName('vm'));
  for (const name of names) expect(await newVm(name, network)).toMatchObject({ state: 'SUCCEEDED' });
  expect((await ask('GET', `/vms/${names[5]}`)).body.address).toBe('10.6.0.2');
});

test('an address is reserved, by name or any, kept from others, and given back', async () => {
  const network = await newNetwork('10.7.0.0/24');
  const [one, other] = [newName('ip'), newName('ip')];
  expect(await ask('POST', '/addresses', { name: one, subnet: network, address: '10.7.0.10' })).toMatchObject({
    status: 201,
    body: { address: '10.7.0.10', kind: 'static', hostname: one, subnet: { name: network } },
  });
  expect(await ask('POST', '/addresses', { name: other, subnet: network, address: '10.7.0.10' })).toMatchObject({
    status: 409,
    body: { detail: expect.stringContaining(`address "${one}" has it`) },
  });
  expect((await ask('POST', '/addresses', { name: one, subnet: network })).status).toBe(409);
  expect((await ask('POST', '/addresses', { name: other, subnet: network })).body).toMatchObject({ kind: 'dynamic' });
  expect(await ask('DELETE', `/networks/${network}`)).toMatchObject({
    status: 409,
    body: { detail: expect.stringContaining('in use by') },
  });
  for (const name of [one, other]) expect((await ask('DELETE', `/addresses/${name}`)).status).toBe(204);
  expect((await ask('GET', `/addresses/${one}`)).status).toBe(404);
  expect((await ask('GET', `/subnets/${network}`)).body.use).toMatchObject({ used: 0, quarantined: 2 });
  expect((await platform.api.done('DELETE', `/networks/${network}`)).state).toBe('SUCCEEDED');
  expect((await ask('GET', `/subnets/${network}`)).status).toBe(404);
});

test('an address takes its place in both quotas when it is reserved, and gives it back once, however often it is deleted', async () => {
  const { api, sql } = platform;
  const network = await newNetwork('10.11.0.0/24');
  const used = async () =>
    (await ask('GET', '/quota')).body.items.map(({ metrics }: { metrics: Quota['metrics'] }) => metrics.addresses.used);
  const limit = (scope: string, addresses: number | null) =>
    api.request('PATCH', `/api/ops/v1/${scope}/default/quota`, { limits: { addresses } });
  const [before = 0] = await used();
  for (const scope of ['organizations', 'projects']) {
    expect(await limit(scope, before + 3)).toMatchObject({ status: 200 });
    const names = Array.from({ length: 6 }, () => newName('ip'));
    const answers = await Promise.all(names.map((name) => ask('POST', '/addresses', { name, subnet: network })));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(3);
    const refused = answers.filter(({ status }) => status === 403).map(({ body }) => body.detail);
    expect(refused).toHaveLength(3);
    expect(refused[0]).toContain(`${scope.slice(0, -1)} "default" does not suffice (addresses: 1 wanted`);
    expect(await used()).toEqual([before + 3, before + 3]);
    expect(await quotaDifferences(sql)).toEqual([]);
    await Promise.all([...names, ...names].map((name) => ask('DELETE', `/addresses/${name}`)));
    expect(await used()).toEqual([before, before]);
    expect(await limit(scope, scope === 'projects' ? 40_000 : null)).toMatchObject({ status: 200 });
  }
  expect(await quotaDifferences(sql)).toEqual([]);
  expect((await ask('GET', `/subnets/${network}`)).body.use).toMatchObject({ used: 0, quarantined: 6 });
});

test('of fifty requests at once for addresses of a small subnet, as many get one as there are', async () => {
  const network = await newNetwork('10.8.0.0/28');
  const answers = await Promise.all(
    Array.from({ length: 50 }, () => ask('POST', '/addresses', { name: newName('ip'), subnet: network })),
  );
  const given = answers.filter(({ status }) => status === 201).map(({ body }) => body.address);
  expect(new Set(given).size).toBe(13);
  expect(answers.filter(({ body }) => body.code === 'capacity')).toHaveLength(37);
});

test('a subnet grows, is split with who is in it, and is deleted once nobody is', async () => {
  const network = await newNetwork('10.9.0.0/25');
  expect((await ask('POST', `/subnets/${network}/grow`, { prefix: 24 })).body).toMatchObject({ cidr: '10.9.0.0/24' });
  const name = newName('ip');
  await ask('POST', '/addresses', { name, subnet: network, address: '10.9.0.200' });
  const { status, body } = await ask('POST', `/subnets/${network}/split`, { parts: 2 });
  expect(status).toBe(200);
  expect(body.parts).toMatchObject([
    { name: network, cidr: '10.9.0.0/25', use: { used: 0 } },
    { name: `${network}-2`, cidr: '10.9.0.128/25', gateway: '10.9.0.129', use: { used: 1 } },
  ]);
  expect((await ask('GET', `/addresses/${name}`)).body.subnet.name).toBe(`${network}-2`);
  expect((await ask('GET', `/subnets/${network}-2/addresses`)).body.items).toMatchObject([
    { address: '10.9.0.200', owner: { kind: 'address', name } },
  ]);
  const refused = await ask('DELETE', `/subnets/${network}-2`);
  expect(refused).toMatchObject({ status: 409, body: { detail: expect.stringContaining(`address "${name}"`) } });
  await ask('DELETE', `/addresses/${name}`);
  expect((await ask('DELETE', `/subnets/${network}-2`)).status).toBe(204);
  expect(await ask('DELETE', `/subnets/${network}`)).toMatchObject({
    status: 409,
    body: { detail: expect.stringContaining('last') },
  });
  expect(await addressDifferences(platform.sql)).toEqual([]);
});

test('a region’s DHCP and DNS servers are told of every host, page by page', async () => {
  const network = await newNetwork('10.10.0.0/24');
  const cidr = '2001:db8:10::/64';
  const subnet = newName('subnet');
  await ask('POST', '/subnets', { name: subnet, network, cidr, domain: 'example.com', leaseSeconds: 600 });
  const name = newName('ip');
  const reserved = await ask('POST', '/addresses', { name, subnet, address: '2001:db8:10::7' });
  const vm = newName('vm');
  await newVm(vm, network);
  async function all(what: string): Promise<Record<string, unknown>[]> {
    const items = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const query: string = cursor ? `&cursor=${cursor}` : '';
      const { body } = await platform.api.request('GET', `/api/ops/v1/regions/tpe-1/${what}?limit=2${query}`);
      items.push(...body.items);
      cursor = body.nextCursor;
    }
    return items;
  }
  const leases = await all('dhcp');
  expect(new Set(leases.map(({ id }) => id)).size).toBe(leases.length);
  expect(leases.find(({ hostname }) => hostname === vm)).toMatchObject({
    address: '10.10.0.10',
    prefix: 24,
    gateway: '10.10.0.1',
  });
  expect(leases.find(({ hostname }) => hostname === name)).toMatchObject({ key: reserved.body.id, leaseSeconds: 600 });
  const records = await all('dns');
  expect(records).toContainEqual(expect.objectContaining({ name: vm, type: 'A', ptr: '10.0.10.10.in-addr.arpa' }));
  expect(records.find((record) => record.name === `${name}.example.com`)).toMatchObject({
    type: 'AAAA',
    ptr: '7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.8.b.d.0.1.0.0.2.ip6.arpa',
  });
  expect((await platform.api.request('GET', '/api/ops/v1/regions/nowhere/dns')).status).toBe(404);
});

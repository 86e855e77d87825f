import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Vm } from '../../src/domain/vm.ts';
import { expectConsistent } from '../harness/consistency.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { until } from '../harness/until.ts';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform({ regions: ['tpe-1'] });
});
afterAll(() => platform.stop());

const newName = (kind: string): string => `${kind}-${randomUUID().slice(0, 8)}`;
async function newNetwork(cidr: string, more: object = {}): Promise<string> {
  const name = newName('net');
  const job = await platform.api.done('POST', '/networks', { name, region: 'tpe-1', cidr, ...more });
  expect(job.state).toBe('SUCCEEDED');
  return name;
}
const vm = (name: string, networks: readonly string[]) => ({
  ...{ name, region: 'tpe-1', vcpus: 1, memoryMib: 128, diskGib: 1, image: 'debian-13', networks },
});
const view = async (name: string): Promise<Vm> => (await platform.api.tenant('GET', `/vms/${name}`)).body;

/** What is assigned, and to whom, as the database has it. */
const assigned = (name: string): Promise<readonly { address: string; hostname: string; released: boolean }[]> =>
  platform.sql`
    SELECT host(a.address) AS address, a.hostname, a.released_at IS NOT NULL AS released
    FROM address_assignments a JOIN resources x ON x.id = a.owner_id WHERE x.name = ${name} ORDER BY a.id`;

test('a VM has the addresses that were assigned to it, one in each network, and gives them back when it is deleted', async () => {
  const networks = [await newNetwork('10.1.0.0/24'), await newNetwork('2001:db8:1::/64')];
  const name = newName('vm');
  const job = await platform.api.done('POST', '/vms', vm(name, networks));
  expect(job).toMatchObject({ state: 'SUCCEEDED', steps: [{ name: 'address' }, { name: 'create' }] });
  expect(await view(name)).toMatchObject({
    address: '10.1.0.10',
    addresses: [
      { network: networks[0], address: '10.1.0.10' },
      { network: networks[1], address: '2001:db8:1::a' },
    ],
  });
  expect(await assigned(name)).toEqual([
    { address: '10.1.0.10', hostname: name, released: false },
    { address: '2001:db8:1::a', hostname: name, released: false },
  ]);
  expect((await platform.api.done('DELETE', `/vms/${name}`)).state).toBe('SUCCEEDED');
  expect((await assigned(name)).map(({ released }) => released)).toEqual([true, true]);
});

test('of many VMs at once in one network each has an address of its own, as the provider says too', async () => {
  const network = await newNetwork('10.2.0.0/24');
  const names = Array.from({ length: 30 }, () => newName('vm'));
  await Promise.all(names.map((name) => platform.api.done('POST', '/vms', vm(name, [network]))));
  const views = await Promise.all(names.map(view));
  expect(new Set(views.map(({ address }) => address)).size).toBe(30);
  for (const { name, address } of views) expect(await assigned(name)).toMatchObject([{ address, released: false }]);
});

test.each([
  ['refused', 'permanent', 'FAILED'],
  ['canceled', 'hang', 'CANCELED'],
] as const)('a create that is %s leaves no address', async (_, effect, state) => {
  const network = await newNetwork('10.3.0.0/24');
  const name = newName('vm');
  await platform.simulator.fault({ effect, operation: 'vm.create', name });
  const { body } = await platform.api.tenant('POST', '/vms', vm(name, [network]));
  if (effect === 'hang') {
    await platform.api.jobWhen(body.job.id, ({ steps }) => steps.some((step) => step.name === 'create'));
    await platform.api.canceled(body.job.id);
  }
  const job = await platform.api.jobWhen(body.job.id);
  expect(job).toMatchObject({ state, rollback: 'complete' });
  expect(job.steps.find((step) => step.name === 'address')).toMatchObject({ state: 'UNDONE' });
  expect(await assigned(name)).toMatchObject([{ released: true }]);
});

test('a create whose answer was lost, or whose workflow was, has one address', async () => {
  const network = await newNetwork('10.4.0.0/24');
  const [lost, terminated] = [newName('vm'), newName('vm')];
  await platform.simulator.fault({ effect: 'accept-then-drop', operation: 'vm.create', name: lost, times: 1 });
  await platform.simulator.fault({ effect: 'hang', operation: 'vm.create', name: terminated, times: 1 });
  const { body } = await platform.api.tenant('POST', '/vms', vm(terminated, [network]));
  const { workflowId } = await platform.api.jobWhen(body.job.id, ({ steps }) =>
    steps.some(({ name }) => name === 'create'),
  );
  await platform.terminate(workflowId);
  expect((await platform.api.done('POST', '/vms', vm(lost, [network]))).state).toBe('SUCCEEDED');
  expect((await platform.api.jobWhen(body.job.id)).state).toBe('SUCCEEDED');
  for (const name of [lost, terminated]) {
    expect(await assigned(name)).toMatchObject([{ address: (await view(name)).address, released: false }]);
  }
});

test('a VM in a network that is full is refused with what would help, and undone', async () => {
  const network = await newNetwork('10.5.0.0/29');
  const names = Array.from({ length: 5 }, () => newName('vm'));
  await Promise.all(names.map((name) => platform.api.done('POST', '/vms', vm(name, [network]))));
  const name = newName('vm');
  const job = await platform.api.done('POST', '/vms', vm(name, [network]));
  expect(job).toMatchObject({
    state: 'FAILED',
    rollback: 'complete',
    error: { code: 'capacity', message: expect.stringMatching(/has no address left to give.*grow the subnet/) },
  });
  expect((await platform.api.tenant('GET', `/vms/${name}`)).status).toBe(404);
});

test('networks that name one VRF must not overlap, those that name none may, and one that is deleted makes room', async () => {
  const vrf = newName('vrf');
  const first = await newNetwork('10.6.0.0/16', { vrf });
  const second = { name: newName('net'), region: 'tpe-1', cidr: '10.6.4.0/24' };
  expect(await platform.api.tenant('POST', '/networks', { ...second, vrf })).toMatchObject({
    status: 409,
    body: { code: 'conflict', detail: expect.stringContaining('10.6.4.0/24') },
  });
  await newNetwork('10.6.4.0/24');
  expect((await platform.api.done('DELETE', `/networks/${first}`)).state).toBe('SUCCEEDED');
  expect((await platform.api.done('POST', '/networks', { ...second, vrf })).state).toBe('SUCCEEDED');
});

test('a network of an earlier release, which has no subnet, leaves addresses to its provider', async () => {
  const network = await newNetwork('10.7.0.0/24');
  await platform.sql`DELETE FROM subnets WHERE network_id = (SELECT id FROM resources WHERE name = ${network} AND kind = 'network')`;
  const name = newName('vm');
  expect((await platform.api.done('POST', '/vms', vm(name, [network]))).state).toBe('SUCCEEDED');
  expect((await view(name)).address).toBe('10.7.0.10');
  expect(await assigned(name)).toEqual([]);
});

test('an address that somebody else has taken at the provider fails the create, and is given back', async () => {
  const network = await newNetwork('10.8.0.0/24');
  const { id } = (await platform.api.tenant('GET', `/networks/${network}`)).body;
  const body = {
    key: 'foreign',
    name: 'foreign',
    vcpus: 1,
    memoryMib: 128,
    diskGib: 1,
    image: 'debian-13',
    networks: [id],
  };
  const headers = { 'content-type': 'application/json' };
  const foreign = await fetch(`${platform.simulator.url}/v1/regions/tpe-1/vms`, {
    method: 'POST',
    headers,
    body: JSON.stringify(body),
  });
  expect(foreign.status).toBeLessThan(300);
  const name = newName('vm');
  const job = await platform.api.done('POST', '/vms', vm(name, [network]));
  expect(job).toMatchObject({
    state: 'FAILED',
    error: { code: 'conflict', message: expect.stringContaining("another VM's") },
  });
  expect(await assigned(name)).toMatchObject([{ released: true }]);
  await fetch(`${platform.simulator.url}/v1/regions/tpe-1/vms/foreign`, { method: 'DELETE' });
  await until('the foreign VM to be gone', async () =>
    (await platform.simulator.inventory()).every((resource) => resource.name !== 'foreign'),
  );
});

test('afterwards every VM has what is assigned to it, nobody else has any, and a recount finds the same', async () => {
  await expectConsistent(platform);
  const wrong = await platform.sql`
    SELECT x.name FROM resources x JOIN vms v ON v.resource_id = x.id
    WHERE x.deleted_at IS NULL AND jsonb_array_length(v.addresses) <> (SELECT count(*) FROM address_assignments a WHERE a.owner_id = x.id AND a.released_at IS NULL)
      AND EXISTS (SELECT FROM resource_uses u JOIN subnets s ON s.network_id = u.used_id WHERE u.user_id = x.id)`;
  expect(wrong).toEqual([]);
});

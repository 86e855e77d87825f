import { expect, test } from 'vitest';
import type { BareMetalDriver } from '../../src/providers/bare-metal.ts';
import type { SimulatedHost } from '../../src/providers/simulator/host-wire.ts';
import { bareMetalConformance, target } from './bare-metal-conformance.ts';
import { call } from './conformance.ts';
import { openSimulator, type Simulated, simulated } from './simulated.ts';

const rack = { region: 'tpe-1', rack: 'rack-a', count: 5, gpus: 2 };
const bmcOf = ({ address, credential }: SimulatedHost) => ({ address, credential });

function driverOf(simulator: Simulated): BareMetalDriver {
  const { bareMetal } = simulator.driver();
  if (!bareMetal) throw new Error('the simulator has no metal');
  return bareMetal;
}

async function withRack(simulator: Simulated) {
  const { json } = await simulator.send('POST', '/hosts', rack);
  const hosts: SimulatedHost[] = json.hosts;
  return { simulator, driver: driverOf(simulator), hosts: hosts.map(bmcOf) };
}

async function open(latencyMs: Record<string, number>) {
  const simulator = await openSimulator({ latencyMs });
  const { driver, hosts } = await withRack(simulator);
  return { driver, hosts, image: (name: string) => `https://images.example.org/${name}`, close: simulator.close };
}
const actions = ['power', 'boot', 'media', 'clean', 'deploy', 'undeploy', 'rescue', 'unrescue'];
const latency = Object.fromEntries(actions.map((action) => [`bare-metal-host.${action}`, 10]));
bareMetalConformance('a simulator without latency', () => open({}));
bareMetalConformance('a simulator that takes its time', () => open(latency));

const stateOf = async (simulator: Simulated, address: string | undefined): Promise<SimulatedHost> => {
  const { json } = await simulator.send('GET', '/hosts?region=tpe-1');
  return json.hosts.find((host: SimulatedHost) => host.address === address);
};

test('a rack that is put in again is the same rack, and another region has none of it', async () => {
  const { simulator, hosts, driver } = await withRack(await simulated());
  await driver.setPower(target(hosts[0]), 'on', call());
  const { json } = await simulator.send('POST', '/hosts', { ...rack, count: 6 });
  expect(json.hosts.map((host: SimulatedHost) => host.power)).toEqual(['on', 'off', 'off', 'off', 'off', 'off']);
  expect(await simulator.driver({ region: 'nrt-1' }).bareMetal?.list(call())).toEqual([]);
  expect((await driver.inspect(target(hosts[0]), call())).gpus).toHaveLength(2);
});

test('disks hold what was written to them until they are wiped', async () => {
  const { simulator, hosts, driver } = await withRack(await simulated());
  const at = target(hosts[0]);
  const contents = async () => (await stateOf(simulator, at.bmc.address)).contents;
  expect(await contents()).toEqual(['used', 'used']);
  await driver.clean(at, call());
  expect(await contents()).toEqual(['empty', 'empty']);
  const url = 'https://images.example.org/debian.iso';
  await driver.deploy(at, { url, until: 'powered-off' }, call());
  await driver.undeploy(at, call());
  expect(await contents()).toEqual([url, 'empty']);
  await driver.clean({ ...at, operation: 'the next' }, call());
  expect(await contents()).toEqual(['empty', 'empty']);
});

test('a deployment whose answer was lost is done once, also over a restart', async () => {
  const { simulator, hosts, driver } = await withRack(
    await simulated({ latencyMs: { 'bare-metal-host.deploy': 200 } }),
  );
  const at = target(hosts[0]);
  const image = { url: 'https://images.example.org/debian.iso', until: 'powered-off' } as const;
  const fault = { effect: 'accept-then-drop', operation: 'bare-metal-host.deploy', name: 'rack-a-*', times: 1 };
  await simulator.send('POST', '/faults', fault);
  await expect(driver.deploy(at, image, call())).rejects.toMatchObject({ providerClass: 'ambiguous' });
  const { busy } = await stateOf(simulator, at.bmc.address);
  await simulator.restart();
  await driver.deploy(at, image, call());
  expect(busy).toBe('deploy');
  expect(await stateOf(simulator, at.bmc.address)).toMatchObject({
    busy: null,
    power: 'on',
    contents: [image.url, 'used'],
  });
  await driver.setPower(at, 'off', call());
  await driver.undeploy(at, call());
});

test.each([
  ['transient', 'transient'],
  ['permanent', 'permanent'],
  ['throttle', 'transient'],
])('a fault %s at a host is %s', async (effect, providerClass) => {
  const { simulator, hosts, driver } = await withRack(await simulated());
  await simulator.send('POST', '/faults', { effect, operation: 'bare-metal-host.power', times: 1 });
  await expect(driver.setPower(target(hosts[0]), 'on', call())).rejects.toMatchObject({ providerClass });
  expect((await stateOf(simulator, hosts[0]?.address)).power).toBe('off');
  await driver.setPower(target(hosts[0]), 'on', call());
});

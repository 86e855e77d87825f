import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { createLogger } from '../../src/log.ts';
import { openDriver } from '../../src/providers/registry.ts';
import { startSimulator } from '../../src/providers/simulator/server.ts';
import { call, vmSpec } from './conformance.ts';
import { simulated } from './simulated.ts';

const log = createLogger('simulator', 'silent');

test('a restart forgets nothing: machines, addresses, faults, settings', async () => {
  const simulator = await simulated();
  const { compute, network } = simulator.driver();
  const net = { key: randomUUID(), name: 'backbone' };
  await network.ensure(net.key, { ...net, cidr: '10.60.0.0/24' }, call());
  const [key, spec] = [randomUUID(), vmSpec({ name: 'web-1', networks: [net] })];
  const made = await compute.ensure(key, spec, call());
  await simulator.send('POST', '/faults', { effect: 'transient', operation: 'volume.create', times: 2 });
  await simulator.send('PUT', '/settings', { latencyMs: { 'vm.delete': 5 } });
  await simulator.send('PUT', '/settings', { capacity: { 'tpe-1': { vms: 1 } } });

  await simulator.restart();
  expect(await compute.ensure(key, spec, call())).toEqual(made);
  expect((await simulator.send('GET', '/faults')).json).toMatchObject({ faults: [{ effect: 'transient', times: 2 }] });
  expect((await simulator.send('GET', '/settings')).json).toEqual({
    latencyMs: { 'vm.delete': 5 },
    capacity: { 'tpe-1': { vms: 1 } },
  });
  await expect(compute.ensure(randomUUID(), spec, call())).rejects.toMatchObject({ code: 'capacity' });
});

test('a kill in the middle of a build loses neither the machine nor its time', async () => {
  const simulator = await simulated();
  await simulator.stop();
  const server = new URL('../../src/providers/simulator/server.ts', import.meta.url).href;
  const program = `
    import { startSimulator } from ${JSON.stringify(server)};
    const log = { info() {}, debug() {}, error: console.error };
    const file = ${JSON.stringify(simulator.file)};
    const { url } = await startSimulator({ port: 0, file, latencyMs: { 'vm.create': 3_600_000 } }, log);
    console.log(url);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [endpoint] = await once(createInterface(child.stdout), 'line');
  const settings = { region: 'tpe-1', timeoutMs: 5000 };
  const { compute } = openDriver('simulator', { ...settings, endpoint });
  const [key, killed] = [randomUUID(), new AbortController()];
  const context = { signal: killed.signal, progress: () => killed.abort(), stillMine: async () => undefined };
  await expect(compute.ensure(key, vmSpec({ name: 'web-1' }), context)).rejects.toThrow();
  child.kill('SIGKILL');
  await once(child, 'exit');

  const again = await startSimulator({ port: 0, file: simulator.file }, log);
  onTestFinished(() => again.stop());
  const driver = openDriver('simulator', { ...settings, endpoint: again.url });
  expect(await driver.compute.list(call())).toMatchObject([{ key, name: 'web-1', state: 'building' }]);
});

test('a build and a delete take their time by the clock, whatever is restarted meanwhile', async () => {
  const latencyMs = 100;
  const simulator = await simulated({ latencyMs: { 'vm.create': latencyMs, 'vm.delete': latencyMs } });
  const [key, path] = [randomUUID(), '/v1/regions/tpe-1/vms'];
  const body = { key, name: 'web-1', vcpus: 1, memoryMib: 512, diskGib: 1, image: 'debian-13' };

  const createdAt = Date.now();
  expect(await simulator.send('POST', path, body)).toMatchObject({ status: 202, json: { state: 'building' } });
  await simulator.restart();
  await expect.poll(() => simulator.inventory(), { interval: 5 }).toEqual(['vm web-1 running']);
  expect(Date.now() - createdAt).toBeGreaterThanOrEqual(latencyMs);

  const deletedAt = Date.now();
  expect(await simulator.send('DELETE', `${path}/${key}`)).toMatchObject({ status: 202, json: { state: 'deleting' } });
  await simulator.restart();
  await expect.poll(() => simulator.inventory(), { interval: 5 }).toEqual([]);
  expect(Date.now() - deletedAt).toBeGreaterThanOrEqual(latencyMs);
});

test('it stops at once with calls that hang, crawl, or have not begun', async () => {
  const simulator = await simulated();
  const { compute } = simulator.driver({ timeoutMs: 60_000 });
  await simulator.send('POST', '/faults', { effect: 'hang', operation: 'vm.get', times: 10 });
  await simulator.send('POST', '/faults', { effect: 'slow', operation: 'vm.list', times: 10, afterMs: 60_000 });
  const held = Array.from({ length: 10 }, () => [compute.find(randomUUID(), call()), compute.list(call())]).flat();
  const ends = Promise.allSettled(held);
  const idle = connect(Number(new URL(simulator.url).port), '127.0.0.1');
  await once(idle, 'connect');
  await expect.poll(async () => (await simulator.send('GET', '/calls')).json.calls).toHaveLength(20);

  const startedAt = performance.now();
  await Promise.all([simulator.stop(), simulator.stop()]);
  expect(performance.now() - startedAt).toBeLessThan(1000);
  for (const end of await ends) expect(end).toMatchObject({ reason: { providerClass: 'transient' } });
  idle.destroy();
});

test('a port or a file that another simulator has is said to be in use', async () => {
  const simulator = await simulated();
  const port = Number(new URL(simulator.url).port);
  await expect(startSimulator({ port, file: ':memory:' }, log)).rejects.toThrow(/cannot listen on 127\.0\.0\.1:\d+/);
  await expect(startSimulator({ port: 0, file: simulator.file }, log)).rejects.toThrow(/cannot use its file .*locked/);
});

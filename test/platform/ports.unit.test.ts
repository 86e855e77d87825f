import { createServer, type Server } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { chooseMetricsPorts, choosePorts, freePorts } from '../../src/platform/ports.ts';

const servers: Server[] = [];
const all = { temporal: true, postgres: true };

async function occupy(port: number): Promise<void> {
  const server = createServer();
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
}

/** The first of seven free ports in a row. */
async function freeBlock(): Promise<number> {
  for (let tries = 0; tries < 100; tries++) {
    const [first = 0] = await freePorts(1);
    const found = await choosePorts(first, all).catch(() => undefined);
    if (found) return first;
  }
  throw new Error('no seven free ports in a row');
}

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

test('a block holds the documented ports in their order', async () => {
  const first = await freeBlock();
  const ports = await choosePorts(first, all);
  expect([ports.api, ports.temporal, ports.temporalUi, ports.postgres, ports.simulator]).toEqual([
    first,
    first + 1,
    first + 2,
    first + 3,
    first + 4,
  ]);
});

test('an occupied port is named with what it is for and what to do', async () => {
  const first = await freeBlock();
  await occupy(first + 3);
  await expect(choosePorts(first, all)).rejects.toThrow(
    new RegExp(`Port ${first + 3}, for PostgreSQL, is in use.*millwright up --port ${first + 1000}.*--port 0`),
  );
});

test('the port of a part that is not ours may be occupied', async () => {
  const first = await freeBlock();
  await occupy(first + 3);
  await occupy(first + 6);
  await expect(choosePorts(first, { temporal: false, postgres: false })).resolves.toMatchObject({ api: first });
});

test('port 0 picks ports that no outgoing connection is given, all different', async () => {
  const ports = Object.values(await choosePorts(0, all));
  expect(new Set(ports).size).toBe(ports.length);
  expect(Math.min(...ports)).toBeGreaterThanOrEqual(20_000);
  expect(Math.max(...ports)).toBeLessThan(32_000);
});

test('a block that does not fit below 65536 is refused', async () => {
  await expect(choosePorts(65_530, all)).rejects.toMatchObject({ code: 'invalid' });
});

test('metrics are served at none of the platform’s other ports, whether or not these listen yet', async () => {
  const ports = {
    api: 20_000,
    temporal: 20_001,
    temporalUi: 20_002,
    postgres: 20_010,
    simulator: 20_012,
    temporalHttp: 20_003,
    temporalMetrics: 20_004,
  };
  const chosen = Object.values(await chooseMetricsPorts(ports, ['api', 'simulator', 'control', 'region.a']));
  expect(chosen).toHaveLength(4);
  expect(new Set([...chosen, ...Object.values(ports)]).size).toBe(4 + Object.values(ports).length);
});

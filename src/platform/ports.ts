import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { MillwrightError } from '../errors.ts';

/** The listeners of a platform, in the order of their ports in a block. */
const listeners = [
  'api',
  'temporal',
  'temporalUi',
  'postgres',
  'simulator',
  'temporalHttp',
  'temporalMetrics',
] as const;
type Listener = (typeof listeners)[number];
export type Ports = Readonly<Record<Listener, number>>;

const names: Readonly<Record<Listener, string>> = {
  api: 'the API',
  temporal: 'Temporal',
  temporalUi: "Temporal's Web UI",
  postgres: 'PostgreSQL',
  simulator: 'the simulator',
  temporalHttp: "Temporal's HTTP API",
  temporalMetrics: "Temporal's metrics",
};

/**
 * Below the ranges from which Linux (32768–60999) and macOS (49152–65535) take the ports of outgoing connections, so that
 * no connection can take a port between the moment it is chosen and the moment its role listens.
 */
const randomRange = { from: 20_000, to: 32_000 } as const;

/** Which parts are ours; those that are not need no port. */
export interface Embedded {
  readonly temporal: boolean;
  readonly postgres: boolean;
}

const isNeeded = (name: Listener, embedded: Embedded): boolean =>
  name === 'postgres' ? embedded.postgres : name.startsWith('temporal') ? embedded.temporal : true;

/** The block of ports that begins at `first`; 0 picks free ones for every listener. */
export async function choosePorts(first: number, embedded: Embedded): Promise<Ports> {
  if (first === 0) return randomPorts();
  if (!Number.isInteger(first) || first < 1 || first + listeners.length - 1 > 65_535) {
    throw new MillwrightError('invalid', `${first} is not a port that a block of ${listeners.length} can begin at.`);
  }
  const ports = portsFrom((index) => first + index);
  const needed = listeners.filter((name) => isNeeded(name, embedded));
  const free = await Promise.all(needed.map((name) => isFree(ports[name])));
  const occupied = needed.find((_, index) => !free[index]);
  if (occupied === undefined) return ports;
  throw new MillwrightError(
    'conflict',
    `Port ${ports[occupied]}, for ${names[occupied]}, is in use by another program: stop that one, or start with another block of ports ("millwright up --port ${first + 1000}") or with any free ones ("millwright up --port 0").`,
  );
}

/** The ports for metrics come this far after the block's first. */
const metricsOffset = 10;

/**
 * A port for the metrics of each role: those from ten above the API's where they are free, else others that are. None is
 * another listener's of the platform, which may not listen yet.
 */
export async function chooseMetricsPorts(
  ports: Ports,
  roles: readonly string[],
): Promise<Readonly<Record<string, number>>> {
  const taken = new Set(Object.values(ports));
  const wanted = roles.map((_, index) => ports.api + metricsOffset + index);
  const free = await Promise.all(wanted.map((port) => port <= 65_535 && !taken.has(port) && isFree(port)));
  const others = await freePorts(free.filter((one) => !one).length, [...taken, ...wanted]);
  return Object.fromEntries(roles.map((role, index) => [role, (free[index] ? wanted[index] : others.pop()) ?? 0]));
}

/** Free ports that no outgoing connection is given, and that are none of `taken`. */
export async function freePorts(count: number, taken: readonly number[] = []): Promise<number[]> {
  const chosen = new Set<number>();
  for (let tries = 0; tries < 1000 && chosen.size < count; tries++) {
    const port = randomInt(randomRange.from, randomRange.to);
    if (!chosen.has(port) && !taken.includes(port) && (await isFree(port))) chosen.add(port);
  }
  if (chosen.size < count) {
    throw new MillwrightError('unavailable', `No free ports were found from ${randomRange.from} to ${randomRange.to}.`);
  }
  return [...chosen];
}

async function randomPorts(): Promise<Ports> {
  const free = await freePorts(listeners.length);
  return portsFrom((index) => free[index] ?? 0);
}

const portsFrom = (portAt: (index: number) => number): Ports => ({
  api: portAt(0),
  temporal: portAt(1),
  temporalUi: portAt(2),
  postgres: portAt(3),
  simulator: portAt(4),
  temporalHttp: portAt(5),
  temporalMetrics: portAt(6),
});

/** Whether a program could listen there now: found by doing it. */
function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}

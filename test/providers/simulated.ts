import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { createLogger } from '../../src/log.ts';
import { openDriver } from '../../src/providers/registry.ts';
import { startSimulator } from '../../src/providers/simulator/server.ts';
import type { Driver } from '../../src/providers/types.ts';

export type Simulated = Awaited<ReturnType<typeof openSimulator>>;
type Options = Omit<Parameters<typeof startSimulator>[0], 'port' | 'file'>;

/** A simulator of one's own, on a free port and in a directory that `close` removes. */
export async function openSimulator(options: Options = {}) {
  const directory = await mkdtemp(join(tmpdir(), 'millwright-simulator-'));
  const file = join(directory, 'simulator.sqlite');
  const log = createLogger('simulator', 'silent');
  let running = await startSimulator({ port: 0, file, ...options }, log);
  const { url } = running;

  /** One request, its answer read: as anybody may send it, well formed or not. */
  async function send(method: string, path: string, body?: unknown) {
    const content = typeof body === 'string' || body === undefined ? body : JSON.stringify(body);
    const response = await fetch(`${url}${path}`, { method, ...(content === undefined ? {} : { body: content }) });
    const text = await response.text();
    return { status: response.status, headers: response.headers, json: text ? JSON.parse(text) : undefined };
  }

  return {
    url,
    file,
    send,
    driver: ({ region = 'tpe-1', timeoutMs = 5000 } = {}): Driver =>
      openDriver('simulator', { region, timeoutMs, endpoint: url }),
    /** What is there, as `<kind> <name> <state>`. */
    inventory: async (): Promise<string[]> => {
      const { json } = await send('GET', '/inventory');
      return json.resources.map(({ kind, name, state }: Record<string, string>) => `${kind} ${name} ${state}`);
    },
    stop: () => running.stop(),
    /** Stops it and starts it again on the same file and port, until a client has noticed that its connections are cut. */
    restart: async () => {
      await running.stop();
      running = await startSimulator({ port: Number(new URL(url).port), file, ...options }, log);
      const isHealthy = () => send('GET', '/health').then(({ status }) => status === 200);
      await expect.poll(() => isHealthy().catch(() => false)).toBe(true);
    },
    close: async () => {
      await running.stop();
      await rm(directory, { recursive: true });
    },
  };
}

/** The same, for one test: closed when the test is over. */
export async function simulated(options?: Options): Promise<Simulated> {
  const simulator = await openSimulator(options);
  onTestFinished(() => simulator.close());
  return simulator;
}

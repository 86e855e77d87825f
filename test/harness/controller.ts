import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import { z } from 'zod';
import { until } from './until.ts';

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
  readonly headers: IncomingMessage['headers'];
}
export interface Said {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly json: unknown;
}
/** A whim of the controller: what it makes of a request that it would otherwise pass on. `drop` cuts the connection. */
export type Whim = (asked: Asked, passOn: () => Promise<Said>) => Promise<Said | 'drop'>;

const seenSchema = z.object({ Image: z.string().nullish(), PowerState: z.string().nullish() });

/**
 * A controller with the ways of real ones, in front of an emulator that has none: it passes on, but for its whim. It
 * also serves images, and plays them: one that is not called "live" turns the machine off that was started from it.
 */
export async function startController(emulator: string) {
  let whim: Whim = (_, passOn) => passOn();
  let asked: Asked[] = [];
  const server = createServer((incoming, outgoing) => void answer(incoming, outgoing));

  async function answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { method = '', url: path = '', headers } = incoming;
    if (path.startsWith('/images/')) return void outgoing.end('an image');
    const body = Number(headers['content-length'] ?? 0) > 0 ? await json(incoming) : undefined;
    const question: Asked = { method, path, body, headers };
    asked.push(question);
    const said = await whim(question, () => passOn(question));
    if (said === 'drop') return void outgoing.destroy();
    outgoing.writeHead(said.status, { 'Content-Type': 'application/json', ...said.headers });
    outgoing.end(said.json === undefined ? undefined : JSON.stringify(said.json));
  }

  async function passOn({ method, path, body, headers }: Asked): Promise<Said> {
    const response = await fetch(`${emulator}${path}`, {
      method,
      headers: { Authorization: headers.authorization ?? '', 'Content-Type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (path.endsWith('ComputerSystem.Reset') && response.ok && JSON.stringify(body).includes('On')) {
      const { authorization = '' } = headers;
      void play(path.slice(0, path.indexOf('/Actions/')), authorization).catch(() => undefined);
    }
    return { status: response.status, headers: {}, json: text === '' ? undefined : JSON.parse(text) };
  }

  async function play(system: string, authorization: string): Promise<void> {
    const read = async (path: string) => {
      const response = await fetch(`${emulator}${path}`, { headers: { Authorization: authorization } });
      return seenSchema.parse(await response.json());
    };
    const { Image: image } = await read(`${system}/VirtualMedia/Cd`);
    if (!image || image.includes('live')) return;
    await until('the machine is on', async () => (await read(system)).PowerState === 'On');
    await fetch(`${emulator}${system}/Actions/ComputerSystem.Reset`, {
      method: 'POST',
      headers: { Authorization: authorization, 'Content-Type': 'application/json' },
      body: JSON.stringify({ ResetType: 'ForceOff' }),
    });
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const url = `http://127.0.0.1:${address.port}`;
  return {
    url,
    image: (name: string): string => `${url}/images/${name}`,
    /** From now on; without one it has none. */
    behave: (wanted: Whim = (_, passOn) => passOn()): void => {
      whim = wanted;
      asked = [];
    },
    /** What was asked since it last changed its ways. */
    asked: (part: string, method = 'POST'): Asked[] =>
      asked.filter((question) => question.method === method && question.path.includes(part)),
    close: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
export type Controller = Awaited<ReturnType<typeof startController>>;

import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { Webhook } from 'standardwebhooks';
import type { Event } from '../../src/domain/event.ts';
import { until } from './until.ts';

interface Received {
  readonly id: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly event: Event;
  readonly at: number;
  readonly status: number | 'hangs';
}

interface Reply {
  readonly status: number | 'hangs';
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

/** A tenant's endpoint: a real HTTP server that keeps what it gets and answers as it is told. */
export interface Receiver {
  readonly url: string;
  readonly received: Received[];
  /** What it took, in order. */
  readonly taken: () => Event[];
  /** How it answers from now on. */
  answer: (reply: Reply | ((event: Event) => Reply)) => void;
  /** The library's own verifier; throws where the signature is not of this secret. */
  verify: (received: Received, secret: string) => void;
  takes: (count: number, deadlineMs?: number) => Promise<Event[]>;
  stop: () => Promise<void>;
}

const ok: Reply = { status: 204 };

export async function startReceiver(): Promise<Receiver> {
  const received: Received[] = [];
  let reply: (event: Event) => Reply = () => ok;
  const server = createServer(async (request, response) => {
    const body = await text(request);
    const event: Event = JSON.parse(body).data;
    const { status, headers, body: answer } = reply(event);
    received.push({
      id: String(request.headers['webhook-id']),
      headers: request.headers,
      body,
      event,
      at: Date.now(),
      status,
    });
    if (status === 'hangs') return;
    response.writeHead(status, headers);
    response.end(answer);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const taken = (): Event[] =>
    received.filter(({ status }) => status !== 'hangs' && status < 300).map(({ event }) => event);
  return {
    url: `http://127.0.0.1:${port}/hook`,
    received,
    taken,
    answer: (given) => {
      reply = typeof given === 'function' ? given : () => given;
    },
    verify: ({ body, headers }, secret) => {
      const texts = Object.entries(headers).map(([name, value]) => [name, String(value)]);
      new Webhook(secret).verify(body, Object.fromEntries(texts));
    },
    takes: (count, deadlineMs) =>
      until(`${count} events at the endpoint`, async () => taken().length >= count && taken(), deadlineMs),
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

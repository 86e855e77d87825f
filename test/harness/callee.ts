import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { until } from './until.ts';

interface Call {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly at: number;
}

/** How a call is answered: as it says, or not at all; `drops` does what is asked, and then breaks the connection. */
type Reply =
  | 'hangs'
  | 'drops'
  | { readonly status?: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string };

/** Another system that batches call: a real HTTP server that keeps what it gets, and answers each path as it is told. */
export interface Callee {
  /** `127.0.0.1:port`. */
  readonly host: string;
  urlOf(path: string): string;
  /** The calls to this path, in order; of `DELETE` and the like as well. */
  to(path: string, method?: string): readonly Call[];
  /** How this path is answered; of several, each once, and the last from then on. */
  answer(path: string, ...replies: readonly Reply[]): void;
  hears(path: string, calls?: number): Promise<unknown>;
  stop(): Promise<void>;
}

export async function startCallee(): Promise<Callee> {
  const calls = new Map<string, Call[]>();
  const replies = new Map<string, Reply[]>();
  const server = createServer(async (request, response) => {
    const path = request.url ?? '';
    const { method = '', headers } = request;
    const body = await text(request).catch(() => '');
    calls.set(path, [...(calls.get(path) ?? []), { method, headers, body, at: Date.now() }]);
    const [reply = {}, ...rest] = replies.get(path) ?? [];
    if (rest.length > 0) replies.set(path, rest);
    if (reply === 'hangs') return;
    if (reply === 'drops') {
      request.socket.destroy();
      return;
    }
    response.writeHead(reply.status ?? 200, { 'content-type': 'application/json', ...reply.headers });
    response.end(reply.body ?? '{}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const to = (path: string, method?: string): Call[] =>
    (calls.get(path) ?? []).filter((call) => method === undefined || call.method === method);
  return {
    host,
    urlOf: (path) => `http://${host}${path}`,
    to,
    answer: (path, ...given) => {
      replies.set(path, [...given]);
    },
    hears: (path, count = 1) => until(`${count} calls to ${path}`, async () => to(path).length >= count),
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

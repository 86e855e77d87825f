import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Problem } from '../../api/problem.ts';
import type { JobEvent } from '../../src/domain/job.ts';

interface Asked {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}
type Route = (asked: Asked, response: ServerResponse) => unknown;

export interface FakeApi {
  readonly url: string;
  readonly asked: readonly Asked[];
  stop(): Promise<void>;
}

/** An HTTP server that answers as the API does, for what a test needs of it. Routes are `METHOD /path`, as in a request. */
export async function startApi(routes: Readonly<Record<string, Route>>): Promise<FakeApi> {
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    const { method = 'GET', headers } = request;
    const one = { method, path: pathname, query: searchParams, headers, body: await text(request) };
    asked.push(one);
    const route = routes[`${method} ${pathname.replace('/api/tenant/v1', '').replace('/api/ops/v1', '')}`];
    if (route) await route(one, response);
    else problem(response, { status: 404, code: 'not_found', title: 'Not found', detail: `No ${method} ${pathname}.` });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

export function json(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

type SomeProblem = Pick<Problem, 'status' | 'code' | 'title' | 'detail'> & Partial<Problem>;

export function problem(response: ServerResponse, about: SomeProblem): void {
  const body: Problem = { type: `urn:millwright:problem:${about.code}`, requestId: 'request-1', ...about };
  response.writeHead(about.status, { 'content-type': 'application/problem+json' }).end(JSON.stringify(body));
}

/** Takes the request and loses the answer. */
export const drop = (response: ServerResponse): void => void response.destroy();

/** Begins a stream of events with these; the id of each is its place in `all`, from 1. */
export function stream(response: ServerResponse, events: readonly JobEvent[], all: readonly JobEvent[] = events): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write(': still here\n\n');
  for (const event of events) {
    response.write(`event: job\ndata: ${JSON.stringify(event)}\nid: 1.${all.indexOf(event) + 1}\n\n`);
  }
}

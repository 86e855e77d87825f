import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Gauge, type Registry } from 'prom-client';
import type { Config } from '../config/index.ts';
import { MillwrightError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { type Part, readinessOf } from './readiness.ts';
import { openRegistry } from './registry.ts';

/** What operators watch a role by. */
export interface Telemetry {
  readonly registry: Registry;
  close(): Promise<void>;
}

interface TelemetryOptions {
  readonly role: string;
  readonly parts: readonly Part[];
  /** Metrics in Prometheus' text format from elsewhere, to be served with the role's own. */
  readonly more?: () => Promise<string>;
}

/**
 * Serves `/metrics`, `/healthz` (this process lives) and `/readyz` (it can do its work; if not, what is missing) on a
 * listener of the role's own, apart from what it serves to users. Nothing is measured or asked until somebody does.
 */
export async function openTelemetry(config: Config, log: Logger, options: TelemetryOptions): Promise<Telemetry> {
  const { role, parts, more = async () => '' } = options;
  const registry = openRegistry(role);
  new Gauge({
    name: 'millwright_part_up',
    help: 'Whether a part that this role needs answers (1) or not (0).',
    labelNames: ['part'],
    registers: [registry],
    async collect() {
      const readiness = await readinessOf(parts);
      for (const [part, state] of Object.entries(readiness.parts)) this.set({ part }, state === 'ok' ? 1 : 0);
    },
  });

  async function answer(path: string, response: ServerResponse): Promise<void> {
    if (path === '/healthz') return json(response, 200, { status: 'ok' });
    if (path === '/readyz') {
      const readiness = await readinessOf(parts);
      return json(response, readiness.ready ? 200 : 503, readiness);
    }
    if (path !== '/metrics') return json(response, 404, { paths: ['/metrics', '/healthz', '/readyz'] });
    const [own, others] = await Promise.all([registry.metrics(), more()]);
    response.writeHead(200, { 'content-type': registry.contentType }).end(own + others);
  }

  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    answer(pathname, response).catch((error: unknown) => {
      log.warn({ err: error }, 'metrics could not be gathered');
      response.writeHead(500).end();
    });
  });
  const { MILLWRIGHT_METRICS_HOST: host, MILLWRIGHT_METRICS_PORT: port } = config;
  await new Promise<void>((listening, failed) => {
    server.once('error', (cause) =>
      failed(
        new MillwrightError(
          'unavailable',
          `Metrics cannot be served on ${host}:${port}: ${cause.message}. Set MILLWRIGHT_METRICS_PORT to a free port, or to 0.`,
          { cause },
        ),
      ),
    );
    server.listen(port, host, listening);
  });
  log.info({ metrics: `http://${host}:${(server.address() as AddressInfo).port}/metrics` }, 'metrics are served');
  return {
    registry,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
}

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
}

import { ServerResponse } from 'node:http';
import type { Context, MiddlewareHandler } from 'hono';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { StartableJob } from '../src/domain/start.ts';
import { shortBuckets } from '../src/telemetry/registry.ts';
import type { ApiEnv } from './env.ts';
import { routeOf } from './route.ts';

export interface ApiMetrics {
  readonly requests: MiddlewareHandler<ApiEnv>;
  /** Counts the jobs that are handed on to be started. */
  counted(start: (job: StartableJob) => void): (job: StartableJob) => void;
}

/** How the API is used and how it answers. A label is a route's template, never what somebody asked for. */
export function apiMetrics(registry: Registry): ApiMetrics {
  const registers = [registry];
  const inFlight = new Gauge({
    name: 'millwright_http_requests_in_flight',
    help: 'Requests that are being answered; a stream of events counts until it begins.',
    registers,
  });
  const duration = new Histogram({
    name: 'millwright_http_request_duration_seconds',
    help: 'From the arrival of a request until its answer begins.',
    labelNames: ['method', 'route', 'status'],
    buckets: shortBuckets,
    registers,
  });
  const streams = new Gauge({
    name: 'millwright_event_streams',
    help: 'Streams of events that somebody watches.',
    registers,
  });
  /** A stream's answer has begun; it ends when its connection does. */
  const watch = ({ res, env }: Context<ApiEnv>): void => {
    if (!res.headers.get('content-type')?.startsWith('text/event-stream')) return;
    const outgoing: unknown = Reflect.get(Object(env), 'outgoing');
    if (!(outgoing instanceof ServerResponse)) return;
    streams.inc();
    outgoing.once('close', () => streams.dec());
  };
  const accepted = new Counter({
    name: 'millwright_jobs_accepted_total',
    help: 'Jobs accepted from requests, by type; those of the operations of batches are not among them.',
    labelNames: ['type'],
    registers,
  });
  return {
    counted: (start) => (job) => {
      accepted.inc({ type: job.type });
      start(job);
    },
    requests: async (context, next) => {
      inFlight.inc();
      const began = performance.now();
      try {
        await next();
      } finally {
        inFlight.dec();
        const labels = { method: context.req.method, route: routeOf(context), status: String(context.res.status) };
        duration.observe(labels, (performance.now() - began) / 1000);
        watch(context);
      }
    },
  };
}

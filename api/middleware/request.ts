import { randomUUID } from 'node:crypto';
import { SpanKind } from '@opentelemetry/api';
import { createMiddleware } from 'hono/factory';
import type { Logger } from '../../src/log.ts';
import { contextOf, inSpan } from '../../src/telemetry/tracing.ts';
import type { ApiEnv } from '../env.ts';
import { routeOf } from '../route.ts';

/** A path as a log or an answer may have it: the codec's address is a secret. */
export const shownPath = (path: string): string => path.replace(/(\/codec\/)[^/]+/, '$1[secret]');

/** Once this process is to end, no connection is kept for a request that it could not answer. */
export const leave = (draining: AbortSignal) =>
  createMiddleware<ApiEnv>(async (context, next) => {
    await next();
    if (draining.aborted) context.header('Connection', 'close');
  });

/** Gives each request an id and a span, in its answer and on every line it logs, and one line when it is answered. */
export const trace = (log: Logger) =>
  createMiddleware<ApiEnv>(async (context, next) => {
    const requestId = randomUUID();
    const child = log.child({ requestId });
    context.set('requestId', requestId);
    context.set('log', child);
    context.header('X-Request-Id', requestId);
    const startedAt = performance.now();
    const { method } = context.req;
    const attributes = { 'http.request.method': method, 'millwright.request.id': requestId };
    const parent = contextOf(context.req.header('traceparent'));
    await inSpan(method, { kind: SpanKind.SERVER, parent, attributes }, async (span) => {
      await next();
      const route = routeOf(context);
      span.updateName(`${method} ${route}`);
      span.setAttributes({ 'http.route': route, 'http.response.status_code': context.res.status });
    });
    const milliseconds = Math.round(performance.now() - startedAt);
    const level = ['GET', 'HEAD', 'OPTIONS'].includes(context.req.method) ? 'debug' : 'info';
    child[level](
      { method: context.req.method, path: shownPath(context.req.path), status: context.res.status, milliseconds },
      'answered',
    );
  });

import { randomUUID } from 'node:crypto';
import { createMiddleware } from 'hono/factory';
import type { Logger } from '../../src/log.ts';
import type { ApiEnv } from '../env.ts';

/** A path as a log or an answer may have it: the codec's address is a secret. */
export const shownPath = (path: string): string => path.replace(/(\/codec\/)[^/]+/, '$1[secret]');

/** Once this process is to end, no connection is kept for a request that it could not answer. */
export const leave = (draining: AbortSignal) =>
  createMiddleware<ApiEnv>(async (context, next) => {
    await next();
    if (draining.aborted) context.header('Connection', 'close');
  });

/** Gives each request an id, in its answer and on every line it logs, and one line when it is answered. */
export const trace = (log: Logger) =>
  createMiddleware<ApiEnv>(async (context, next) => {
    const requestId = randomUUID();
    const child = log.child({ requestId });
    context.set('requestId', requestId);
    context.set('log', child);
    context.header('X-Request-Id', requestId);
    const startedAt = performance.now();
    await next();
    const milliseconds = Math.round(performance.now() - startedAt);
    const level = ['GET', 'HEAD', 'OPTIONS'].includes(context.req.method) ? 'debug' : 'info';
    child[level](
      { method: context.req.method, path: shownPath(context.req.path), status: context.res.status, milliseconds },
      'answered',
    );
  });

import { randomUUID } from 'node:crypto';
import { createMiddleware } from 'hono/factory';
import type { Logger } from '../../src/log.ts';
import type { ApiEnv } from '../env.ts';

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
    child.debug(
      { method: context.req.method, path: context.req.path, status: context.res.status, milliseconds },
      'answered',
    );
  });

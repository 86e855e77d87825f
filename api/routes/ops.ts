import { z } from '@hono/zod-openapi';
import { regionSchema, workerSchema } from '../../src/domain/operations.ts';
import { liveWorkers } from '../../temporal/workers.ts';
import { createRoute, json, wholeListQuery } from '../contract.ts';
import type { ApiDependencies } from '../env.ts';
import { problems } from '../problem.ts';
import { createRouter } from '../router.ts';

/** What operators see of the platform itself. */
export function opsRoutes({ temporal, catalog }: ApiDependencies) {
  const common = { tags: ['Operations'] };
  const router = createRouter();

  router.openapi(
    createRoute('platform.read', {
      ...common,
      method: 'get',
      path: '/regions',
      summary: 'List regions',
      operationId: 'list-regions',
      request: { query: wholeListQuery },
      responses: {
        200: json('All regions, by name.', z.object({ items: z.array(regionSchema), nextCursor: z.null() })),
        ...problems,
      },
    }),
    async (context) => {
      const [{ regions }, workers] = await Promise.all([catalog(), liveWorkers(temporal)]);
      const items = regions.map(({ name, providers }) => {
        const running = workers.filter(({ region, status }) => region === name && status === 'running').length;
        return {
          name,
          providers: [...providers],
          status: running > 0 ? ('online' as const) : ('offline' as const),
          workers: running,
        };
      });
      return context.json({ items, nextCursor: null }, 200);
    },
  );

  router.openapi(
    createRoute('platform.read', {
      ...common,
      method: 'get',
      path: '/workers',
      summary: 'List workers',
      description:
        'What each worker is, what it can do, and its last heartbeat, as Temporal knows them: nothing is written at rest.',
      operationId: 'list-workers',
      request: { query: wholeListQuery },
      responses: {
        200: json('All workers.', z.object({ items: z.array(workerSchema), nextCursor: z.null() })),
        ...problems,
      },
    }),
    async (context) => context.json({ items: await liveWorkers(temporal), nextCursor: null }, 200),
  );
  return router;
}

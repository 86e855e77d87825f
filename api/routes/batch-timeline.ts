import { z } from '@hono/zod-openapi';
import { ganttOf } from '../../src/batch/gantt.ts';
import { graphOf } from '../../src/batch/graph-picture.ts';
import { batchTimeline } from '../../src/db/queries/batch-timeline.ts';
import { batchIdOf } from '../../src/db/queries/batches.ts';
import { timelineSchema } from '../../src/domain/batch-timeline.ts';
import { MillwrightError } from '../../src/errors.ts';
import { createRoute, projectQuery, referenceParam } from '../contract.ts';
import type { ApiDependencies } from '../env.ts';
import { problems } from '../problem.ts';
import { createRouter } from '../router.ts';

/** A picture that is opened by itself: nothing in it may run, or be fetched. */
const harmless = "default-src 'none'; style-src 'unsafe-inline'";

export function batchTimelineRoutes({ database }: ApiDependencies) {
  const router = createRouter();
  router.openapi(
    createRoute('batch.read', {
      tags: ['Batches'],
      method: 'get',
      path: '/batches/{id}/timeline',
      summary: 'See a batch over time',
      description:
        'When each operation began and ended, how long it waited, how often it was tried, when it was taken back, and the critical path: from the operation that ended last back through the dependency that ended last. As JSON, or with `format=svg` as a Gantt chart.',
      operationId: 'get-batch-timeline',
      request: {
        params: referenceParam,
        query: projectQuery.extend({
          format: z.enum(['json', 'svg']).default('json'),
          show: z.enum(['gantt', 'graph']).default('gantt').meta({
            description: 'With `format=svg`: over time, or by what depends on what.',
          }),
        }),
      },
      responses: {
        200: {
          description: 'The timeline.',
          content: { 'application/json': { schema: timelineSchema }, 'image/svg+xml': { schema: z.string() } },
        },
        ...problems,
      },
    }),
    async (context) => {
      const { id } = context.req.valid('param');
      const batchId = await batchIdOf(database.sql, context.get('caller').project.id, id);
      if (!batchId) throw new MillwrightError('not_found', `There is no batch "${id}" in this project.`);
      const timeline = await batchTimeline(database.sql, batchId);
      const { format, show } = context.req.valid('query');
      if (format === 'json') return context.json(timeline, 200);
      const headers = { 'content-type': 'image/svg+xml; charset=utf-8', 'content-security-policy': harmless };
      return context.body(show === 'graph' ? graphOf(timeline) : ganttOf(timeline), 200, headers);
    },
  );
  return router;
}

import { z } from '@hono/zod-openapi';
import { streamSSE } from 'hono/streaming';
import { auditSettlement } from '../../src/db/queries/audit.ts';
import { findJob, listJobs } from '../../src/db/queries/jobs.ts';
import { hasEnded, jobEventSchema, jobSchema, jobStates, settleSchema } from '../../src/domain/job.ts';
import { MillwrightError } from '../../src/errors.ts';
import { settleJob } from '../../temporal/client.ts';
import { createRoute, idParam, json, pageOf, pageQuery, projectQuery } from '../contract.ts';
import type { ApiDependencies } from '../env.ts';
import { jobEvents, parseEventId, toEventId } from '../job-events.ts';
import { problems } from '../problem.ts';
import { createRegionWatch } from '../region-watch.ts';
import { createRouter } from '../router.ts';
import { workflowUrl } from '../workflow-url.ts';

const notFound = (id: string): MillwrightError =>
  new MillwrightError('not_found', `There is no job "${id}" in this project.`);

export function jobRoutes(dependencies: ApiDependencies) {
  const { database, temporal } = dependencies;
  const urlOf = workflowUrl(dependencies);
  const withRegion = createRegionWatch(temporal);
  const common = { tags: ['Jobs'] };
  const router = createRouter();

  router.openapi(
    createRoute('job.read', {
      ...common,
      method: 'get',
      path: '/jobs',
      summary: 'List jobs',
      operationId: 'list-jobs',
      request: {
        query: pageQuery.extend({
          state: z.enum(jobStates).optional(),
          resource: z.uuid().optional().meta({ description: 'Only the jobs of this resource.' }),
          batch: z.uuid().optional().meta({ description: 'Only the jobs of this batch’s operations.' }),
        }),
      },
      responses: { 200: json('A page, newest first.', pageOf(jobSchema)), ...problems },
    }),
    async (context) => {
      const { limit, cursor, state, resource, batch } = context.req.valid('query');
      const filter = { state, resourceId: resource, batchId: batch };
      return context.json(
        await listJobs(database.sql, context.get('caller').project.id, filter, { limit, cursor }, urlOf),
        200,
      );
    },
  );

  router.openapi(
    createRoute('job.read', {
      ...common,
      method: 'get',
      path: '/jobs/{id}',
      summary: 'Get a job with its steps',
      operationId: 'get-job',
      request: { params: idParam, query: projectQuery },
      responses: { 200: json('The job.', jobSchema), ...problems },
    }),
    async (context) => {
      const { id } = context.req.valid('param');
      const job = await findJob(database.sql, context.get('caller').project.id, id, urlOf);
      if (!job) throw notFound(id);
      return context.json(await withRegion(job), 200);
    },
  );

  router.openapi(
    createRoute('job.write', {
      ...common,
      method: 'post',
      path: '/jobs/{id}/settle',
      summary: 'Settle a held job',
      description: '`retry` runs once more what is left of a rollback that is stuck. What is done is never repeated.',
      operationId: 'settle-job',
      request: {
        params: idParam,
        query: projectQuery,
        body: { required: true, content: { 'application/json': { schema: settleSchema } } },
      },
      responses: { 200: json('The job, going on.', jobSchema), ...problems },
    }),
    async (context) => {
      const { id } = context.req.valid('param');
      const { action, reason } = context.req.valid('json');
      const { project } = context.get('caller');
      const job = await findJob(database.sql, project.id, id, urlOf);
      if (!job) throw notFound(id);
      if (job.state !== 'HELD') {
        throw new MillwrightError('conflict', `Job ${id} is ${job.state}, not HELD; there is nothing to settle.`);
      }
      await auditSettlement(database.sql, context.get('caller'), job, action, reason);
      await settleJob(temporal, job.workflowId, { jobId: id, action, reason });
      return context.json((await findJob(database.sql, project.id, id, urlOf)) ?? job, 200);
    },
  );

  router.openapi(
    createRoute('event.read', {
      ...common,
      method: 'get',
      path: '/jobs/{id}/events',
      summary: 'Watch a job',
      description:
        'Server-sent events: each change of the job, and of its operations if it is a batch’s, from the beginning or after `Last-Event-ID`. The stream ends when the job has ended.',
      operationId: 'watch-job',
      request: {
        params: idParam,
        query: projectQuery,
        headers: z.object({ 'last-event-id': z.string().max(100).optional() }),
      },
      responses: {
        200: { description: 'The stream.', content: { 'text/event-stream': { schema: jobEventSchema } } },
        ...problems,
      },
    }),
    async (context) => {
      const { id } = context.req.valid('param');
      const after = parseEventId(context.req.valid('header')['last-event-id']);
      const job = await findJob(database.sql, context.get('caller').project.id, id, urlOf);
      if (!job) throw notFound(id);
      return streamSSE(context, async (stream) => {
        const gone = new AbortController();
        stream.onAbort(() => gone.abort());
        for await (const event of jobEvents(database.sql, id, after, gone.signal)) {
          if (event === 'idle') await stream.write(': still here\n\n');
          else await stream.writeSSE({ id: toEventId(event), event: event.type, data: JSON.stringify(event.data) });
          if (event !== 'idle' && event.data.jobId === id && hasEnded(event.data.state)) return;
        }
      });
    },
  );
  return router;
}

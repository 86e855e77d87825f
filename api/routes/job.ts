import { z } from '@hono/zod-openapi';
import { listJobs } from '../../src/db/queries/jobs.ts';
import { roleOnPlatform } from '../../src/domain/access.ts';
import type { Event } from '../../src/domain/event.ts';
import { cancelSchema, hasEnded, jobEventSchema, jobSchema, jobStates, settleSchema } from '../../src/domain/job.ts';
import { createRoute, idParam, json, pageOf, pageQuery, projectQuery } from '../contract.ts';
import type { ApiDependencies } from '../env.ts';
import { afterOf, eventStream, lastEventIdHeader } from '../events/contract.ts';
import { streamEvents } from '../events/stream.ts';
import { jobDecisions } from '../job-decisions.ts';
import { notKept, problems } from '../problem.ts';
import { createRegionWatch } from '../region-watch.ts';
import { createRouter } from '../router.ts';
import { workflowUrl } from '../workflow-url.ts';

export function jobRoutes(dependencies: ApiDependencies) {
  const { database, temporal } = dependencies;
  const urlOf = workflowUrl(dependencies);
  const regions = createRegionWatch(temporal);
  const common = { tags: ['Jobs'] };

  const { find, settle, cancel } = jobDecisions(dependencies);
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
      const job = await find(context.get('caller').project.id, id);
      return context.json(await regions.ofJob(job), 200);
    },
  );

  router.openapi(
    createRoute('job.write', {
      ...common,
      method: 'post',
      path: '/jobs/{id}/settle',
      summary: 'Settle a held job',
      description:
        'Which of these apply, the job’s `settlements` say. `retry` runs once more what failed, and nothing that is done; `skip` goes on as if the step were done; `rollback` undoes the job; `mark-done` ends it as done (or as undone, where the rollback was stuck), because someone has seen to it by hand; `abandon` ends it as it is. `skip` and `mark-done` are for operators.',
      operationId: 'settle-job',
      request: {
        params: idParam,
        query: projectQuery,
        body: { required: true, content: { 'application/json': { schema: settleSchema } } },
      },
      responses: { 200: json('The job, as it went on.', jobSchema), ...problems },
    }),
    async (context) => {
      const { id } = context.req.valid('param');
      const isOperator = roleOnPlatform(context.get('principal').rights) !== undefined;
      return context.json(await settle(context.get('caller'), id, { ...context.req.valid('json'), isOperator }), 200);
    },
  );

  router.openapi(
    createRoute('job.write', {
      ...common,
      method: 'post',
      path: '/jobs/{id}/cancel',
      summary: 'Cancel a job',
      description: 'It stops, and undoes what it did. A job that is being undone already, or has ended, is a 409.',
      operationId: 'cancel-job',
      request: {
        params: idParam,
        query: projectQuery,
        body: { required: true, content: { 'application/json': { schema: cancelSchema } } },
      },
      responses: { 202: json('The job, which undoes what it did: follow it to its end.', jobSchema), ...problems },
    }),
    async (context) => {
      const { id } = context.req.valid('param');
      const { reason } = context.req.valid('json');
      return context.json(await cancel(context.get('caller'), id, reason), 202);
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
        headers: lastEventIdHeader,
      },
      responses: {
        200: eventStream(jobEventSchema),
        ...problems,
        ...notKept,
      },
    }),
    async (context) => {
      const { id } = context.req.valid('param');
      const after = afterOf(context.req.valid('header'));
      const job = await find(context.get('caller').project.id, id);
      return await streamEvents(context, dependencies, {
        filter: { jobId: id, types: ['job.*'] },
        after,
        show: ({ data, at }) => ({ ...data, at }),
        isLast: (event) => event.jobId === id && endsJob(event),
        ended: job.endedAt === null ? undefined : { jobId: id },
      });
    },
  );
  return router;
}

/** A job that has nothing to do ends when it is accepted. */
const endsJob = ({ data }: Event): boolean => jobStates.some((state) => state === data.state && hasEnded(state));

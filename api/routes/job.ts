import { z } from '@hono/zod-openapi';
import { auditedAround } from '../../src/db/queries/audit.ts';
import { findJob, listJobs } from '../../src/db/queries/jobs.ts';
import { roleOnPlatform } from '../../src/domain/access.ts';
import type { Act } from '../../src/domain/audit.ts';
import type { Event } from '../../src/domain/event.ts';
import {
  cancelSchema,
  hasEnded,
  type JobView,
  jobEventSchema,
  jobSchema,
  jobStates,
  mayCancel,
  type Settlement,
  settleSchema,
} from '../../src/domain/job.ts';
import { MillwrightError } from '../../src/errors.ts';
import type { Caller } from '../../src/requests/caller.ts';
import { cancelPending } from '../../src/requests/cancel-pending.ts';
import { cancelJob, settleJob } from '../../temporal/decide.ts';
import { createRoute, idParam, json, pageOf, pageQuery, projectQuery } from '../contract.ts';
import type { ApiDependencies } from '../env.ts';
import { afterOf, eventStream, lastEventIdHeader } from '../events/contract.ts';
import { streamEvents } from '../events/stream.ts';
import { notKept, problems } from '../problem.ts';
import { createRegionWatch } from '../region-watch.ts';
import { createRouter } from '../router.ts';
import { workflowUrl } from '../workflow-url.ts';

/** They end a job by somebody's word of what is at the provider: a tenant's would let it leave things there, uncounted. */
const takenOnTrust: readonly Settlement[] = ['skip', 'mark-done'];

const onlyOperators = (action: Settlement): MillwrightError =>
  new MillwrightError(
    'forbidden',
    `"${action}" takes somebody's word for what is at the provider, and so is an operator's to say. "retry" finds out.`,
  );

const cannotSettle = ({ id, state, settlements }: JobView, action: Settlement): MillwrightError =>
  new MillwrightError(
    'conflict',
    state === 'HELD'
      ? `Job ${id} cannot be settled by ${action}. What applies: ${settlements.join(', ')}.`
      : `Job ${id} is ${state}, not HELD; there is nothing to settle.`,
    { jobId: id },
  );

const cannotCancel = ({ id, state, rollback }: JobView): MillwrightError =>
  new MillwrightError(
    'conflict',
    hasEnded(state)
      ? `Job ${id} has ended: it is ${state}.`
      : `Job ${id} is being undone already (rollback: ${rollback}). ${state === 'HELD' ? 'Settle it.' : 'Follow it to its end.'}`,
    { jobId: id },
  );

const notFound = (id: string): MillwrightError =>
  new MillwrightError('not_found', `There is no job "${id}" in this project.`);

/** For the record: who decides what of a job, and why. */
const decision = (
  { actor, origin }: Caller,
  { id, organizationId, projectId, resource }: JobView,
  action: `job.settle.${Settlement}` | 'job.cancel',
  reason: string,
): Act => ({ organizationId, projectId, actor, origin, action, resource, jobId: id, reason });

export function jobRoutes(dependencies: ApiDependencies) {
  const { database, temporal, sealer } = dependencies;
  const urlOf = workflowUrl(dependencies);
  const regions = createRegionWatch(temporal);
  const { sql } = database;
  const hosting = { sql, client: temporal, sealer };
  const common = { tags: ['Jobs'] };

  async function find(projectId: string, id: string): Promise<JobView> {
    const job = await findJob(sql, projectId, id, urlOf);
    if (!job) throw notFound(id);
    return job;
  }

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
      const { action, reason } = context.req.valid('json');
      const job = await find(context.get('caller').project.id, id);
      if (!job.settlements.includes(action)) throw cannotSettle(job, action);
      if (takenOnTrust.includes(action) && !roleOnPlatform(context.get('principal').rights))
        throw onlyOperators(action);
      const applies = async () => (await find(job.projectId, id)).settlements.includes(action);
      await auditedAround(sql, decision(context.get('caller'), job, `job.settle.${action}`, reason), () =>
        settleJob(hosting, job, { action, reason, applies }),
      );
      return context.json(await find(context.get('caller').project.id, id), 200);
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
      const job = await find(context.get('caller').project.id, id);
      if (!mayCancel(job)) throw cannotCancel(job);
      if (!job.cancelRequested) {
        const applies = async () => {
          const now = await find(job.projectId, id);
          return mayCancel(now) && !now.cancelRequested;
        };
        await auditedAround(sql, decision(context.get('caller'), job, 'job.cancel', reason), async () => {
          if (!(await cancelPending(sql, job, reason))) await cancelJob(hosting, job, { reason, applies });
        });
      }
      return context.json(await find(context.get('caller').project.id, id), 202);
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

import { z } from '@hono/zod-openapi';
import { heldJobOf } from '../../src/db/queries/batch-control.ts';
import { batchIdOf, findBatch } from '../../src/db/queries/batches.ts';
import { roleAt, roleOnPlatform } from '../../src/domain/access.ts';
import { type BatchBasic, batchBasicSchema } from '../../src/domain/batch.ts';
import { cancelSchema, jobSchema, settleSchema } from '../../src/domain/job.ts';
import { MillwrightError } from '../../src/errors.ts';
import { decide, pauseBatch, resumeBatch } from '../../src/requests/batch-control.ts';
import type { Caller } from '../../src/requests/caller.ts';
import { nudge } from '../../temporal/nudge.ts';
import { readBatchRequest } from '../batch-request.ts';
import { createRoute, json, projectQuery, referenceParam } from '../contract.ts';
import type { ApiDependencies } from '../env.ts';
import { jobDecisions } from '../job-decisions.ts';
import { problems } from '../problem.ts';
import { createRegionWatch } from '../region-watch.ts';
import { createRouter } from '../router.ts';

const notFound = (reference: string): MillwrightError =>
  new MillwrightError('not_found', `There is no batch "${reference}" in this project.`);

const reasonBody = { required: true, content: { 'application/json': { schema: cancelSchema } } };
const operationParam = referenceParam.extend({
  operationId: z.string().min(1).max(1000).meta({ description: 'Its id; of a group’s member with "/" as "%2F".' }),
});

/** A file beside the reason, where a batch is to go on with another. */
const resumeQuery = projectQuery.extend({
  reason: cancelSchema.shape.reason.optional().meta({ description: 'Why, where the body is a batch file.' }),
});
const text = { type: 'string' as const };
const resumeBody = {
  required: true,
  content: {
    'application/json': {
      schema: { type: 'object' as const, description: 'A Cancel’s `reason`, or a batch file.' },
    },
    'application/yaml': { schema: text },
    'application/toml': { schema: text },
    'multipart/form-data': { schema: { type: 'object' as const, description: 'As `POST /batches` takes it.' } },
  },
};

/** What may be asked of a batch that is there: to pause, to go on, to stop; and of its operations. */
export function batchControlRoutes(dependencies: ApiDependencies) {
  const { database, catalog, limits, sealer, start, temporal, log } = dependencies;
  const { sql } = database;
  const { settle, cancel } = jobDecisions(dependencies);
  const regions = createRegionWatch(temporal);
  const common = { tags: ['Batches'] };
  const router = createRouter();

  async function idOf(caller: Caller, reference: string): Promise<string> {
    const id = await batchIdOf(sql, caller.project.id, reference);
    if (!id) throw notFound(reference);
    return id;
  }

  async function shown(caller: Caller, id: string): Promise<BatchBasic> {
    const batch = await findBatch(sql, caller.project.id, id, await regions.isAway());
    if (!batch) throw notFound(id);
    return batch;
  }

  const answer = { 200: json('The batch, as it now is.', batchBasicSchema), ...problems };

  router.openapi(
    createRoute('batch.write', {
      ...common,
      method: 'post',
      path: '/batches/{id}/pause',
      summary: 'Pause a batch',
      description: 'Nothing more is begun until it is resumed; what is under way goes on.',
      operationId: 'pause-batch',
      request: { params: referenceParam, query: projectQuery, body: reasonBody },
      responses: answer,
    }),
    async (context) => {
      const caller = context.get('caller');
      const batchId = await idOf(caller, context.req.valid('param').id);
      const { workflowId } = await pauseBatch(sql, caller, { batchId, ...context.req.valid('json') });
      await nudge(temporal, workflowId, log);
      return context.json(await shown(caller, batchId), 200);
    },
  );

  router.openapi(
    createRoute('batch.write', {
      ...common,
      method: 'post',
      path: '/batches/{id}/resume',
      summary: 'Resume a batch',
      description:
        'One that is paused goes on. One that has failed or was canceled goes on from its checkpoint by a new job: what is done is not done again. With a batch file as the body (and the reason in the query), what is not done is done as that file says.',
      operationId: 'resume-batch',
      request: { params: referenceParam, query: resumeQuery, body: resumeBody },
      responses: answer,
    }),
    async (context) => {
      const caller = context.get('caller');
      const batchId = await idOf(caller, context.req.valid('param').id);
      const head = await shown(caller, batchId);
      const offered = await catalog();
      const { reason, file } = await resumptionOf(context.req.raw, context.req.valid('query').reason, {
        ...offered,
        flavors: offered.flavors.map(({ name }) => name),
      });
      const options = { limits, sealer };
      const resumed = await resumeBatch(sql, caller, { batchId, reason }, { catalog: offered, options, head, file });
      if (resumed.start) start(resumed.start);
      else await nudge(temporal, resumed.batch.workflowId, log);
      return context.json(await shown(caller, batchId), 200);
    },
  );

  router.openapi(
    createRoute('batch.write', {
      ...common,
      method: 'post',
      path: '/batches/{id}/cancel',
      summary: 'Cancel a batch',
      description: 'It stops, and takes back what it did. The same as to cancel its job.',
      operationId: 'cancel-batch',
      request: { params: referenceParam, query: projectQuery, body: reasonBody },
      responses: { 202: json('The batch, which takes back what it did.', batchBasicSchema), ...problems },
    }),
    async (context) => {
      const caller = context.get('caller');
      const batchId = await idOf(caller, context.req.valid('param').id);
      const { jobId } = await shown(caller, batchId);
      await cancel(caller, jobId, context.req.valid('json').reason);
      return context.json(await shown(caller, batchId), 202);
    },
  );

  router.openapi(
    createRoute('batch.write', {
      ...common,
      method: 'post',
      path: '/batches/{id}/operations/{operationId}/settle',
      summary: 'Settle a held operation',
      description:
        'Its job is settled, as `POST /jobs/{id}/settle` does; what does not depend on it goes on meanwhile.',
      operationId: 'settle-batch-operation',
      request: {
        params: operationParam,
        query: projectQuery,
        body: { required: true, content: { 'application/json': { schema: settleSchema } } },
      },
      responses: { 200: json('Its job, as it went on.', jobSchema), ...problems },
    }),
    async (context) => {
      const caller = context.get('caller');
      const { id, operationId } = context.req.valid('param');
      const batchId = await idOf(caller, id);
      const jobId = await heldJobOf(sql, batchId, operationId);
      if (!jobId)
        throw new MillwrightError(
          'conflict',
          `No job of operation "${operationId}" is HELD; there is nothing to settle.`,
        );
      const isOperator = roleOnPlatform(context.get('principal').rights) !== undefined;
      return context.json(await settle(caller, jobId, { ...context.req.valid('json'), isOperator }), 200);
    },
  );

  for (const [verb, approved] of [
    ['approve', true],
    ['reject', false],
  ] as const) {
    router.openapi(
      createRoute('batch.write', {
        ...common,
        method: 'post',
        path: `/batches/{id}/operations/{operationId}/${verb}`,
        summary: approved ? 'Approve an operation' : 'Reject an operation',
        description: approved
          ? 'A `wait.approval` that waits is done.'
          : 'A `wait.approval` that waits has failed, and the batch does as its policy says.',
        operationId: `${verb}-batch-operation`,
        request: { params: operationParam, query: projectQuery, body: reasonBody },
        responses: answer,
      }),
      async (context) => {
        const caller = context.get('caller');
        const { id, operationId } = context.req.valid('param');
        const batchId = await idOf(caller, id);
        const { organization, project } = caller;
        const { rights } = context.get('principal');
        const role = roleAt(rights, { organizationId: organization.id, projectId: project.id });
        const { reason } = context.req.valid('json');
        const { workflowId } = await decide(sql, caller, { batchId, operationId, approved, role, reason });
        await nudge(temporal, workflowId, log);
        return context.json(await shown(caller, batchId), 200);
      },
    );
  }
  return router;
}

/** The reason, and the file where there is one. */
async function resumptionOf(
  request: Request,
  given: string | undefined,
  names: Parameters<typeof readBatchRequest>[1],
) {
  if ((request.headers.get('content-type') ?? '').includes('json')) {
    const body: unknown = await request
      .clone()
      .json()
      .catch(() => undefined);
    const alone = cancelSchema.safeParse(body);
    if (alone.success) return { reason: alone.data.reason, file: undefined };
  }
  if (given === undefined) {
    const detail = 'Expected a reason: in the body, {"reason": "…"}, or with a batch file as the body in the query.';
    throw new MillwrightError('invalid', detail, { faults: [{ pointer: '/reason', detail }] });
  }
  return { reason: given, file: await readBatchRequest(request, names) };
}

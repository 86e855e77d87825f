import { z } from '@hono/zod-openapi';
import type { BatchFile } from '../../src/batch/file.ts';
import { listOperations } from '../../src/db/queries/batch-operations.ts';
import { batchIdOf, findBatch, findWholeBatch, listBatches } from '../../src/db/queries/batches.ts';
import { findJob } from '../../src/db/queries/jobs.ts';
import {
  type BatchSummary,
  batchBasicSchema,
  batchDetailSchema,
  batchOperationSchema,
  batchSchema,
  batchSummarySchema,
  operationStates,
} from '../../src/domain/batch.ts';
import { planSchema } from '../../src/domain/plan.ts';
import { MillwrightError } from '../../src/errors.ts';
import { acceptBatch } from '../../src/requests/batch.ts';
import { withEstimate } from '../../src/requests/batch-estimate.ts';
import type { Catalog } from '../../src/requests/catalog.ts';
import { idempotencyOf } from '../../src/requests/idempotency.ts';
import { veiledFile } from '../../src/requests/plan/hash.ts';
import { planBatch } from '../../src/requests/plan/plan.ts';
import { batchBody, readBatchRequest } from '../batch-request.ts';
import {
  acceptedOf,
  createRoute,
  idempotencyHeader,
  json,
  locationHeader,
  pageOf,
  pageQuery,
  projectQuery,
  referenceParam,
} from '../contract.ts';
import type { ApiDependencies } from '../env.ts';
import { problems } from '../problem.ts';
import { createRegionWatch } from '../region-watch.ts';
import { createRouter } from '../router.ts';
import { workflowUrl } from '../workflow-url.ts';

const notFound = (reference: string): MillwrightError =>
  new MillwrightError('not_found', `There is no batch "${reference}" in this project.`);

const applyQuery = projectQuery.extend({
  dryRun: z
    .stringbool({ truthy: ['true'], falsy: ['false'] })
    .default(false)
    .meta({ type: 'boolean', description: 'Answer with the plan, and write nothing.' }),
  planHash: z.string().max(200).optional().meta({
    description: 'Of the plan that was agreed to: a 409 where the plan is another by now.',
  }),
});

function summaryOf({ name, version, operations }: BatchFile): BatchSummary {
  const types: Record<string, number> = {};
  for (const { type } of operations) types[type] = (types[type] ?? 0) + 1;
  const { 'group.join': groups = 0, ...own } = types;
  return { name, version, operations: operations.length - groups, types: own, groups };
}

const namesIn = (offered: Catalog) => ({ ...offered, flavors: offered.flavors.map(({ name }) => name) });

export function batchRoutes(dependencies: ApiDependencies) {
  const { database, catalog, limits, sealer, start } = dependencies;
  const urlOf = workflowUrl(dependencies);
  const regions = createRegionWatch(dependencies.temporal);
  const common = { tags: ['Batches'] };
  const router = createRouter();

  router.openapi(
    createRoute('batch.write', {
      ...common,
      method: 'post',
      path: '/batches',
      summary: 'Apply a batch file',
      description:
        'The body is the file itself, as YAML, JSON or TOML; or, with variables and the files that it names, a form. What is there already as the file says stays as it is; where nothing is to be done the job has ended at once.',
      operationId: 'create-batch',
      request: {
        query: applyQuery,
        headers: idempotencyHeader,
        body: batchBody,
      },
      responses: {
        200: json('With `dryRun`: what the batch would do. Nothing has been written.', planSchema),
        202: { ...json('Accepted: follow the job.', acceptedOf(batchDetailSchema)), headers: locationHeader },
        ...problems,
      },
    }),
    async (context) => {
      const caller = context.get('caller');
      const offered = await catalog();
      const file = await readBatchRequest(context.req.raw, namesIn(offered));
      const { dryRun, planHash } = context.req.valid('query');
      if (dryRun) return context.json((await planBatch(database.sql, caller, offered, file, sealer)).plan, 200);
      const key = context.req.valid('header')['idempotency-key'];
      const idempotency = await idempotencyOf(key, 'apply batch', () => veiledFile(sealer, file));
      const done = await acceptBatch(database.sql, caller, offered, file, { limits, sealer, idempotency, planHash });
      if (done.start) start(done.start);
      const [batch, job] = await Promise.all([
        findWholeBatch(database.sql, caller.project.id, done.resourceId, await regions.isAway()),
        findJob(database.sql, caller.project.id, done.jobId, urlOf),
      ]);
      if (!batch || !job) throw notFound(done.resourceId);
      return context.json({ resource: batch, job }, 202, { Location: `/api/tenant/v1/jobs/${done.jobId}` });
    },
  );

  router.openapi(
    createRoute('batch.read', {
      ...common,
      method: 'post',
      path: '/batches/validate',
      summary: 'Check a batch file',
      description:
        'Against itself and against what there is to build with. Nothing is written, and nothing is compared.',
      operationId: 'validate-batch',
      request: { query: projectQuery, body: batchBody },
      responses: { 200: json('It has no fault.', batchSummarySchema), ...problems },
    }),
    async (context) => context.json(summaryOf(await readBatchRequest(context.req.raw, namesIn(await catalog()))), 200),
  );

  router.openapi(
    createRoute('batch.read', {
      ...common,
      method: 'get',
      path: '/batches',
      summary: 'List batches',
      operationId: 'list-batches',
      request: { query: pageQuery },
      responses: { 200: json('A page, newest first.', pageOf(batchSchema)), ...problems },
    }),
    async (context) => {
      const { limit, cursor } = context.req.valid('query');
      return context.json(await listBatches(database.sql, context.get('caller').project.id, { limit, cursor }), 200);
    },
  );

  router.openapi(
    createRoute('batch.read', {
      ...common,
      method: 'get',
      path: '/batches/{id}',
      summary: 'Get a batch',
      description:
        'By id, or by name: the newest of that name. With all its operations, or with `view=basic` without them: then the answer is small, however large the batch.',
      operationId: 'get-batch',
      request: {
        params: referenceParam,
        query: projectQuery.extend({ view: z.enum(['basic', 'full']).default('full') }),
      },
      responses: { 200: json('The batch.', z.union([batchDetailSchema, batchBasicSchema])), ...problems },
    }),
    async (context) => {
      const { id } = context.req.valid('param');
      const find = context.req.valid('query').view === 'basic' ? findBatch : findWholeBatch;
      const batch = await find(database.sql, context.get('caller').project.id, id, await regions.isAway());
      if (!batch) throw notFound(id);
      return context.json(await withEstimate(database.sql, await catalog(), batch), 200);
    },
  );

  router.openapi(
    createRoute('batch.read', {
      ...common,
      method: 'get',
      path: '/batches/{id}/operations',
      summary: 'List the operations of a batch',
      description: 'In the order of the file. A page costs the same wherever it is, and however many there are.',
      operationId: 'list-batch-operations',
      request: {
        params: referenceParam,
        query: pageQuery.extend({
          state: z
            .union([z.enum(operationStates), z.array(z.enum(operationStates))])
            .optional()
            .meta({ description: 'Only those in this state; may be given several times.' }),
        }),
      },
      responses: { 200: json('A page.', pageOf(batchOperationSchema)), ...problems },
    }),
    async (context) => {
      const { id } = context.req.valid('param');
      const { limit, cursor, state } = context.req.valid('query');
      const batchId = await batchIdOf(database.sql, context.get('caller').project.id, id);
      if (!batchId) throw notFound(id);
      const isAway = await regions.isAway();
      const states = [state ?? []].flat();
      return context.json(await listOperations(database.sql, batchId, states, { limit, cursor }, isAway), 200);
    },
  );
  return router;
}

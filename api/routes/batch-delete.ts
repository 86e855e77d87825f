import { z } from '@hono/zod-openapi';
import { findWholeBatch } from '../../src/db/queries/batches.ts';
import { findJob } from '../../src/db/queries/jobs.ts';
import { batchDetailSchema } from '../../src/domain/batch.ts';
import { planSchema } from '../../src/domain/plan.ts';
import { MillwrightError } from '../../src/errors.ts';
import { acceptBatch } from '../../src/requests/batch.ts';
import { idempotencyOf } from '../../src/requests/idempotency.ts';
import { planBatch } from '../../src/requests/plan/plan.ts';
import { deletionOf } from '../../src/requests/remove-batch.ts';
import {
  acceptedOf,
  createRoute,
  idempotencyHeader,
  json,
  locationHeader,
  projectQuery,
  referenceParam,
} from '../contract.ts';
import type { ApiDependencies } from '../env.ts';
import { problems } from '../problem.ts';
import { createRegionWatch } from '../region-watch.ts';
import { createRouter } from '../router.ts';
import { workflowUrl } from '../workflow-url.ts';

export function batchDeleteRoutes(dependencies: ApiDependencies) {
  const { database, catalog, limits, sealer, start } = dependencies;
  const regions = createRegionWatch(dependencies.temporal);
  const router = createRouter();
  router.openapi(
    createRoute('batch.write', {
      tags: ['Batches'],
      method: 'delete',
      path: '/batches/{id}',
      summary: 'Delete what a batch made',
      description:
        'All resources that its operations made, or found as they are, dependants first: by a new batch of the same name. What is deleted already is passed over. What is protected, or used by others, is a 409 that names all of it, and nothing is deleted. The batch itself stays on record.',
      operationId: 'delete-batch',
      request: {
        params: referenceParam,
        query: projectQuery.extend({
          dryRun: z
            .stringbool({ truthy: ['true'], falsy: ['false'] })
            .default(false)
            .meta({ type: 'boolean', description: 'Answer with the plan, and delete nothing.' }),
        }),
        headers: idempotencyHeader,
      },
      responses: {
        200: json('With `dryRun`: what would be deleted.', planSchema),
        202: {
          ...json('Accepted: follow the job of the new batch.', acceptedOf(batchDetailSchema)),
          headers: locationHeader,
        },
        ...problems,
      },
    }),
    async (context) => {
      const caller = context.get('caller');
      const { id } = context.req.valid('param');
      const { sql } = database;
      const offered = await catalog();
      const key = context.req.valid('header')['idempotency-key'];
      const file = await deletionOf(sql, caller, id);
      if (context.req.valid('query').dryRun)
        return context.json((await planBatch(sql, caller, offered, file, sealer)).plan, 200);
      const idempotency = await idempotencyOf(key, 'delete batch', () => ({ id }));
      const done = await acceptBatch(sql, caller, offered, file, { limits, sealer, idempotency });
      if (done.start) start(done.start);
      const [batch, job] = await Promise.all([
        findWholeBatch(sql, caller.project.id, done.resourceId, await regions.isAway()),
        findJob(sql, caller.project.id, done.jobId, workflowUrl(dependencies)),
      ]);
      if (!batch || !job)
        throw new MillwrightError('not_found', `There is no batch "${done.resourceId}" in this project.`);
      return context.json({ resource: batch, job }, 202, { Location: `/api/tenant/v1/jobs/${done.jobId}` });
    },
  );
  return router;
}

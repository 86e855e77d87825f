import { bareMetalHostCreateSchema, bareMetalHostSchema } from '../../src/domain/bare-metal-host.ts';
import { abortable } from '../../src/domain/host-states.ts';
import { cancelSchema, jobSchema } from '../../src/domain/job.ts';
import { jobToAbort } from '../../src/requests/abort.ts';
import { bodyOf, createRoute, json, projectQuery, referenceParam } from '../contract.ts';
import type { ApiDependencies } from '../env.ts';
import { jobDecisions } from '../job-decisions.ts';
import { problems } from '../problem.ts';
import { resourceRoutes } from './resource.ts';

const write = 'bare-metal-host.write';

export function bareMetalHostRoutes(dependencies: ApiDependencies) {
  const router = resourceRoutes(dependencies, {
    kind: 'bare-metal-host',
    title: 'Bare-metal host',
    createSchema: bareMetalHostCreateSchema.transform((body) => ({ kind: 'bare-metal-host' as const, body })),
    viewSchema: bareMetalHostSchema,
    write,
  });
  const { cancel } = jobDecisions(dependencies);

  router.openapi(
    createRoute(write, {
      tags: ['Bare-metal hosts'],
      method: 'post',
      path: '/bare-metal-hosts/{id}/abort',
      summary: 'Abort what is being done to a bare-metal host',
      description: `For one that is ${abortable.join(' or ')}; else 409. Its job is canceled, and the host ends in the failed state.`,
      operationId: 'abort-bare-metal-host',
      request: {
        params: referenceParam,
        query: projectQuery,
        body: bodyOf(cancelSchema),
      },
      responses: { 202: json('The job that is canceled: follow it to its end.', jobSchema), ...problems },
    }),
    async (context) => {
      const caller = context.get('caller');
      const jobId = await jobToAbort(dependencies.database.sql, caller, context.req.valid('param').id);
      return context.json(await cancel(caller, jobId, context.req.valid('json').reason), 202);
    },
  );
  return router;
}

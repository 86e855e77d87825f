import { z } from '@hono/zod-openapi';
import { v7 as newId } from 'uuid';
import { findResource } from '../../src/db/queries/resources.ts';
import { vmConsoleSchema } from '../../src/domain/vm.ts';
import { notFound } from '../../src/requests/target.ts';
import { readConsole } from '../../temporal/console.ts';
import { createRoute, json, projectQuery, referenceParam } from '../contract.ts';
import type { ApiDependencies } from '../env.ts';
import { problems } from '../problem.ts';
import { createRouter } from '../router.ts';

const consoleQuery = projectQuery.extend({
  lines: z.coerce.number().int().min(1).max(5000).default(100).meta({ description: 'So many of the last lines.' }),
});

/** What a VM wrote to its console: asked of its region while the request waits, and kept in no table. */
export function consoleRoutes({ database, temporal, limits }: ApiDependencies) {
  const router = createRouter();
  router.openapi(
    createRoute('resource.read', {
      tags: ['VMs'],
      method: 'get',
      path: '/vms/{id}/console-log',
      summary: 'Read a VM’s console log',
      description:
        'The last lines that it wrote, up to 512 KiB of them, each cut at 4,096 characters. 409 where its provider does not have the VM. 503 where no worker of its region takes the question within 3 s, or its provider does not answer within 10 s.',
      operationId: 'get-vm-console-log',
      request: { params: referenceParam, query: consoleQuery },
      responses: { 200: json('The lines, the oldest first.', vmConsoleSchema), ...problems },
    }),
    async (context) => {
      const { id: reference } = context.req.valid('param');
      const { lines } = context.req.valid('query');
      const vm = await findResource(database.sql, context.get('caller').project.id, 'vm', reference);
      if (!vm) throw notFound('vm', reference);
      const { id, name, region, provider } = vm;
      const workflowId = `vm/console/${name}.${id.slice(-12)}/${context.get('requestId')}`;
      const call = { jobId: newId(), step: 'console', provider, region, key: id, retry: limits.retry };
      return context.json({ lines: [...(await readConsole(temporal, workflowId, { call, lines }))] }, 200);
    },
  );
  return router;
}

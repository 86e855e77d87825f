import { z } from '@hono/zod-openapi';
import { reconciliationSchema } from '../../src/domain/drift.ts';
import type { Scope } from '../../src/domain/observation.ts';
import { decideOnRuns, scopeIn, scopesOf } from '../../src/requests/reconciliation.ts';
import {
  describeReconciliation,
  pauseReconciliation,
  resumeReconciliation,
  triggerReconciliation,
} from '../../temporal/schedules.ts';
import { bodyOf, createRoute, json, wholeListQuery } from '../contract.ts';
import type { ApiDependencies } from '../env.ts';
import { problems } from '../problem.ts';
import { createRouter } from '../router.ts';

const scopeParam = z.object({ region: z.string().min(1).max(63), provider: z.string().min(1).max(63) });
const pauseSchema = z.strictObject({
  reason: z.string().min(1).max(500).meta({ description: 'Why; shown beside it and in the Temporal Web UI.' }),
});
const at = '/reconciliations/{region}/{provider}';

/** The scheduled comparison of each provider of each region with what should be there. */
export function reconciliationRoutes({ database: { sql }, temporal, catalog }: ApiDependencies) {
  const common = { tags: ['Reconciliation'] };
  const asItIs = { 200: json('As it now is.', reconciliationSchema), ...problems };
  const router = createRouter();

  router.openapi(
    createRoute('platform.read', {
      ...common,
      method: 'get',
      path: '/reconciliations',
      summary: 'List when each provider is compared, and what its last comparison came to',
      description:
        'As Temporal knows it: nothing of it is kept in a table, and a run that finds nothing writes nothing.',
      operationId: 'list-reconciliations',
      request: { query: wholeListQuery },
      responses: {
        200: json(
          'All, by region and provider.',
          z.object({ items: z.array(reconciliationSchema), nextCursor: z.null() }),
        ),
        ...problems,
      },
    }),
    async (context) => {
      const scopes = scopesOf(await catalog());
      const items = await Promise.all(scopes.map((scope) => describeReconciliation(temporal, scope)));
      return context.json({ items, nextCursor: null }, 200);
    },
  );

  router.openapi(
    createRoute('platform.read', {
      ...common,
      method: 'get',
      path: at,
      summary: 'Get when a provider is compared, and what its last comparison came to',
      operationId: 'get-reconciliation',
      request: { params: scopeParam },
      responses: asItIs,
    }),
    async (context) => {
      const scope = scopeIn(await catalog(), context.req.valid('param'));
      return context.json(await describeReconciliation(temporal, scope), 200);
    },
  );

  router.openapi(
    createRoute('platform.write', {
      ...common,
      method: 'post',
      path: `${at}/run`,
      summary: 'Compare a provider now',
      description: 'Unless a run is under way. What a run finds is believed once another one has found it too.',
      operationId: 'run-reconciliation',
      request: { params: scopeParam },
      responses: asItIs,
    }),
    async (context) => {
      const scope = scopeIn(await catalog(), context.req.valid('param'));
      const act = { action: 'run' } as const;
      await decideOnRuns(sql, context.get('actor'), scope, act, () => triggerReconciliation(temporal, scope));
      return context.json(await describeReconciliation(temporal, scope), 200);
    },
  );

  router.openapi(
    createRoute('platform.write', {
      ...common,
      method: 'post',
      path: `${at}/pause`,
      summary: 'Compare a provider no more until it is resumed',
      operationId: 'pause-reconciliation',
      request: { params: scopeParam, body: bodyOf(pauseSchema) },
      responses: asItIs,
    }),
    async (context) => {
      const { reason } = context.req.valid('json');
      const scope: Scope = scopeIn(await catalog(), context.req.valid('param'));
      const act = { action: 'pause', reason } as const;
      await decideOnRuns(sql, context.get('actor'), scope, act, () => pauseReconciliation(temporal, scope, reason));
      return context.json(await describeReconciliation(temporal, scope), 200);
    },
  );

  router.openapi(
    createRoute('platform.write', {
      ...common,
      method: 'post',
      path: `${at}/resume`,
      summary: 'Compare a provider again',
      operationId: 'resume-reconciliation',
      request: { params: scopeParam },
      responses: asItIs,
    }),
    async (context) => {
      const scope = scopeIn(await catalog(), context.req.valid('param'));
      const act = { action: 'resume' } as const;
      await decideOnRuns(sql, context.get('actor'), scope, act, () => resumeReconciliation(temporal, scope));
      return context.json(await describeReconciliation(temporal, scope), 200);
    },
  );
  return router;
}

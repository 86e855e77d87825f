import { z } from '@hono/zod-openapi';
import { listDrift } from '../../src/db/queries/drift.ts';
import { driftSchema } from '../../src/domain/drift.ts';
import { createRoute, json, pageOf, pageQuery } from '../contract.ts';
import type { ApiDependencies } from '../env.ts';
import { problems } from '../problem.ts';
import { createRouter } from '../router.ts';

const { class: driftClass, kind, state } = driftSchema.shape;
const own = { class: z.enum(['missing', 'changed']).optional(), kind: kind.optional() };
const ownQuery = pageQuery.extend({ ...own, state: z.enum(['open', 'resolved']).optional() });
const everyQuery = pageQuery.pick({ limit: true, cursor: true }).extend({
  class: driftClass.optional(),
  kind: kind.optional(),
  state: state.optional(),
  region: z.string().optional().meta({ description: 'Only what is in this region.' }),
  provider: z.string().optional().meta({ description: 'Only what this provider has, or should have.' }),
});
const tags = ['Reconciliation'];
const page = json('A page, newest first.', pageOf(driftSchema));

/** What of a project's own its provider has otherwise, or no more. */
export function driftRoutes({ database: { sql } }: ApiDependencies) {
  const router = createRouter();
  router.openapi(
    createRoute('drift.read', {
      tags,
      method: 'get',
      path: '/drift',
      summary: 'List where a project’s resources are not as they should be',
      operationId: 'list-drift',
      request: { query: ownQuery },
      responses: { 200: page, ...problems },
    }),
    async (context) => {
      const { limit, cursor, class: ofClass, kind: ofKind, state: inState } = context.req.valid('query');
      const projectId = context.get('caller').project.id;
      const filter = { projectId, class: ofClass, kind: ofKind, state: inState };
      return context.json(await listDrift(sql, filter, { limit, cursor }), 200);
    },
  );
  return router;
}

/** All of it, with what is suspected, and what is there without an owner. */
export function driftOperations({ database: { sql } }: ApiDependencies) {
  const router = createRouter();
  router.openapi(
    createRoute('platform.read', {
      tags,
      method: 'get',
      path: '/drift',
      summary: 'List where providers have something else than they should',
      operationId: 'list-all-drift',
      request: { query: everyQuery },
      responses: { 200: page, ...problems },
    }),
    async (context) => {
      const { limit, cursor, ...filter } = context.req.valid('query');
      return context.json(await listDrift(sql, filter, { limit, cursor }), 200);
    },
  );
  return router;
}

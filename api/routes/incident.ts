import { z } from '@hono/zod-openapi';
import { listAllIncidents, listIncidents } from '../../src/db/queries/incidents.ts';
import { incidentSchema } from '../../src/domain/incident.ts';
import { acknowledgeIncident } from '../../src/requests/incidents.ts';
import { bodyOf, createRoute, json, pageOf, pageQuery } from '../contract.ts';
import type { ApiDependencies } from '../env.ts';
import { problems } from '../problem.ts';
import { createRouter } from '../router.ts';

const { state, kind } = incidentSchema.shape;
const filterQuery = {
  state: state.optional(),
  job: z.uuid().optional().meta({ description: 'Only those of this job.' }),
};
const everyQuery = pageQuery
  .pick({ limit: true, cursor: true })
  .extend({ state: state.optional(), kind: kind.optional() });
const page = json('A page, newest first.', pageOf(incidentSchema));
const oneParam = z.object({ id: z.string().min(1).max(63) });
const noteSchema = z.strictObject({
  note: z.string().min(1).max(500).meta({ description: 'What is being done about it, or why nothing needs to be.' }),
});
const acknowledging = {
  method: 'post',
  path: '/incidents/{id}/acknowledge',
  summary: 'Acknowledge an incident',
  description:
    'Somebody sees to it: it is not told of again. It is resolved by itself when its cause has ended; one that is resolved is a 409.',
  request: { params: oneParam, body: bodyOf(noteSchema) },
  responses: { 200: json('As it now is.', incidentSchema), ...problems },
} as const;

/** What is late, waits for a decision, is nearly full or not as it should be in a project, and in its organisation as a whole. */
export function incidentRoutes({ database: { sql } }: ApiDependencies) {
  const common = { tags: ['Incidents'] };
  const router = createRouter();
  router.openapi(
    createRoute('incident.read', {
      ...common,
      method: 'get',
      path: '/incidents',
      summary: 'List incidents',
      operationId: 'list-incidents',
      request: { query: pageQuery.extend(filterQuery) },
      responses: { 200: page, ...problems },
    }),
    async (context) => {
      const { limit, cursor, state: inState, job } = context.req.valid('query');
      const { project, organization } = context.get('caller');
      const filter = { projectId: project.id, organizationId: organization.id, state: inState, jobId: job };
      return context.json(await listIncidents(sql, filter, { limit, cursor }), 200);
    },
  );
  router.openapi(
    createRoute('incident.write', { ...common, ...acknowledging, operationId: 'acknowledge-incident' }),
    async (context) => {
      const { project, organization, actor, origin } = context.get('caller');
      const by = { actor, origin, place: { projectId: project.id, organizationId: organization.id } };
      const { id } = context.req.valid('param');
      return context.json(await acknowledgeIncident(sql, by, id, context.req.valid('json').note), 200);
    },
  );
  return router;
}

/** Those of the platform itself as well. */
export function incidentOperations({ database: { sql } }: ApiDependencies) {
  const common = { tags: ['Incidents'] };
  const router = createRouter();
  router.openapi(
    createRoute('platform.read', {
      ...common,
      method: 'get',
      path: '/incidents',
      summary: 'List the incidents of the platform and of all tenants',
      operationId: 'list-all-incidents',
      request: { query: everyQuery },
      responses: { 200: page, ...problems },
    }),
    async (context) => {
      const { limit, cursor, ...filter } = context.req.valid('query');
      return context.json(await listAllIncidents(sql, filter, { limit, cursor }), 200);
    },
  );
  router.openapi(
    createRoute('platform.write', { ...common, ...acknowledging, operationId: 'acknowledge-any-incident' }),
    async (context) => {
      const { actor, origin } = context.get('actor');
      const { id } = context.req.valid('param');
      return context.json(await acknowledgeIncident(sql, { actor, origin }, id, context.req.valid('json').note), 200);
    },
  );
  return router;
}

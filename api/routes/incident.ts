import { z } from '@hono/zod-openapi';
import { listIncidents } from '../../src/db/queries/incidents.ts';
import { incidentSchema } from '../../src/domain/incident.ts';
import { createRoute, json, pageOf, pageQuery } from '../contract.ts';
import type { ApiDependencies } from '../env.ts';
import { problems } from '../problem.ts';
import { createRouter } from '../router.ts';

const filterQuery = {
  state: incidentSchema.shape.state.optional(),
  job: z.uuid().optional().meta({ description: 'Only those of this job.' }),
};

/** What is late, waits for a decision or is nearly full in a project, and in its organisation as a whole. */
export function incidentRoutes({ database }: ApiDependencies) {
  const router = createRouter();
  router.openapi(
    createRoute('incident.read', {
      tags: ['Incidents'],
      method: 'get',
      path: '/incidents',
      summary: 'List incidents',
      operationId: 'list-incidents',
      request: { query: pageQuery.extend(filterQuery) },
      responses: { 200: json('A page, newest first.', pageOf(incidentSchema)), ...problems },
    }),
    async (context) => {
      const { limit, cursor, state, job } = context.req.valid('query');
      const { project, organization } = context.get('caller');
      const filter = { projectId: project.id, organizationId: organization.id, state, jobId: job };
      return context.json(await listIncidents(database.sql, filter, { limit, cursor }), 200);
    },
  );
  return router;
}

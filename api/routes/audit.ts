import { z } from '@hono/zod-openapi';
import { verifyAudit } from '../../src/audit/verify.ts';
import { listActs } from '../../src/db/queries/audit-list.ts';
import { auditActSchema, auditHeadSchema, auditReportSchema } from '../../src/domain/audit.ts';
import { timeSchema } from '../../src/domain/common.ts';
import { MillwrightError } from '../../src/errors.ts';
import { createRoute, json, pageOf, pageQuery } from '../contract.ts';
import type { ApiDependencies } from '../env.ts';
import { problems } from '../problem.ts';
import { createRouter } from '../router.ts';

const filters = {
  actor: z.string().max(300).optional().meta({ description: 'Only acts of this actor.' }),
  action: z.string().max(100).optional().meta({ description: 'Only this, as `vm.create`.' }),
  resource: z.uuid().optional().meta({ description: 'Only acts on the resource with this id.' }),
  since: timeSchema.optional(),
  until: timeSchema.optional(),
};
const tenantQuery = pageQuery.extend(filters);
const operatorQuery = pageQuery.pick({ limit: true, cursor: true }).extend({
  ...filters,
  organization: z.uuid().optional().meta({ description: 'Only acts in the organization with this id.' }),
  project: z.uuid().optional().meta({ description: 'Only acts in the project with this id.' }),
});

const common = { tags: ['Audit'] };

/** Who did what here. */
export function auditRoutes({ database: { sql } }: ApiDependencies) {
  const router = createRouter();
  router.openapi(
    createRoute('audit.read', {
      ...common,
      method: 'get',
      path: '/audit',
      summary: 'List acts',
      description: 'Of the project that the request names, else of the organization with all its projects.',
      operationId: 'list-acts',
      request: { query: tenantQuery },
      responses: { 200: json('A page, newest first.', pageOf(auditActSchema)), ...problems },
    }),
    async (context) => {
      const { limit, cursor, actor, action, resource, since, until } = context.req.valid('query');
      const { organization, project } = context.get('place');
      const place = { organizationId: organization.id, projectId: project?.id };
      const filter = { ...place, actor, action, resourceId: resource, since, until };
      return context.json(await listActs(sql, filter, { limit, cursor }), 200);
    },
  );
  return router;
}

/** Who did what anywhere, and whether the record is whole. */
export function auditOperations({ database: { sql } }: ApiDependencies) {
  const router = createRouter();
  router.openapi(
    createRoute('platform.read', {
      ...common,
      method: 'get',
      path: '/audit',
      summary: 'List acts of everybody',
      operationId: 'list-all-acts',
      request: { query: operatorQuery },
      responses: { 200: json('A page, newest first.', pageOf(auditActSchema)), ...problems },
    }),
    async (context) => {
      const { limit, cursor, resource, organization, project, ...rest } = context.req.valid('query');
      const filter = { ...rest, resourceId: resource, organizationId: organization, projectId: project };
      return context.json(await listActs(sql, filter, { limit, cursor }), 200);
    },
  );

  router.openapi(
    createRoute('platform.read', {
      ...common,
      method: 'get',
      path: '/audit/verification',
      summary: 'Verify the audit log',
      description:
        'Computes the whole chain anew: finds what was changed, taken out or put in. With a head that was kept elsewhere, also whether the chain still holds it.',
      operationId: 'verify-audit',
      request: {
        query: z.object({
          sequence: z.coerce.number().int().min(1).optional(),
          hash: auditHeadSchema.shape.hash.optional(),
        }),
      },
      responses: { 200: json('What was found.', auditReportSchema), ...problems },
    }),
    async (context) => {
      const { sequence, hash } = context.req.valid('query');
      if ((sequence === undefined) !== (hash === undefined))
        throw new MillwrightError('invalid', 'Give both sequence and hash of the head that was kept, or neither.');
      const kept = sequence !== undefined && hash !== undefined ? { sequence, hash } : undefined;
      return context.json(await verifyAudit(sql, kept), 200);
    },
  );
  return router;
}

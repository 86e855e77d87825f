import { z } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { audited } from '../../src/db/queries/audit.ts';
import {
  organizationQuota,
  projectQuota,
  quotaDifferences,
  setOrganizationLimits,
  setProjectLimits,
} from '../../src/db/queries/quota.ts';
import type { Act } from '../../src/domain/audit.ts';
import {
  organizationLimitsSchema,
  projectLimitsSchema,
  type Quota,
  quotaDifferenceSchema,
  quotaSchema,
} from '../../src/domain/quota.ts';
import { MillwrightError } from '../../src/errors.ts';
import { createRoute, json, projectQuery, referenceParam, wholeListQuery } from '../contract.ts';
import type { ApiDependencies, ApiEnv } from '../env.ts';
import { problems } from '../problem.ts';
import { createRouter } from '../router.ts';

const tags = ['Quota'];
const quotasSchema = z.object({ items: z.array(quotaSchema), nextCursor: z.null() });
const organizationOfProject = projectQuery.pick({ organization: true });
const body = <Schema extends z.ZodType>(schema: Schema) => ({
  required: true,
  content: { 'application/json': { schema } },
});

function there(quota: Quota | undefined, what: string): Quota {
  if (quota) return quota;
  throw new MillwrightError('not_found', `There is no quota of ${what}.`);
}

/** What a project and its organisation hold, and may hold. */
export function quotaRoutes({ database: { sql } }: ApiDependencies) {
  const router = createRouter();
  router.openapi(
    createRoute('quota.read', {
      tags,
      method: 'get',
      path: '/quota',
      summary: 'Show the quota',
      description: 'Of the project, and of its organization with all its projects: a request has to fit into both.',
      operationId: 'get-quota',
      request: { query: projectQuery.extend(wholeListQuery.shape) },
      responses: { 200: json('Both scopes.', quotasSchema), ...problems },
    }),
    async (context) => {
      const { project, organization } = context.get('caller');
      const quotas = await Promise.all([projectQuota(sql, project.id), organizationQuota(sql, organization.id)]);
      return context.json({ items: quotas.flatMap((quota) => quota ?? []), nextCursor: null }, 200);
    },
  );
  return router;
}

/** Operators set limits, and compare what is counted with what is there. */
export function quotaOperations({ database: { sql } }: ApiDependencies) {
  const router = createRouter();

  const act = (
    context: Context<ApiEnv>,
    quota: Quota,
    organizationId: string,
    limits: object,
    reason?: string,
  ): Act => ({
    organizationId,
    projectId: quota.scope === 'project' ? quota.id : null,
    actor: context.get('actor').actor,
    origin: context.get('actor').origin,
    action: 'quota.set',
    resource: { kind: quota.scope, id: quota.id, name: quota.name },
    details: { limits },
    ...(reason === undefined ? {} : { reason }),
  });

  router.openapi(
    createRoute('platform.write', {
      tags,
      method: 'patch',
      path: '/projects/{id}/quota',
      summary: 'Set limits of a project',
      description: 'A limit below what is in use is allowed: it keeps more from being taken.',
      operationId: 'set-project-quota',
      request: { params: referenceParam, query: organizationOfProject, body: body(projectLimitsSchema) },
      responses: { 200: json('The quota as it now is.', quotaSchema), ...problems },
    }),
    async (context) => {
      const meant = { project: context.req.valid('param').id, organization: context.req.valid('query').organization };
      const { project, organization } = await context.get('places').project(context.get('principal'), meant);
      const what = `project "${project.name}"`;
      const { limits, reason } = context.req.valid('json');
      const before = there(await projectQuota(sql, project.id), what);
      const after = await audited(sql, act(context, before, organization.id, limits, reason), async (transaction) => {
        await setProjectLimits(transaction, project.id, limits);
        return projectQuota(transaction, project.id);
      });
      return context.json(there(after, what), 200);
    },
  );

  router.openapi(
    createRoute('platform.read', {
      tags,
      method: 'get',
      path: '/organizations/{id}/quota',
      summary: 'Show the quota of an organization',
      operationId: 'get-organization-quota',
      request: { params: referenceParam },
      responses: { 200: json('The quota.', quotaSchema), ...problems },
    }),
    async (context) => {
      const { id } = context.req.valid('param');
      const { id: organizationId } = await context.get('places').organization(context.get('principal'), id);
      return context.json(there(await organizationQuota(sql, organizationId), `organization "${id}"`), 200);
    },
  );

  router.openapi(
    createRoute('platform.write', {
      tags,
      method: 'patch',
      path: '/organizations/{id}/quota',
      summary: 'Set limits of an organization',
      description: 'For all its projects together. Null takes a limit away; an organization begins without any.',
      operationId: 'set-organization-quota',
      request: { params: referenceParam, body: body(organizationLimitsSchema) },
      responses: { 200: json('The quota as it now is.', quotaSchema), ...problems },
    }),
    async (context) => {
      const { id } = context.req.valid('param');
      const { id: organizationId } = await context.get('places').organization(context.get('principal'), id);
      const { limits, reason } = context.req.valid('json');
      const what = `organization "${id}"`;
      const before = there(await organizationQuota(sql, organizationId), what);
      const after = await audited(sql, act(context, before, organizationId, limits, reason), async (transaction) => {
        await setOrganizationLimits(transaction, organizationId, limits);
        return organizationQuota(transaction, organizationId);
      });
      return context.json(there(after, what), 200);
    },
  );

  router.openapi(
    createRoute('platform.read', {
      tags,
      method: 'get',
      path: '/quota/differences',
      summary: 'Recount all quotas',
      description: 'Where a count is not what the resources that are there take. Nothing is changed.',
      operationId: 'list-quota-differences',
      request: { query: wholeListQuery },
      responses: {
        200: json('None, if all is well.', z.object({ items: z.array(quotaDifferenceSchema), nextCursor: z.null() })),
        ...problems,
      },
    }),
    async (context) => context.json({ items: [...(await quotaDifferences(sql))], nextCursor: null }, 200),
  );
  return router;
}

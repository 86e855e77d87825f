import { z } from '@hono/zod-openapi';
import { listServiceAccounts } from '../../src/db/queries/service-accounts.ts';
import { listTokens } from '../../src/db/queries/tokens.ts';
import {
  newTokenSchema,
  serviceAccountCreateSchema,
  serviceAccountSchema,
  tokenCreateSchema,
  tokenSchema,
} from '../../src/domain/tenancy.ts';
import { inPlace } from '../../src/requests/acting.ts';
import { createServiceAccount, deleteServiceAccount, serviceAccountIn } from '../../src/requests/service-accounts.ts';
import { createServiceAccountToken, revokeToken } from '../../src/requests/tokens.ts';
import { created, createRoute, gone, json, pageOf, pageQuery, projectQuery, referenceParam } from '../contract.ts';
import type { ApiDependencies } from '../env.ts';
import { problems } from '../problem.ts';
import { createRouter } from '../router.ts';

/** Programs, of a project (`?project=`) or an organisation, and their tokens. */
export function serviceAccountRoutes({ database: { sql }, tokens }: ApiDependencies) {
  const common = { tags: ['Service accounts'] };
  const router = createRouter();

  router.openapi(
    createRoute('service-account.read', {
      ...common,
      method: 'get',
      path: '/service-accounts',
      summary: 'List service accounts',
      description: 'Of the project named, or else of the organization with all its projects.',
      operationId: 'list-service-accounts',
      request: { query: pageQuery },
      responses: { 200: json('A page, oldest first.', pageOf(serviceAccountSchema)), ...problems },
    }),
    async (context) => {
      const where = inPlace(context.get('actor'), context.get('place'));
      return context.json(await listServiceAccounts(sql, where, context.req.valid('query')), 200);
    },
  );

  router.openapi(
    createRoute('service-account.write', {
      ...common,
      method: 'post',
      path: '/service-accounts',
      summary: 'Create a service account',
      description:
        'It has no role yet: give it one with a role binding. A project’s can have roles in its project alone.',
      operationId: 'create-service-account',
      request: {
        query: projectQuery,
        body: { required: true, content: { 'application/json': { schema: serviceAccountCreateSchema } } },
      },
      responses: { 201: created('The service account.', serviceAccountSchema), ...problems },
    }),
    async (context) => {
      const { name } = context.req.valid('json');
      const account = await createServiceAccount(sql, context.get('actor'), context.get('place'), name);
      return context.json(account, 201, { Location: `/api/tenant/v1/service-accounts/${account.id}` });
    },
  );

  router.openapi(
    createRoute('service-account.read', {
      ...common,
      method: 'get',
      path: '/service-accounts/{id}',
      summary: 'Get a service account',
      operationId: 'get-service-account',
      request: { params: referenceParam, query: projectQuery },
      responses: { 200: json('The service account.', serviceAccountSchema), ...problems },
    }),
    async (context) =>
      context.json(await serviceAccountIn(sql, context.get('place'), context.req.valid('param').id), 200),
  );

  router.openapi(
    createRoute('service-account.write', {
      ...common,
      method: 'delete',
      path: '/service-accounts/{id}',
      summary: 'Delete a service account with its roles and tokens',
      operationId: 'delete-service-account',
      request: { params: referenceParam, query: projectQuery },
      responses: { 204: gone, ...problems },
    }),
    async (context) => {
      await deleteServiceAccount(sql, context.get('actor'), context.get('place'), context.req.valid('param').id);
      return context.body(null, 204);
    },
  );

  router.openapi(
    createRoute('service-account.write', {
      ...common,
      method: 'get',
      path: '/service-accounts/{id}/tokens',
      summary: 'List a service account’s tokens',
      operationId: 'list-service-account-tokens',
      request: { params: referenceParam, query: pageQuery },
      responses: { 200: json('A page, oldest first.', pageOf(tokenSchema)), ...problems },
    }),
    async (context) => {
      const { id } = await serviceAccountIn(sql, context.get('place'), context.req.valid('param').id);
      return context.json(await listTokens(sql, { serviceAccountId: id }, context.req.valid('query')), 200);
    },
  );

  router.openapi(
    createRoute('service-account.write', {
      ...common,
      method: 'post',
      path: '/service-accounts/{id}/tokens',
      summary: 'Create a token for a service account',
      description: 'The token is shown this once. Nobody makes one that lets through more than they may themselves.',
      operationId: 'create-service-account-token',
      request: {
        params: referenceParam,
        query: projectQuery,
        body: { required: true, content: { 'application/json': { schema: tokenCreateSchema } } },
      },
      responses: { 201: json('The token.', newTokenSchema), ...problems },
    }),
    async (context) => {
      const place = context.get('place');
      const account = await serviceAccountIn(sql, place, context.req.valid('param').id);
      const body = context.req.valid('json');
      const meant = { project: body.project, organization: place.organization.id };
      const project = body.project ? await context.get('places').project(context.get('principal'), meant) : undefined;
      return context.json(
        await createServiceAccountToken(sql, context.get('actor'), account, body, project, tokens),
        201,
      );
    },
  );

  router.openapi(
    createRoute('service-account.write', {
      ...common,
      method: 'delete',
      path: '/service-accounts/{id}/tokens/{tokenId}',
      summary: 'Revoke a service account’s token',
      description: 'The next request with it is refused.',
      operationId: 'delete-service-account-token',
      request: { params: referenceParam.extend({ tokenId: z.uuid() }), query: projectQuery },
      responses: { 204: gone, ...problems },
    }),
    async (context) => {
      const { id, tokenId } = context.req.valid('param');
      const account = await serviceAccountIn(sql, context.get('place'), id);
      await revokeToken(sql, context.get('actor'), { serviceAccountId: account.id }, tokenId);
      return context.body(null, 204);
    },
  );
  return router;
}

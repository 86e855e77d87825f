import { z } from '@hono/zod-openapi';
import { listOrganizations, listProjects, organizationById } from '../../src/db/queries/organizations.ts';
import { listRoleBindings } from '../../src/db/queries/role-bindings.ts';
import { listTokens } from '../../src/db/queries/tokens.ts';
import { findUser, listUsers } from '../../src/db/queries/users.ts';
import {
  operatorCreateSchema,
  organizationCreateSchema,
  organizationSchema,
  projectSchema,
  roleBindingSchema,
  tokenSchema,
  userCreateSchema,
  userSchema,
} from '../../src/domain/tenancy.ts';
import { MillwrightError } from '../../src/errors.ts';
import { createOrganization, deleteOrganization } from '../../src/requests/organizations.ts';
import { createRoleBinding, deleteRoleBinding } from '../../src/requests/role-bindings.ts';
import { revokeToken } from '../../src/requests/tokens.ts';
import { createUser, deleteUser, notFound } from '../../src/requests/users.ts';
import { created, createRoute, gone, idParam, json, pageOf, pageQuery, referenceParam } from '../contract.ts';
import type { ApiDependencies } from '../env.ts';
import { problems } from '../problem.ts';
import { createRouter } from '../router.ts';

const pages = pageQuery.pick({ limit: true, cursor: true });
const onPlatform = { organizationId: null, projectId: null };
/** An e-mail address may be as long as RFC 5321 has it. */
const userParam = z.object({ id: z.string().min(1).max(254).meta({ description: 'An id or an e-mail address.' }) });

/** Everybody's organisations, projects, users and tokens, and who operates the platform. */
export function platformRoutes({ database: { sql } }: ApiDependencies) {
  const common = { tags: ['Platform'] };
  const router = createRouter();

  router.openapi(
    createRoute('platform.read', {
      ...common,
      method: 'get',
      path: '/organizations',
      summary: 'List all organizations',
      operationId: 'list-all-organizations',
      request: { query: pages },
      responses: { 200: json('A page, oldest first.', pageOf(organizationSchema)), ...problems },
    }),
    async (context) =>
      context.json(await listOrganizations(sql, context.get('principal').rights, context.req.valid('query')), 200),
  );

  router.openapi(
    createRoute('platform.write', {
      ...common,
      method: 'post',
      path: '/organizations',
      summary: 'Create an organization',
      operationId: 'create-organization',
      request: { body: { required: true, content: { 'application/json': { schema: organizationCreateSchema } } } },
      responses: { 201: created('The organization.', organizationSchema), ...problems },
    }),
    async (context) => {
      const organization = await createOrganization(sql, context.get('actor'), context.req.valid('json').name);
      return context.json(organization, 201, { Location: `/api/ops/v1/organizations/${organization.id}` });
    },
  );

  router.openapi(
    createRoute('platform.read', {
      ...common,
      method: 'get',
      path: '/organizations/{id}',
      summary: 'Get an organization',
      operationId: 'get-organization',
      request: { params: referenceParam },
      responses: { 200: json('The organization.', organizationSchema), ...problems },
    }),
    async (context) => {
      const reference = context.req.valid('param').id;
      const { id } = await context.get('places').organization(context.get('principal'), reference);
      const organization = await organizationById(sql, id);
      if (!organization) throw new MillwrightError('not_found', `There is no organization "${reference}".`);
      return context.json(organization, 200);
    },
  );

  router.openapi(
    createRoute('platform.write', {
      ...common,
      method: 'delete',
      path: '/organizations/{id}',
      summary: 'Delete an organization that has no project any more',
      operationId: 'delete-organization',
      request: { params: referenceParam },
      responses: { 204: gone, ...problems },
    }),
    async (context) => {
      const { id } = context.req.valid('param');
      const organization = await context.get('places').organization(context.get('principal'), id);
      await deleteOrganization(sql, context.get('actor'), organization);
      return context.body(null, 204);
    },
  );

  router.openapi(
    createRoute('platform.read', {
      ...common,
      method: 'get',
      path: '/projects',
      summary: 'List all projects',
      operationId: 'list-all-projects',
      request: { query: pages },
      responses: { 200: json('A page, oldest first.', pageOf(projectSchema)), ...problems },
    }),
    async (context) =>
      context.json(
        await listProjects(sql, context.get('principal').rights, undefined, context.req.valid('query')),
        200,
      ),
  );

  router.openapi(
    createRoute('platform.read', {
      ...common,
      method: 'get',
      path: '/users',
      summary: 'List all users',
      operationId: 'list-users',
      request: { query: pages },
      responses: { 200: json('A page, oldest first.', pageOf(userSchema)), ...problems },
    }),
    async (context) => context.json(await listUsers(sql, context.req.valid('query')), 200),
  );

  router.openapi(
    createRoute('platform.write', {
      ...common,
      method: 'post',
      path: '/users',
      summary: 'Invite a user',
      description: 'Whoever logs in with this address, verified by the issuer, is this user.',
      operationId: 'create-user',
      request: { body: { required: true, content: { 'application/json': { schema: userCreateSchema } } } },
      responses: { 201: created('The user.', userSchema), ...problems },
    }),
    async (context) => {
      const user = await createUser(sql, context.get('actor'), context.req.valid('json'));
      return context.json(user, 201, { Location: `/api/ops/v1/users/${user.id}` });
    },
  );

  router.openapi(
    createRoute('platform.read', {
      ...common,
      method: 'get',
      path: '/users/{id}',
      summary: 'Get a user',
      operationId: 'get-user',
      request: { params: userParam },
      responses: { 200: json('The user.', userSchema), ...problems },
    }),
    async (context) => {
      const { id } = context.req.valid('param');
      const user = await findUser(sql, id);
      if (!user) throw notFound(id);
      return context.json(user, 200);
    },
  );

  router.openapi(
    createRoute('platform.write', {
      ...common,
      method: 'delete',
      path: '/users/{id}',
      summary: 'Delete a user with its roles and tokens',
      operationId: 'delete-user',
      request: { params: userParam },
      responses: { 204: gone, ...problems },
    }),
    async (context) => {
      await deleteUser(sql, context.get('actor'), context.req.valid('param').id);
      return context.body(null, 204);
    },
  );

  router.openapi(
    createRoute('platform.read', {
      ...common,
      method: 'get',
      path: '/role-bindings',
      summary: 'List the operators',
      operationId: 'list-operators',
      request: { query: pages },
      responses: { 200: json('A page, oldest first.', pageOf(roleBindingSchema)), ...problems },
    }),
    async (context) => context.json(await listRoleBindings(sql, onPlatform, context.req.valid('query')), 200),
  );

  router.openapi(
    createRoute('platform.write', {
      ...common,
      method: 'post',
      path: '/role-bindings',
      summary: 'Make an operator',
      operationId: 'create-operator',
      request: { body: { required: true, content: { 'application/json': { schema: operatorCreateSchema } } } },
      responses: { 201: created('The role binding.', roleBindingSchema), ...problems },
    }),
    async (context) => {
      const bearer = context.req.valid('json');
      const binding = await createRoleBinding(sql, context.get('actor'), 'platform', 'operator', bearer);
      return context.json(binding, 201, { Location: `/api/ops/v1/role-bindings/${binding.id}` });
    },
  );

  router.openapi(
    createRoute('platform.write', {
      ...common,
      method: 'delete',
      path: '/role-bindings/{id}',
      summary: 'Make an operator none any more',
      operationId: 'delete-operator',
      request: { params: idParam },
      responses: { 204: gone, ...problems },
    }),
    async (context) => {
      await deleteRoleBinding(sql, context.get('actor'), 'platform', context.req.valid('param').id);
      return context.body(null, 204);
    },
  );

  router.openapi(
    createRoute('platform.read', {
      ...common,
      method: 'get',
      path: '/tokens',
      summary: 'List everybody’s tokens',
      operationId: 'list-all-tokens',
      request: { query: pages },
      responses: { 200: json('A page, oldest first.', pageOf(tokenSchema)), ...problems },
    }),
    async (context) => context.json(await listTokens(sql, 'everyone', context.req.valid('query')), 200),
  );

  router.openapi(
    createRoute('platform.write', {
      ...common,
      method: 'delete',
      path: '/tokens/{id}',
      summary: 'Revoke anybody’s token',
      operationId: 'revoke-token',
      request: { params: idParam },
      responses: { 204: gone, ...problems },
    }),
    async (context) => {
      await revokeToken(sql, context.get('actor'), 'everyone', context.req.valid('param').id);
      return context.body(null, 204);
    },
  );
  return router;
}

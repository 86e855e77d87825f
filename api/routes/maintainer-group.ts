import { listMaintainerGroups } from '../../src/db/queries/maintainers.ts';
import {
  maintainerGroupCreateSchema,
  maintainerGroupSchema,
  maintainerNameSchema,
} from '../../src/domain/maintainer.ts';
import {
  createMaintainerGroup,
  deleteMaintainerGroup,
  maintainerGroupIn,
  setMaintainerGroupMember,
} from '../../src/requests/maintainers.ts';
import {
  bodyOf,
  created,
  createRoute,
  gone,
  json,
  organizationQuery,
  pageOf,
  pageQuery,
  projectQuery,
  referenceParam,
} from '../contract.ts';
import type { ApiDependencies } from '../env.ts';
import { problems } from '../problem.ts';
import { createRouter } from '../router.ts';

const memberParam = referenceParam.extend({
  email: maintainerNameSchema.meta({ description: 'The e-mail address of a member of the organization.' }),
});

/** Who is asked about resources, where it is more than one person. */
export function maintainerGroupRoutes({ database: { sql } }: ApiDependencies) {
  const common = { tags: ['Maintainer groups'] };
  const router = createRouter();

  router.openapi(
    createRoute('maintainer-group.read', {
      ...common,
      method: 'get',
      path: '/maintainer-groups',
      summary: 'List the maintainer groups of the organization',
      operationId: 'list-maintainer-groups',
      request: { query: pageQuery },
      responses: { 200: json('A page, oldest first.', pageOf(maintainerGroupSchema)), ...problems },
    }),
    async (context) => {
      const { organization } = context.get('place');
      return context.json(await listMaintainerGroups(sql, organization.id, context.req.valid('query')), 200);
    },
  );

  router.openapi(
    createRoute('maintainer-group.write', {
      ...common,
      method: 'post',
      path: '/maintainer-groups',
      summary: 'Create a maintainer group',
      description: 'It gives its members no right: roles do.',
      operationId: 'create-maintainer-group',
      request: { query: organizationQuery, body: bodyOf(maintainerGroupCreateSchema) },
      responses: { 201: created('The group.', maintainerGroupSchema), ...problems },
    }),
    async (context) => {
      const { organization } = context.get('place');
      const group = await createMaintainerGroup(sql, context.get('actor'), organization, context.req.valid('json'));
      return context.json(group, 201, { Location: `/api/tenant/v1/maintainer-groups/${group.id}` });
    },
  );

  router.openapi(
    createRoute('maintainer-group.read', {
      ...common,
      method: 'get',
      path: '/maintainer-groups/{id}',
      summary: 'Get a maintainer group',
      operationId: 'get-maintainer-group',
      request: { params: referenceParam, query: projectQuery },
      responses: { 200: json('The group, with its members.', maintainerGroupSchema), ...problems },
    }),
    async (context) =>
      context.json(await maintainerGroupIn(sql, context.get('place').organization, context.req.valid('param').id), 200),
  );

  router.openapi(
    createRoute('maintainer-group.write', {
      ...common,
      method: 'delete',
      path: '/maintainer-groups/{id}',
      summary: 'Delete a maintainer group that maintains nothing',
      operationId: 'delete-maintainer-group',
      request: { params: referenceParam, query: organizationQuery },
      responses: { 204: gone, ...problems },
    }),
    async (context) => {
      const { organization } = context.get('place');
      await deleteMaintainerGroup(sql, context.get('actor'), organization, context.req.valid('param').id);
      return context.body(null, 204);
    },
  );

  for (const [method, isIn, operationId, summary] of [
    ['put', true, 'add-to-maintainer-group', 'Add a member of the organization to a maintainer group'],
    ['delete', false, 'remove-from-maintainer-group', 'Take somebody out of a maintainer group'],
  ] as const) {
    router.openapi(
      createRoute('maintainer-group.write', {
        ...common,
        method,
        path: '/maintainer-groups/{id}/members/{email}',
        summary,
        operationId,
        request: { params: memberParam, query: organizationQuery },
        responses: { 204: gone, ...problems },
      }),
      async (context) => {
        const { id: reference, email } = context.req.valid('param');
        const { organization } = context.get('place');
        await setMaintainerGroupMember(sql, context.get('actor'), organization, { reference, email, isIn });
        return context.body(null, 204);
      },
    );
  }
  return router;
}

import { listRoleBindings } from '../../src/db/queries/role-bindings.ts';
import { roleBindingCreateSchema, roleBindingSchema } from '../../src/domain/tenancy.ts';
import { inPlace } from '../../src/requests/acting.ts';
import { createRoleBinding, deleteRoleBinding } from '../../src/requests/role-bindings.ts';
import { created, createRoute, gone, idParam, json, pageOf, pageQuery, projectQuery } from '../contract.ts';
import type { ApiDependencies } from '../env.ts';
import { problems } from '../problem.ts';
import { createRouter } from '../router.ts';

/** Who holds which role on a project (`?project=`) or an organisation: its members. */
export function roleBindingRoutes({ database: { sql } }: ApiDependencies) {
  const common = { tags: ['Role bindings'] };
  const router = createRouter();

  router.openapi(
    createRoute('role-binding.read', {
      ...common,
      method: 'get',
      path: '/role-bindings',
      summary: 'List who holds which role',
      description: 'Of the project named, or else of the organization with all its projects.',
      operationId: 'list-role-bindings',
      request: { query: pageQuery },
      responses: { 200: json('A page, oldest first.', pageOf(roleBindingSchema)), ...problems },
    }),
    async (context) => {
      const where = inPlace(context.get('actor'), context.get('place'));
      return context.json(await listRoleBindings(sql, where, context.req.valid('query')), 200);
    },
  );

  router.openapi(
    createRoute('role-binding.write', {
      ...common,
      method: 'post',
      path: '/role-bindings',
      summary: 'Give a role',
      description: 'On the project named, or else on the organization, and so in all its projects.',
      operationId: 'create-role-binding',
      request: {
        query: projectQuery,
        body: { required: true, content: { 'application/json': { schema: roleBindingCreateSchema } } },
      },
      responses: { 201: created('The role binding.', roleBindingSchema), ...problems },
    }),
    async (context) => {
      const { role, ...bearer } = context.req.valid('json');
      const binding = await createRoleBinding(sql, context.get('actor'), context.get('place'), role, bearer);
      return context.json(binding, 201, { Location: `/api/tenant/v1/role-bindings/${binding.id}` });
    },
  );

  router.openapi(
    createRoute('role-binding.write', {
      ...common,
      method: 'delete',
      path: '/role-bindings/{id}',
      summary: 'Take a role away',
      description: 'It does not hold any more from the next request on.',
      operationId: 'delete-role-binding',
      request: { params: idParam, query: projectQuery },
      responses: { 204: gone, ...problems },
    }),
    async (context) => {
      await deleteRoleBinding(sql, context.get('actor'), context.get('place'), context.req.valid('param').id);
      return context.body(null, 204);
    },
  );
  return router;
}

import { listAddresses } from '../../src/db/queries/subnets.ts';
import { addressCreateSchema, addressViewSchema } from '../../src/domain/subnet.ts';
import { addressIn, createAddress, removeAddress } from '../../src/requests/addresses.ts';
import {
  bodyOf,
  created,
  createRoute,
  gone,
  json,
  pageOf,
  pageQuery,
  projectQuery,
  referenceParam,
} from '../contract.ts';
import type { ApiDependencies } from '../env.ts';
import { problems } from '../problem.ts';
import { createRouter } from '../router.ts';

/** The addresses that a project has reserved. */
export function addressRoutes({ database: { sql } }: ApiDependencies) {
  const common = { tags: ['Addresses'] };
  const router = createRouter();

  router.openapi(
    createRoute('resource.write', {
      ...common,
      method: 'post',
      path: '/addresses',
      summary: 'Reserve an address',
      description: 'A certain one, or any that is free. It is kept until it is deleted.',
      operationId: 'create-address',
      request: { query: projectQuery, body: bodyOf(addressCreateSchema) },
      responses: { 201: created('The address.', addressViewSchema), ...problems },
    }),
    async (context) => {
      const address = await createAddress(sql, context.get('caller'), context.req.valid('json'));
      return context.json(address, 201, { Location: `/api/tenant/v1/addresses/${address.id}` });
    },
  );

  router.openapi(
    createRoute('resource.read', {
      ...common,
      method: 'get',
      path: '/addresses',
      summary: 'List reserved addresses',
      operationId: 'list-addresses',
      request: { query: pageQuery },
      responses: { 200: json('A page, oldest first.', pageOf(addressViewSchema)), ...problems },
    }),
    async (context) =>
      context.json(await listAddresses(sql, context.get('caller').project.id, context.req.valid('query')), 200),
  );

  router.openapi(
    createRoute('resource.read', {
      ...common,
      method: 'get',
      path: '/addresses/{id}',
      summary: 'Get a reserved address',
      operationId: 'get-address',
      request: { params: referenceParam, query: projectQuery },
      responses: { 200: json('The address.', addressViewSchema), ...problems },
    }),
    async (context) => context.json(await addressIn(sql, context.get('caller'), context.req.valid('param').id), 200),
  );

  router.openapi(
    createRoute('resource.write', {
      ...common,
      method: 'delete',
      path: '/addresses/{id}',
      summary: 'Give a reserved address back',
      operationId: 'delete-address',
      request: { params: referenceParam, query: projectQuery },
      responses: { 204: gone, ...problems },
    }),
    async (context) => {
      await removeAddress(sql, context.get('caller'), context.req.valid('param').id);
      return context.body(null, 204);
    },
  );
  return router;
}

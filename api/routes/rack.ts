import { z } from '@hono/zod-openapi';
import { elevationOf, findHostGroup, findRack, listHostGroups, listRacks } from '../../src/db/queries/racks.ts';
import { resourceById } from '../../src/db/queries/resources.ts';
import { bareMetalHostSchema } from '../../src/domain/bare-metal-host.ts';
import {
  elevationSchema,
  hostGroupCreateSchema,
  hostGroupSchema,
  hostMarksSchema,
  rackCreateSchema,
  rackPlaceSchema,
  rackSchema,
} from '../../src/domain/rack.ts';
import {
  createHostGroup,
  createRack,
  deleteHostGroup,
  deleteRack,
  markHost,
  placeHost,
  setGroupMember,
  unplaceHost,
} from '../../src/requests/racks.ts';
import { there } from '../../src/requests/target.ts';
import { bodyOf, created, createRoute, gone, idParam, json, pageOf, pageQuery, referenceParam } from '../contract.ts';
import type { ApiDependencies } from '../env.ts';
import { problems } from '../problem.ts';
import { createRouter } from '../router.ts';

const pages = pageQuery.pick({ limit: true, cursor: true });
const memberParam = referenceParam.extend({ hostId: z.uuid() });

/** Where hosts of metal stand, what they are grouped by, and what people say of them. */
export function rackRoutes({ database: { sql }, catalog }: ApiDependencies) {
  const common = { tags: ['Racks'] };
  const router = createRouter();

  router.openapi(
    createRoute('platform.read', {
      ...common,
      method: 'get',
      path: '/racks',
      summary: 'List racks',
      operationId: 'list-racks',
      request: { query: pages },
      responses: { 200: json('A page, oldest first.', pageOf(rackSchema)), ...problems },
    }),
    async (context) => context.json(await listRacks(sql, context.req.valid('query')), 200),
  );

  router.openapi(
    createRoute('platform.write', {
      ...common,
      method: 'post',
      path: '/racks',
      summary: 'Create a rack',
      operationId: 'create-rack',
      request: { body: bodyOf(rackCreateSchema) },
      responses: { 201: created('The rack.', rackSchema), ...problems },
    }),
    async (context) => {
      const rack = await createRack(sql, context.get('actor'), await catalog(), context.req.valid('json'));
      return context.json(rack, 201, { Location: `/api/ops/v1/racks/${rack.id}` });
    },
  );

  router.openapi(
    createRoute('platform.read', {
      ...common,
      method: 'get',
      path: '/racks/{id}',
      summary: 'Get a rack',
      operationId: 'get-rack',
      request: { params: referenceParam },
      responses: { 200: json('The rack.', rackSchema), ...problems },
    }),
    async (context) => {
      const { id } = context.req.valid('param');
      return context.json(there(await findRack(sql, id), 'rack', id), 200);
    },
  );

  router.openapi(
    createRoute('platform.read', {
      ...common,
      method: 'get',
      path: '/racks/{id}/elevation',
      summary: 'Show what stands in each unit of a rack',
      operationId: 'get-rack-elevation',
      request: { params: referenceParam },
      responses: { 200: json('The highest unit first.', elevationSchema), ...problems },
    }),
    async (context) => {
      const { id } = context.req.valid('param');
      return context.json(there(await elevationOf(sql, id), 'rack', id), 200);
    },
  );

  router.openapi(
    createRoute('platform.write', {
      ...common,
      method: 'delete',
      path: '/racks/{id}',
      summary: 'Delete a rack that is empty',
      operationId: 'delete-rack',
      request: { params: referenceParam },
      responses: { 204: gone, ...problems },
    }),
    async (context) => {
      await deleteRack(sql, context.get('actor'), context.req.valid('param').id);
      return context.body(null, 204);
    },
  );

  router.openapi(
    createRoute('platform.write', {
      ...common,
      method: 'put',
      path: '/racks/{id}/hosts/{hostId}',
      summary: 'Put a host into a rack',
      description: 'In no unit stand two hosts. A host that stood elsewhere stands here from now on.',
      operationId: 'place-host',
      request: { params: memberParam, body: bodyOf(rackPlaceSchema) },
      responses: { 204: gone, ...problems },
    }),
    async (context) => {
      const { id, hostId } = context.req.valid('param');
      await placeHost(sql, context.get('actor'), id, hostId, context.req.valid('json'));
      return context.body(null, 204);
    },
  );

  router.openapi(
    createRoute('platform.write', {
      ...common,
      method: 'delete',
      path: '/racks/{id}/hosts/{hostId}',
      summary: 'Take a host out of a rack',
      operationId: 'unplace-host',
      request: { params: memberParam },
      responses: { 204: gone, ...problems },
    }),
    async (context) => {
      const { id, hostId } = context.req.valid('param');
      await unplaceHost(sql, context.get('actor'), id, hostId);
      return context.body(null, 204);
    },
  );

  router.openapi(
    createRoute('platform.write', {
      ...common,
      method: 'put',
      path: '/bare-metal-hosts/{id}/marks',
      summary: 'Mark a host as in maintenance, or as broken',
      operationId: 'mark-bare-metal-host',
      request: { params: idParam, body: bodyOf(hostMarksSchema) },
      responses: { 200: json('The host as it now is.', bareMetalHostSchema), ...problems },
    }),
    async (context) => {
      const { id } = context.req.valid('param');
      await markHost(sql, context.get('actor'), id, context.req.valid('json'));
      return context.json(there(await resourceById(sql, 'bare-metal-host', id), 'host', id), 200);
    },
  );

  return router;
}

export function hostGroupRoutes({ database: { sql } }: ApiDependencies) {
  const common = { tags: ['Host groups'] };
  const router = createRouter();

  router.openapi(
    createRoute('platform.read', {
      ...common,
      method: 'get',
      path: '/host-groups',
      summary: 'List groups of bare-metal hosts',
      operationId: 'list-host-groups',
      request: { query: pages },
      responses: { 200: json('A page, oldest first.', pageOf(hostGroupSchema)), ...problems },
    }),
    async (context) => context.json(await listHostGroups(sql, context.req.valid('query')), 200),
  );

  router.openapi(
    createRoute('platform.write', {
      ...common,
      method: 'post',
      path: '/host-groups',
      summary: 'Create a group of bare-metal hosts',
      operationId: 'create-host-group',
      request: { body: bodyOf(hostGroupCreateSchema) },
      responses: { 201: created('The group.', hostGroupSchema), ...problems },
    }),
    async (context) => {
      const group = await createHostGroup(sql, context.get('actor'), context.req.valid('json').name);
      return context.json(group, 201, { Location: `/api/ops/v1/host-groups/${group.id}` });
    },
  );

  router.openapi(
    createRoute('platform.read', {
      ...common,
      method: 'get',
      path: '/host-groups/{id}',
      summary: 'Get a group of bare-metal hosts',
      operationId: 'get-host-group',
      request: { params: referenceParam },
      responses: { 200: json('The group, with its hosts.', hostGroupSchema), ...problems },
    }),
    async (context) => {
      const { id } = context.req.valid('param');
      return context.json(there(await findHostGroup(sql, id), 'host group', id), 200);
    },
  );

  router.openapi(
    createRoute('platform.write', {
      ...common,
      method: 'delete',
      path: '/host-groups/{id}',
      summary: 'Delete a group of bare-metal hosts, and none of the hosts',
      operationId: 'delete-host-group',
      request: { params: referenceParam },
      responses: { 204: gone, ...problems },
    }),
    async (context) => {
      await deleteHostGroup(sql, context.get('actor'), context.req.valid('param').id);
      return context.body(null, 204);
    },
  );

  for (const [method, isIn, operationId, summary] of [
    ['put', true, 'add-to-host-group', 'Add a host to a group'],
    ['delete', false, 'remove-from-host-group', 'Take a host out of a group'],
  ] as const) {
    router.openapi(
      createRoute('platform.write', {
        ...common,
        method,
        path: '/host-groups/{id}/hosts/{hostId}',
        summary,
        operationId,
        request: { params: memberParam },
        responses: { 204: gone, ...problems },
      }),
      async (context) => {
        const { id, hostId } = context.req.valid('param');
        await setGroupMember(sql, context.get('actor'), id, hostId, isIn);
        return context.body(null, 204);
      },
    );
  }
  return router;
}

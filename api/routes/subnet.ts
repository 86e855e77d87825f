import { z } from '@hono/zod-openapi';
import { knownResources } from '../../src/db/queries/resources.ts';
import { listAssignments, listSubnets } from '../../src/db/queries/subnets.ts';
import { referenceSchema } from '../../src/domain/common.ts';
import {
  assignmentSchema,
  subnetCreateSchema,
  subnetGrowSchema,
  subnetSchema,
  subnetSplitSchema,
} from '../../src/domain/subnet.ts';
import { createSubnet, growIn, removeSubnet, splitIn, subnetIn } from '../../src/requests/subnets.ts';
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

/** The blocks of addresses of a project's networks. */
export function subnetRoutes({ database: { sql } }: ApiDependencies) {
  const common = { tags: ['Subnets'] };
  const router = createRouter();

  router.openapi(
    createRoute('resource.write', {
      ...common,
      method: 'post',
      path: '/subnets',
      summary: 'Add a subnet to a network',
      description: 'It is there at once. Where it would overlap a subnet of the same VRF, that is a 409.',
      operationId: 'create-subnet',
      request: { query: projectQuery, body: bodyOf(subnetCreateSchema) },
      responses: { 201: created('The subnet.', subnetSchema), ...problems },
    }),
    async (context) => {
      const subnet = await createSubnet(sql, context.get('caller'), context.req.valid('json'));
      return context.json(subnet, 201, { Location: `/api/tenant/v1/subnets/${subnet.id}` });
    },
  );

  router.openapi(
    createRoute('resource.read', {
      ...common,
      method: 'get',
      path: '/subnets',
      summary: 'List subnets',
      operationId: 'list-subnets',
      request: { query: pageQuery.extend({ network: referenceSchema.optional() }) },
      responses: { 200: json('A page, oldest first.', pageOf(subnetSchema)), ...problems },
    }),
    async (context) => {
      const { network: reference, ...page } = context.req.valid('query');
      const { project } = context.get('caller');
      if (reference === undefined) return context.json(await listSubnets(sql, project.id, undefined, page), 200);
      const find = await knownResources(sql, project.id, [{ kind: 'network', reference }]);
      const network = find({ kind: 'network', reference });
      if (!network) return context.json({ items: [], nextCursor: null }, 200);
      return context.json(await listSubnets(sql, project.id, network.id, page), 200);
    },
  );

  router.openapi(
    createRoute('resource.read', {
      ...common,
      method: 'get',
      path: '/subnets/{id}',
      summary: 'Get a subnet, and how far it is used',
      operationId: 'get-subnet',
      request: { params: referenceParam, query: projectQuery },
      responses: { 200: json('The subnet.', subnetSchema), ...problems },
    }),
    async (context) => context.json(await subnetIn(sql, context.get('caller'), context.req.valid('param').id), 200),
  );

  router.openapi(
    createRoute('resource.read', {
      ...common,
      method: 'get',
      path: '/subnets/{id}/addresses',
      summary: 'List what is assigned in a subnet',
      description: 'Who has which address, and what is in quarantine.',
      operationId: 'list-subnet-addresses',
      request: { params: referenceParam, query: pageQuery },
      responses: { 200: json('A page, in the order of assignment.', pageOf(assignmentSchema)), ...problems },
    }),
    async (context) => {
      const { id } = await subnetIn(sql, context.get('caller'), context.req.valid('param').id);
      return context.json(await listAssignments(sql, id, context.req.valid('query')), 200);
    },
  );

  router.openapi(
    createRoute('resource.write', {
      ...common,
      method: 'delete',
      path: '/subnets/{id}',
      summary: 'Delete a subnet',
      description: 'One in which nobody has an address. The last of a network goes with that.',
      operationId: 'delete-subnet',
      request: { params: referenceParam, query: projectQuery },
      responses: { 204: gone, ...problems },
    }),
    async (context) => {
      await removeSubnet(sql, context.get('caller'), context.req.valid('param').id);
      return context.body(null, 204);
    },
  );

  router.openapi(
    createRoute('resource.write', {
      ...common,
      method: 'post',
      path: '/subnets/{id}/grow',
      summary: 'Make a subnet larger',
      description: 'To the block with that prefix which holds it. What is assigned stays so.',
      operationId: 'grow-subnet',
      request: { params: referenceParam, query: projectQuery, body: bodyOf(subnetGrowSchema) },
      responses: { 200: json('The subnet.', subnetSchema), ...problems },
    }),
    async (context) => {
      const { prefix } = context.req.valid('json');
      return context.json(await growIn(sql, context.get('caller'), context.req.valid('param').id, prefix), 200);
    },
  );

  router.openapi(
    createRoute('resource.write', {
      ...common,
      method: 'post',
      path: '/subnets/{id}/split',
      summary: 'Split a subnet into equal parts',
      description:
        'It becomes the first part; the others are new ones, named after it. What is assigned goes to the part that it is in.',
      operationId: 'split-subnet',
      request: { params: referenceParam, query: projectQuery, body: bodyOf(subnetSplitSchema) },
      responses: { 200: json('The parts, in order.', z.object({ parts: z.array(subnetSchema) })), ...problems },
    }),
    async (context) => {
      const { parts } = context.req.valid('json');
      const made = await splitIn(sql, context.get('caller'), context.req.valid('param').id, parts);
      return context.json({ parts: made }, 200);
    },
  );
  return router;
}

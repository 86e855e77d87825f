import { findComputeHost, listComputeHosts } from '../../src/db/queries/compute-hosts.ts';
import { placementOf } from '../../src/db/queries/placement-claims.ts';
import { nameSchema } from '../../src/domain/common.ts';
import { computeHostCreateSchema, computeHostSchema, computeHostUpdateSchema } from '../../src/domain/compute-host.ts';
import { vmPlacementSchema } from '../../src/domain/placement.ts';
import { MillwrightError } from '../../src/errors.ts';
import { createComputeHost, deleteComputeHost, updateComputeHost } from '../../src/requests/compute-hosts.ts';
import { there } from '../../src/requests/target.ts';
import { bodyOf, created, createRoute, gone, idParam, json, pageOf, pageQuery, referenceParam } from '../contract.ts';
import type { ApiDependencies } from '../env.ts';
import { problems } from '../problem.ts';
import { createRouter } from '../router.ts';

const query = pageQuery.pick({ limit: true, cursor: true }).extend({
  region: nameSchema.optional(),
  rack: nameSchema.optional(),
  group: nameSchema.optional(),
});

/** Machines that VMs are placed on, and how a VM came to stand on its own. */
export function computeHostRoutes({ database: { sql }, catalog }: ApiDependencies) {
  const common = { tags: ['Compute hosts'] };
  const router = createRouter();

  router.openapi(
    createRoute('platform.read', {
      ...common,
      method: 'get',
      path: '/compute-hosts',
      summary: 'List compute hosts',
      operationId: 'list-compute-hosts',
      request: { query },
      responses: { 200: json('A page, oldest first.', pageOf(computeHostSchema)), ...problems },
    }),
    async (context) => {
      const { limit, cursor, ...filter } = context.req.valid('query');
      return context.json(await listComputeHosts(sql, filter, { limit, cursor }), 200);
    },
  );

  router.openapi(
    createRoute('platform.write', {
      ...common,
      method: 'post',
      path: '/compute-hosts',
      summary: 'Add a compute host',
      description:
        'Once a region has one of a provider, new VMs of that provider there are placed on its compute hosts. Those that are there already stay as they are, and take nothing of a host.',
      operationId: 'create-compute-host',
      request: { body: bodyOf(computeHostCreateSchema) },
      responses: { 201: created('The compute host.', computeHostSchema), ...problems },
    }),
    async (context) => {
      const host = await createComputeHost(sql, context.get('actor'), await catalog(), context.req.valid('json'));
      return context.json(host, 201, { Location: `/api/ops/v1/compute-hosts/${host.id}` });
    },
  );

  router.openapi(
    createRoute('platform.read', {
      ...common,
      method: 'get',
      path: '/compute-hosts/{id}',
      summary: 'Get a compute host',
      operationId: 'get-compute-host',
      request: { params: referenceParam },
      responses: { 200: json('The compute host.', computeHostSchema), ...problems },
    }),
    async (context) => {
      const { id } = context.req.valid('param');
      return context.json(there(await findComputeHost(sql, id), 'compute host', id), 200);
    },
  );

  router.openapi(
    createRoute('platform.write', {
      ...common,
      method: 'patch',
      path: '/compute-hosts/{id}',
      summary: 'Change a compute host, or put it into maintenance',
      description: 'What is left out stays. A host keeps what is placed on it, and has to have room for that.',
      operationId: 'update-compute-host',
      request: { params: referenceParam, body: bodyOf(computeHostUpdateSchema) },
      responses: { 200: json('The compute host as it now is.', computeHostSchema), ...problems },
    }),
    async (context) => {
      const { id } = context.req.valid('param');
      return context.json(await updateComputeHost(sql, context.get('actor'), id, context.req.valid('json')), 200);
    },
  );

  router.openapi(
    createRoute('platform.write', {
      ...common,
      method: 'delete',
      path: '/compute-hosts/{id}',
      summary: 'Delete a compute host on which nothing is placed',
      operationId: 'delete-compute-host',
      request: { params: referenceParam },
      responses: { 204: gone, ...problems },
    }),
    async (context) => {
      await deleteComputeHost(sql, context.get('actor'), context.req.valid('param').id);
      return context.body(null, 204);
    },
  );

  router.openapi(
    createRoute('platform.read', {
      ...common,
      method: 'get',
      path: '/vms/{id}/placement',
      summary: 'Explain why a VM stands where it does',
      operationId: 'explain-vm-placement',
      request: { params: idParam },
      responses: { 200: json('Its host, and how it was chosen.', vmPlacementSchema), ...problems },
    }),
    async (context) => {
      const { id } = context.req.valid('param');
      const placement = await placementOf(sql, id);
      if (placement) return context.json(placement, 200);
      throw new MillwrightError('not_found', `No VM "${id}" is placed on a compute host.`);
    },
  );

  return router;
}

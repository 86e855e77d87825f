import { z } from '@hono/zod-openapi';
import { listDnsRecords, listLeases } from '../../src/db/queries/leases.ts';
import { dnsRecordSchema, leaseSchema } from '../../src/domain/subnet.ts';
import { MillwrightError } from '../../src/errors.ts';
import { createRoute, json, pageOf, pageQuery } from '../contract.ts';
import type { ApiDependencies } from '../env.ts';
import { problems } from '../problem.ts';
import { createRouter } from '../router.ts';

const regionParam = z.object({ region: z.string().min(1).max(63) });
/** A region is of no organization or project. */
const regionPage = pageQuery.omit({ organization: true, project: true });

/** What the DHCP and DNS servers of a region are to know. */
export function leaseRoutes({ database: { sql }, catalog }: ApiDependencies) {
  const common = { tags: ['Operations'] };
  const router = createRouter();

  async function known(region: string): Promise<string> {
    const { regions } = await catalog();
    if (regions.some(({ name }) => name === region)) return region;
    throw new MillwrightError('not_found', `There is no region "${region}".`);
  }

  router.openapi(
    createRoute('platform.read', {
      ...common,
      method: 'get',
      path: '/regions/{region}/dhcp',
      summary: 'List what DHCP hands out in a region',
      operationId: 'list-dhcp-leases',
      request: { params: regionParam, query: regionPage },
      responses: { 200: json('A page, in the order of assignment.', pageOf(leaseSchema)), ...problems },
    }),
    async (context) => {
      const region = await known(context.req.valid('param').region);
      return context.json(await listLeases(sql, region, context.req.valid('query')), 200);
    },
  );

  router.openapi(
    createRoute('platform.read', {
      ...common,
      method: 'get',
      path: '/regions/{region}/dns',
      summary: 'List the DNS records of a region’s hosts',
      operationId: 'list-dns-records',
      request: { params: regionParam, query: regionPage },
      responses: { 200: json('A page, in the order of assignment.', pageOf(dnsRecordSchema)), ...problems },
    }),
    async (context) => {
      const region = await known(context.req.valid('param').region);
      return context.json(await listDnsRecords(sql, region, context.req.valid('query')), 200);
    },
  );
  return router;
}

import { findResource } from '../../src/db/queries/resources.ts';
import { clusterCreateSchema, clusterSchema, kubeconfigSchema } from '../../src/domain/cluster.ts';
import { openKubeconfig } from '../../src/requests/kubeconfig.ts';
import { notFound } from '../../src/requests/target.ts';
import { createRoute, json, projectQuery, referenceParam } from '../contract.ts';
import type { ApiDependencies } from '../env.ts';
import { problems } from '../problem.ts';
import { resourceRoutes } from './resource.ts';

export function clusterRoutes(dependencies: ApiDependencies) {
  const { database, sealer } = dependencies;
  const router = resourceRoutes(dependencies, {
    kind: 'cluster',
    title: 'Cluster',
    createSchema: clusterCreateSchema.transform((body) => ({ kind: 'cluster' as const, body })),
    viewSchema: clusterSchema,
  });
  router.openapi(
    createRoute('resource.write', {
      tags: ['Clusters'],
      method: 'get',
      path: '/clusters/{id}/kubeconfig',
      summary: 'Get the kubeconfig of a cluster',
      description:
        'Whoever has it administers the cluster: it is given to members alone, and the audit log says to whom.',
      operationId: 'get-kubeconfig',
      request: { params: referenceParam, query: projectQuery },
      responses: { 200: json('The kubeconfig, as YAML.', kubeconfigSchema), ...problems },
    }),
    async (context) => {
      const { id } = context.req.valid('param');
      const cluster = await findResource(database.sql, context.get('caller').project.id, 'cluster', id);
      if (!cluster) throw notFound('cluster', id);
      const kubeconfig = await openKubeconfig(
        database.sql,
        sealer,
        context.get('actor'),
        context.get('place'),
        cluster,
      );
      context.header('Cache-Control', 'no-store');
      return context.json({ kubeconfig }, 200);
    },
  );
  return router;
}

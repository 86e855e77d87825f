import { type Context, Hono } from 'hono';
import { MillwrightError } from '../../errors.ts';
import { attended, type ProviderEnv, regionOf } from './attended.ts';
import type { CallLog } from './calls.ts';
import { bootstrapSchema, nodeSchema } from './cluster-wire.ts';
import type { ClusterStore } from './clusters.ts';
import type { FaultStore } from './faults.ts';
import { limitBody, readBody } from './reply.ts';

/** The side of Kubernetes that a driver calls. */
export function clusterRoutes(clusters: ClusterStore, faults: FaultStore, calls: CallLog): Hono<ProviderEnv> {
  const app = new Hono<ProviderEnv>();
  const { note, perform } = attended(faults, calls);
  const all = '/:region/clusters' as const;
  const one = `${all}/:key` as const;
  const placeOf = (context: Context<ProviderEnv, typeof one | `${typeof one}/nodes/:node`>) => ({
    region: regionOf(context),
    key: context.req.param('key'),
  });

  app.get(all, note('cluster.list'), (context) => {
    const region = regionOf(context);
    return perform(context, null, () => ({ status: 200, body: { clusters: clusters.list(region) } }));
  });
  app.post(all, note('cluster.bootstrap'), limitBody, async (context) => {
    const region = regionOf(context);
    const body = await readBody(context, bootstrapSchema);
    context.get('call').key = body.key;
    return perform(context, body.name, () => ({ status: 202, body: clusters.bootstrap(region, body) }), body);
  });
  app.get(one, note('cluster.get'), (context) => {
    const place = placeOf(context);
    const found = clusters.find(place);
    return perform(context, found?.name ?? null, () => {
      if (found) return { status: 200, body: found };
      throw new MillwrightError('not_found', `There is no cluster "${place.key}" in "${place.region}".`);
    });
  });
  app.post(`${one}/nodes`, note('cluster.join'), limitBody, async (context) => {
    const place = placeOf(context);
    const node = await readBody(context, nodeSchema);
    return perform(context, node.name, () => ({ status: 202, body: clusters.join(place, node) }), node);
  });
  app.delete(`${one}/nodes/:node`, note('cluster.drain'), (context) => {
    const place = placeOf(context);
    const name = context.req.param('node');
    return perform(context, name, () => ({ status: 202, body: clusters.drain(place, name) }));
  });
  app.delete(one, note('cluster.delete'), (context) => {
    const place = placeOf(context);
    return perform(context, clusters.find(place)?.name ?? null, () => ({ status: 202, body: clusters.remove(place) }));
  });
  return app;
}

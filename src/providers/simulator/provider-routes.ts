import { type Context, Hono } from 'hono';
import { actsOf, isMadeActType, type MadeKind, madeKinds, plural, typeOf } from '../../domain/kinds.ts';
import { MillwrightError } from '../../errors.ts';
import { attended, type ProviderEnv, regionOf } from './attended.ts';
import type { CallLog } from './calls.ts';
import type { FaultStore } from './faults.ts';
import type { Observe } from './observe.ts';
import { limitBody, parse, type Reply, readBody } from './reply.ts';
import type { Store } from './store.ts';
import {
  type ActRequest,
  actSchemas,
  type CreateRequest,
  consoleQuery,
  createSchemas,
  deleteQuery,
  observeQuery,
} from './wire.ts';

/**
 * The provider's side: what a driver calls. A region is there once it is named; each has its own resources.
 * A bad request is refused before any fault meets it, so that it does not use up a fault meant for another.
 */
export function providerRoutes(store: Store, observe: Observe, faults: FaultStore, calls: CallLog): Hono<ProviderEnv> {
  const app = new Hono<ProviderEnv>();

  const { note, perform } = attended(faults, calls);

  for (const kind of madeKinds) {
    const all = `/:region/${plural[kind]}` as const;
    const one = `${all}/:key` as const;
    const placeOf = (context: Context<ProviderEnv, typeof one>) => ({
      region: regionOf(context),
      kind,
      key: context.req.param('key'),
    });

    app.post(all, note(`${kind}.create`), limitBody, async (context) => {
      const region = regionOf(context);
      const request = await readCreate(context, kind);
      context.get('call').key = request.body.key;
      const act = (): Reply => {
        const { isNew, resource } = store.create(region, request);
        return { status: isNew ? (resource.state === 'building' ? 202 : 201) : 200, body: resource };
      };
      return perform(context, request.body.name, act, request.body);
    });

    app.get(all, note(`${kind}.list`), (context) => {
      const region = regionOf(context);
      return perform(context, null, () => ({ status: 200, body: { resources: store.list(region, kind) } }));
    });

    app.get(`/:region/observations/${plural[kind]}`, note(`${kind}.observe`), (context) => {
      const region = regionOf(context);
      const { after, limit } = parse(observeQuery, context.req.query(), 'The query is not one for a page');
      return perform(context, null, () => ({ status: 200, body: observe({ region, kind, after, limit }) }));
    });

    app.get(one, note(`${kind}.get`), (context) => {
      const place = placeOf(context);
      return perform(context, store.find(place)?.name ?? null, () => {
        const resource = store.find(place);
        if (resource) return { status: 200, body: resource };
        throw new MillwrightError('not_found', `There is no ${kind} "${place.key}" in "${place.region}".`);
      });
    });

    app.delete(one, note(`${kind}.delete`), (context) => {
      const place = placeOf(context);
      const { force } = parse(deleteQuery, context.req.query(), 'The query is not one of a deletion');
      return perform(context, store.find(place)?.name ?? null, () => ({
        status: 202,
        body: store.remove(place, force === 'true'),
      }));
    });

    for (const act of actsOf(kind)) {
      const type = typeOf(kind, act);
      if (!isMadeActType(type)) continue;
      app.post(`${one}/${act}`, note(type), limitBody, async (context) => {
        const region = regionOf(context);
        const place = { region, kind, key: context.req.param('key') ?? '' };
        const body = await readBody(context, actSchemas[type]);
        const reply = (): Reply => ({ status: 200, body: store.act(place, { type, body } as ActRequest) });
        return perform(context, store.find(place)?.name ?? null, reply, body);
      });
    }
  }

  app.get('/:region/vms/:key/console', note('vm.console'), (context) => {
    const [region, key] = [regionOf(context), context.req.param('key')];
    const { lines } = parse(consoleQuery, context.req.query(), 'The query is not one of a console');
    return perform(context, store.find({ region, kind: 'vm', key })?.name ?? null, () => {
      const read = store.console(region, key, lines);
      if (read) return { status: 200, body: { lines: read } };
      throw new MillwrightError('not_found', `There is no vm "${key}" in "${region}".`);
    });
  });

  return app;
}

async function readCreate(context: Context<ProviderEnv>, kind: MadeKind): Promise<CreateRequest> {
  switch (kind) {
    case 'vm':
      return { kind, body: await readBody(context, createSchemas[kind]) };
    case 'network':
      return { kind, body: await readBody(context, createSchemas[kind]) };
    case 'volume':
      return { kind, body: await readBody(context, createSchemas[kind]) };
    case 'snapshot':
      return { kind, body: await readBody(context, createSchemas[kind]) };
    case 'bucket':
      return { kind, body: await readBody(context, createSchemas[kind]) };
    default:
      return kind satisfies never;
  }
}

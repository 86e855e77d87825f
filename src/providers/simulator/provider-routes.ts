import type { HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import { type Context, Hono, type MiddlewareHandler } from 'hono';
import { nameSchema } from '../../domain/common.ts';
import { plural, type ResourceKind, resourceKinds } from '../../domain/kinds.ts';
import { MillwrightError } from '../../errors.ts';
import type { Call, CallLog } from './calls.ts';
import { applyFault } from './effects.ts';
import type { FaultStore } from './faults.ts';
import { limitBody, parse, type Reply, readBody, refusal, send } from './reply.ts';
import type { Store } from './store.ts';
import { type Action, type CreateRequest, createSchemas } from './wire.ts';

interface ProviderEnv {
  Bindings: HttpBindings;
  Variables: { call: Call };
}

/**
 * The provider's side: what a driver calls. A region is there once it is named; each has its own resources.
 * A bad request is refused before any fault meets it, so that it does not use up a fault meant for another.
 */
export function providerRoutes(store: Store, faults: FaultStore, calls: CallLog): Hono<ProviderEnv> {
  const app = new Hono<ProviderEnv>();

  /** Notes the call, and what came of it. */
  const note =
    (kind: ResourceKind, action: Action): MiddlewareHandler<ProviderEnv> =>
    async (context, next) => {
      const region = context.req.param('region') ?? '';
      const call = calls.add({ operation: `${kind}.${action}`, region, key: context.req.param('key') ?? null });
      context.set('call', call);
      await next();
      if (!context.env.outgoing.destroyed) call.status = context.res.status;
    };

  /** Does a call that is sound, or what its fault makes of it. */
  async function perform(
    context: Context<ProviderEnv>,
    name: string | null,
    act: () => Reply,
    body?: unknown,
  ): Promise<Response> {
    const call = context.get('call');
    call.name = name;
    const fault = faults.hit({ operation: call.operation, region: call.region, name });
    call.fault = fault?.effect ?? null;
    const settle = () => settled(act);
    const reply = fault ? await applyFault(fault, call.operation, context.env.outgoing, settle, body) : settle();
    return reply ? send(context, reply) : RESPONSE_ALREADY_SENT;
  }

  for (const kind of resourceKinds) {
    const all = `/:region/${plural[kind]}` as const;
    const one = `${all}/:key` as const;
    const placeOf = (context: Context<ProviderEnv, typeof one>) => ({
      region: regionOf(context),
      kind,
      key: context.req.param('key'),
    });

    app.post(all, note(kind, 'create'), limitBody, async (context) => {
      const region = regionOf(context);
      const request = await readCreate(context, kind);
      context.get('call').key = request.body.key;
      const act = (): Reply => {
        const { isNew, resource } = store.create(region, request);
        return { status: isNew ? (resource.state === 'building' ? 202 : 201) : 200, body: resource };
      };
      return perform(context, request.body.name, act, request.body);
    });

    app.get(all, note(kind, 'list'), (context) => {
      const region = regionOf(context);
      return perform(context, null, () => ({ status: 200, body: { resources: store.list(region, kind) } }));
    });

    app.get(one, note(kind, 'get'), (context) => {
      const place = placeOf(context);
      return perform(context, store.find(place)?.name ?? null, () => {
        const resource = store.find(place);
        if (resource) return { status: 200, body: resource };
        throw new MillwrightError('not_found', `There is no ${kind} "${place.key}" in "${place.region}".`);
      });
    });

    app.delete(one, note(kind, 'delete'), (context) => {
      const place = placeOf(context);
      return perform(context, store.find(place)?.name ?? null, () => ({ status: 202, body: store.remove(place) }));
    });
  }

  return app;
}

/** Not a 404: to a driver that deletes, one would say that the resource is gone. */
const regionOf = (context: Context<ProviderEnv>): string =>
  parse(nameSchema, context.req.param('region'), 'There can be no region of this name');

async function readCreate(context: Context<ProviderEnv>, kind: ResourceKind): Promise<CreateRequest> {
  switch (kind) {
    case 'vm':
      return { kind, body: await readBody(context, createSchemas[kind]) };
    case 'network':
      return { kind, body: await readBody(context, createSchemas[kind]) };
    case 'volume':
      return { kind, body: await readBody(context, createSchemas[kind]) };
    default:
      return kind satisfies never;
  }
}

/** A refusal is an answer as well, which a fault may hold back; what nobody foresaw is not. */
function settled(act: () => Reply): Reply {
  try {
    return act();
  } catch (error) {
    if (error instanceof MillwrightError) return refusal(error);
    throw error;
  }
}

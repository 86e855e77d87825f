import type { HttpBindings } from '@hono/node-server';
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { Context, MiddlewareHandler } from 'hono';
import { nameSchema } from '../../domain/common.ts';
import { MillwrightError } from '../../errors.ts';
import type { Call, CallLog } from './calls.ts';
import { applyFault, isPage, type Recall } from './effects.ts';
import type { FaultStore } from './faults.ts';
import { parse, type Reply, refusal, send } from './reply.ts';
import type { Operation } from './wire.ts';

export interface ProviderEnv {
  Bindings: HttpBindings;
  Variables: { call: Call };
}

/** What is done about every call to the provider's side: it is noted, and its fault has its way with it. */
export function attended(faults: FaultStore, calls: CallLog) {
  const remembered = new Map<string, Reply>();

  return {
    /** Notes the call, and what came of it. */
    note:
      (operation: Operation): MiddlewareHandler<ProviderEnv> =>
      async (context, next) => {
        const region = context.req.param('region') ?? '';
        const call = calls.add({ operation, region, key: context.req.param('key') ?? null });
        context.set('call', call);
        await next();
        if (!context.env.outgoing.destroyed) call.status = context.res.status;
      },

    /** Does a call that is sound, or what its fault makes of it. */
    perform: async (
      context: Context<ProviderEnv>,
      name: string | null,
      act: () => Reply,
      body?: unknown,
    ): Promise<Response> => {
      const call = context.get('call');
      call.name = name;
      const fault = faults.hit({ operation: call.operation, region: call.region, name });
      call.fault = fault?.effect ?? null;
      const settle = () => settled(act);
      const recall: Recall = ({ id }, fresh) => {
        const question = `${id} ${context.req.method} ${context.req.url}`;
        const before = remembered.get(question);
        if (before) return before;
        const reply = fresh();
        if (isPage(reply)) remembered.set(question, reply);
        return reply;
      };
      const reply = fault
        ? await applyFault(fault, call.operation, context.env.outgoing, settle, body, recall)
        : settle();
      return reply ? send(context, reply) : RESPONSE_ALREADY_SENT;
    },
  };
}

/** Not a 404: to a driver that deletes, one would say that the resource is gone. */
export const regionOf = (context: Context<ProviderEnv>): string =>
  parse(nameSchema, context.req.param('region'), 'There can be no region of this name');

/** A refusal is an answer as well, which a fault may hold back; what nobody foresaw is not. */
function settled(act: () => Reply): Reply {
  try {
    return act();
  } catch (error) {
    if (error instanceof MillwrightError) return refusal(error);
    throw error;
  }
}

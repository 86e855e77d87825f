import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { MillwrightError } from '../../errors.ts';
import type { Fault } from './faults.ts';
import { type Reply, refusal } from './reply.ts';
import { type Operation, observedPageSchema } from './wire.ts';

const slowMs = 2000;
const throttleSeconds = 1;

/** Only these may be lied in: whoever makes something may rely on what it is told of it. */
export const isPage = ({ body }: Reply): boolean => observedPageSchema.safeParse(body).success;

/** The page that was given to the same question when the fault first met it; from then on, that again. */
export type Recall = (fault: Fault, act: () => Reply) => Reply;

/** A page without every second thing that is there. */
function shortened(reply: Reply): Reply {
  const page = observedPageSchema.safeParse(reply.body).data;
  if (!page) return reply;
  return { ...reply, body: { ...page, observations: page.observations.filter((_, index) => index % 2 === 1) } };
}

/**
 * Does a call as its fault has it. `undefined`: there is nobody to answer, for the fault or the client cut the
 * connection, or the simulator stopped, which cuts all of them and so ends every wait here.
 */
export async function applyFault(
  fault: Fault,
  operation: Operation,
  outgoing: ServerResponse,
  act: () => Reply,
  body: unknown,
  recall: Recall,
): Promise<Reply | undefined> {
  switch (fault.effect) {
    case 'transient':
      await pause(fault.afterMs ?? 0, outgoing);
      return { ...failure(fault, operation, 'unavailable'), ...retryAfter(fault.retryAfterSeconds) };
    case 'throttle':
      await pause(fault.afterMs ?? 0, outgoing);
      return {
        ...failure(fault, operation, 'unavailable'),
        status: 429,
        ...retryAfter(fault.retryAfterSeconds ?? throttleSeconds),
      };
    case 'permanent':
      await pause(fault.afterMs ?? 0, outgoing);
      return failure(fault, operation, 'precondition');
    case 'echo':
      await pause(fault.afterMs ?? 0, outgoing);
      return echo(body, operation);
    case 'short':
      return shortened(act());
    case 'stale':
      return recall(fault, act);
    case 'slow': {
      const reply = act();
      await pause(fault.afterMs ?? slowMs, outgoing);
      return reply;
    }
    case 'accept-then-drop':
      act();
      await pause(fault.afterMs ?? 0, outgoing);
      outgoing.destroy();
      return undefined;
    case 'hang':
      if (!outgoing.destroyed) await once(outgoing, 'close');
      return undefined;
    default:
      return fault.effect satisfies never;
  }
}

function failure({ id, effect }: Fault, operation: Operation, code: 'unavailable' | 'precondition'): Reply {
  return refusal(
    new MillwrightError(code, `The fault ${id} (${effect}) keeps the simulator from doing this ${operation}.`),
  );
}

/** A refusal that quotes the request, as some providers' do: also in base64, as it travels to them. */
function echo(body: unknown, operation: Operation): Reply {
  const quoted = JSON.stringify(body ?? null);
  const encoded = Buffer.from(quoted).toString('base64');
  return refusal(new MillwrightError('precondition', `The ${operation} ${quoted} (${encoded}) is not acceptable.`));
}

const retryAfter = (seconds: number | null): Pick<Reply, 'headers'> =>
  seconds === null ? {} : { headers: { 'Retry-After': String(seconds) } };

/** Waits so long, or until the connection is cut. */
async function pause(ms: number, outgoing: ServerResponse): Promise<void> {
  if (ms === 0 || outgoing.destroyed) return;
  const over = new AbortController();
  const quietly = { signal: over.signal };
  try {
    await Promise.race([sleep(ms, undefined, quietly), once(outgoing, 'close', quietly)]);
  } finally {
    over.abort();
  }
}

import type { Sql } from 'postgres';
import { principalsByHash } from '../src/db/queries/principals.ts';
import type { Principal } from '../src/domain/principal.ts';

interface Waiting {
  readonly promise: Promise<Principal | undefined>;
  readonly resolve: (principal: Principal | undefined) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Looks every token up anew for each request, so that a token revoked or a role taken away counts from the next request
 * on. Requests that came while a look-up was under way share the next one: under load, one statement serves many. None
 * is answered by a look-up that began before it came.
 */
export function tokenReader(sql: Sql): (hash: string) => Promise<Principal | undefined> {
  let waiting = new Map<string, Waiting>();
  let busy = false;

  async function read(): Promise<void> {
    const batch = waiting;
    waiting = new Map();
    try {
      const found = await principalsByHash(sql, [...batch.keys()]);
      for (const [hash, { resolve }] of batch) resolve(found.get(hash));
    } catch (error) {
      for (const { reject } of batch.values()) reject(error);
    }
    if (waiting.size > 0) setImmediate(read);
    else busy = false;
  }

  return (hash) => {
    const before = waiting.get(hash);
    if (before) return before.promise;
    const mine: Waiting = Promise.withResolvers<Principal | undefined>();
    waiting.set(hash, mine);
    if (!busy) {
      busy = true;
      setImmediate(read);
    }
    return mine.promise;
  };
}

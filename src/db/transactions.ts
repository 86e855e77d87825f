import { setTimeout as pause } from 'node:timers/promises';
import type { Sql, TransactionSql } from 'postgres';
import { lostConnection } from './lost.ts';

const longestEndMs = 5000;

type Perform<Result> = (transaction: TransactionSql) => Promise<Result> | Result;

/** Transactions, each on a connection of its own. */
export interface Transactions {
  begin<Result>(perform: Perform<Result>): Promise<Result>;
  begin<Result>(options: string, perform: Perform<Result>): Promise<Result>;
  /** Those under way, and those that wait for a connection, fail at once. */
  cutOff(): Promise<void>;
  /** Waits for those under way, for a moment. */
  close(): Promise<void>;
}

/** One connection, used for one transaction after the other until it is lost; never again after that. */
interface Link {
  readonly client: Sql;
  isLost: boolean;
  /** Fails the transaction that is under way on it. */
  fail?: ((error: Error) => void) | undefined;
}

/**
 * The client's own `begin` goes on writing to a connection that was lost: the process dies of it, or what was left of the
 * transaction is run inside another's (porsager/postgres issues 1208 and 1216). Here nothing is sent once a connection
 * is gone. `open` gives a client of one connection, and tells when that is lost.
 */
export function createTransactions(open: (lost: () => void) => Sql, atMost: number): Transactions {
  const links = new Set<Link>();
  const free: Link[] = [];
  const waiting: PromiseWithResolvers<Link>[] = [];
  let closing: Promise<void> | undefined;
  const idle = Promise.withResolvers<void>();

  function openLink(): Link {
    const client = open(() => {
      if (link.isLost) return;
      link.isLost = true;
      link.fail?.(lostConnection());
      links.delete(link);
      const at = free.indexOf(link);
      if (at >= 0) free.splice(at, 1);
      void client.end({ timeout: 0 });
      // Who waits gets another in its place.
      if (waiting.length > 0 && links.size < atMost) waiting.shift()?.resolve(openLink());
    });
    const link: Link = { client, isLost: false };
    links.add(link);
    return link;
  }

  async function take(): Promise<Link> {
    if (closing) throw lostConnection();
    const link = free.pop();
    if (link) return link;
    if (links.size < atMost) return openLink();
    const turn = Promise.withResolvers<Link>();
    waiting.push(turn);
    return await turn.promise;
  }

  function giveBack(link: Link): void {
    if (!link.isLost) {
      const next = waiting.shift();
      if (next) next.resolve(link);
      else free.push(link);
    }
    if (closing && free.length === links.size) idle.resolve();
  }

  async function begin<Result>(
    options: string | Perform<Result>,
    perform: Perform<Result> | undefined = typeof options === 'string' ? undefined : options,
  ): Promise<Result> {
    if (!perform) throw new Error('a transaction needs what it is to do');
    const link = await take();
    const lost = Promise.withResolvers<never>();
    link.fail = lost.reject;
    try {
      return await Promise.race([run(link, typeof options === 'string' ? options : '', perform), lost.promise]);
    } finally {
      link.fail = undefined;
      giveBack(link);
    }
  }

  async function cutOff(): Promise<void> {
    for (const turn of waiting.splice(0)) turn.reject(lostConnection());
    await Promise.all([...links].map(({ client }) => client.end({ timeout: 0 })));
  }

  return {
    begin,
    cutOff,
    close: () => {
      closing ??= (async () => {
        if (free.length < links.size)
          await Promise.race([idle.promise, pause(longestEndMs, undefined, { ref: false })]);
        await cutOff();
      })();
      return closing;
    },
  };
}

async function run<Result>(link: Link, options: string, perform: Perform<Result>): Promise<Result> {
  const sql = guarded(link);
  await sql.unsafe(`BEGIN ${options}`);
  let result: Result;
  try {
    result = await perform(sql);
    // What the callback made light of, PostgreSQL does not: it ends a transaction with a failed statement by undoing it.
    const { command } = await sql.unsafe('COMMIT');
    if (command !== 'COMMIT') throw new Error('a statement of this transaction had failed: nothing of it was written');
  } catch (error) {
    if (!link.isLost) await sql.unsafe('ROLLBACK');
    throw error;
  }
  return result;
}

/** The link's client while it lasts: nothing is asked of a connection that is gone. */
function guarded(link: Link): TransactionSql {
  const seeThatItLasts = (): void => {
    if (link.isLost) throw lostConnection();
  };
  return new Proxy(link.client, {
    apply: (client, _, parameters) => {
      seeThatItLasts();
      return Reflect.apply(client, undefined, parameters);
    },
    get: (client, name) => {
      seeThatItLasts();
      return Reflect.get(client, name);
    },
  }) as unknown as TransactionSql;
}

import type { Sql } from 'postgres';
import { isDatabaseAway } from '../client.ts';
import { insertCreates, laneOf, type NewCreate } from './accept.ts';

/** Accepts one create: when it was, or undefined, where a needed resource is not usable or a quota does not suffice. */
export type AcceptOne = (create: NewCreate) => Promise<Date | undefined>;

interface Waiting {
  readonly create: NewCreate;
  readonly resolve: (createdAt: Date | undefined) => void;
  readonly reject: (error: unknown) => void;
}

interface Lane {
  readonly waiting: Waiting[];
  underWay: number;
}

/** One that works, and one that is at the database already when that has done. */
const atOnce = 2;
/** More at once gains little, and makes the first of them wait. */
const atMost = 32;

/**
 * Creates of one lane (one project, one kind) go through the project's quota row one after the other anyway. Those that
 * wait while one statement runs are accepted by the next together: what a statement costs is then shared. Where that
 * does not go smoothly (a name is taken, a quota is short), nothing has been written, and each is accepted by itself, so
 * that each gets its own answer.
 */
export function acceptTogether(sql: Sql): AcceptOne {
  const lanes = new Map<string, Lane>();

  async function work(name: string, lane: Lane): Promise<void> {
    for (let group = lane.waiting.splice(0, atMost); group.length > 0; group = lane.waiting.splice(0, atMost))
      await acceptGroup(sql, group);
    lane.underWay -= 1;
    if (lane.underWay === 0) lanes.delete(name);
  }

  return (create) =>
    new Promise((resolve, reject) => {
      const name = laneOf(create);
      const lane = lanes.get(name) ?? { waiting: [], underWay: 0 };
      lanes.set(name, lane);
      lane.waiting.push({ create, resolve, reject });
      if (lane.underWay === atOnce) return;
      lane.underWay += 1;
      // What has arrived by now, on other connections, goes along: it is handled before the event loop comes here.
      setImmediate(() => void work(name, lane));
    });
}

/** Never throws: each of the group hears what became of it. */
async function acceptGroup(sql: Sql, group: readonly Waiting[]): Promise<void> {
  const [first, ...rest] = group;
  if (!first) return;
  try {
    const createdAt = await insertCreates(sql, [first.create, ...rest.map(({ create }) => create)]);
    if (createdAt || rest.length === 0) for (const { resolve } of group) resolve(createdAt);
    else await eachByItself(sql, group);
  } catch (error) {
    // Where the answer was lost, it may have been written: asking again is the caller's to decide.
    if (rest.length === 0 || isDatabaseAway(error)) for (const { reject } of group) reject(error);
    else await eachByItself(sql, group);
  }
}

async function eachByItself(sql: Sql, group: readonly Waiting[]): Promise<void> {
  await Promise.all(group.map(({ create, resolve, reject }) => insertCreates(sql, [create]).then(resolve, reject)));
}

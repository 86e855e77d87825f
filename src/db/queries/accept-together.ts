import type { Sql } from 'postgres';
import { isDatabaseAway, isDatabaseBusy } from '../client.ts';
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
    for (let group = lane.waiting.splice(0, atMost); group.length > 0; group = lane.waiting.splice(0, atMost)) {
      const hopeless = await acceptGroup(sql, group);
      // Whoever waits behind them would fare alike, each a time-out later than the one before.
      if (hopeless) for (const { reject } of lane.waiting.splice(0)) reject(hopeless);
    }
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

/** Never throws: each of the group hears what became of it. Gives why nobody of this lane can be accepted now, where it is so. */
async function acceptGroup(sql: Sql, group: readonly Waiting[]): Promise<unknown> {
  const [first, ...rest] = group;
  if (!first) return undefined;
  try {
    const createdAt = await insertCreates(sql, [first.create, ...rest.map(({ create }) => create)]);
    if (createdAt === undefined && rest.length > 0) return await eachByItself(sql, group);
    for (const { resolve } of group) resolve(createdAt);
  } catch (error) {
    // Where the answer was lost, it may have been written: asking again is the caller's to decide.
    if (rest.length > 0 && !isDatabaseAway(error)) return await eachByItself(sql, group);
    for (const { reject } of group) reject(error);
    if (isDatabaseAway(error)) return error;
  }
  return undefined;
}

/** So many at once: where one waits for a row that somebody holds, the API's other connections are for others. */
const alonePerRound = 4;

async function eachByItself(sql: Sql, group: readonly Waiting[]): Promise<unknown> {
  for (let at = 0; at < group.length; at += alonePerRound) {
    const round = group.slice(at, at + alonePerRound);
    const failures = await Promise.all(
      round.map(({ create, resolve, reject }) =>
        insertCreates(sql, [create]).then(resolve, (error: unknown) => {
          reject(error);
          return isDatabaseAway(error) || isDatabaseBusy(error) ? { error } : undefined;
        }),
      ),
    );
    if (failures.length < alonePerRound || !failures.every((failure) => failure !== undefined)) continue;
    const why = failures[0]?.error;
    for (const { reject } of group.slice(at + alonePerRound)) reject(why);
    return why;
  }
  return undefined;
}

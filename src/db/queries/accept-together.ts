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

/** More at once gains little, and makes the first of them wait. */
const atMost = 32;

/**
 * Creates of one lane (one project, one kind) go through the project's quota row one after the other anyway. Those that
 * wait while one statement runs are accepted by the next together: what a statement costs is then shared. Where that
 * does not go smoothly (a name is taken, a quota is short), nothing has been written, and each is accepted by itself, so
 * that each gets its own answer.
 */
export function acceptTogether(sql: Sql): AcceptOne {
  const lanes = new Map<string, Waiting[]>();

  async function work(lane: string, waiting: Waiting[]): Promise<void> {
    for (let group = waiting.splice(0, atMost); group.length > 0; group = waiting.splice(0, atMost))
      await acceptGroup(sql, group);
    lanes.delete(lane);
  }

  return (create) =>
    new Promise((resolve, reject) => {
      const lane = laneOf(create);
      const waiting = lanes.get(lane);
      if (waiting) {
        waiting.push({ create, resolve, reject });
        return;
      }
      const first = [{ create, resolve, reject }];
      lanes.set(lane, first);
      void work(lane, first);
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

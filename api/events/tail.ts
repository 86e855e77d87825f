import { setTimeout as pause } from 'node:timers/promises';
import type { Sql } from 'postgres';
import { eventsAfter, presentEnd } from '../../src/db/queries/events.ts';
import { type EventCursor, type EventFilter, matches } from '../../src/domain/event.ts';
import type { Logger } from '../../src/log.ts';
import { Subscription } from './subscription.ts';

const lookEveryMs = 200;
const pageSize = 500;

/** The end of the outbox as it grows, read once for all who watch. */
export interface Tail {
  /** Gives every event that matches and comes after this moment; to be left when it is not read any more. */
  join(filter: EventFilter): Promise<Subscription>;
}

/** Looks at the outbox only while somebody watches: however many they are, one look serves all. */
export function createTail(sql: Sql, draining: AbortSignal, log: Logger): Tail {
  const watchers = new Map<Subscription, EventFilter>();
  let start: Promise<EventCursor> | undefined;

  async function run(from: EventCursor): Promise<void> {
    let end = from;
    let away = false;
    while (watchers.size > 0 && !draining.aborted) {
      try {
        const read = await eventsAfter(sql, {}, end, pageSize);
        end = read.end;
        away = false;
        for (const [watcher, filter] of watchers) {
          watcher.offer(
            read.events.filter((event) => matches(filter, event)),
            end,
          );
        }
        if (!read.isLast) continue;
      } catch (error) {
        if (!away) log.warn({ err: error }, 'the outbox cannot be read; watchers wait until it can');
        away = true;
      }
      await pause(lookEveryMs, undefined, { signal: draining }).catch(() => undefined);
    }
    start = undefined;
  }

  function begin(): Promise<EventCursor> {
    if (start) return start;
    const beginning = presentEnd(sql);
    start = beginning;
    beginning.then(run, () => {
      start = undefined;
    });
    return beginning;
  }

  return {
    async join(filter) {
      const subscription = new Subscription((left) => watchers.delete(left));
      watchers.set(subscription, filter);
      try {
        await begin();
      } catch (error) {
        subscription.leave();
        throw error;
      }
      return subscription;
    },
  };
}

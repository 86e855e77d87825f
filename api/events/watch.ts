import type { Sql } from 'postgres';
import { eventsAfter } from '../../src/db/queries/events.ts';
import { type Event, type EventCursor, type EventFilter, isAfter, parseCursor } from '../../src/domain/event.ts';
import { MillwrightError } from '../../src/errors.ts';
import type { Tail } from './tail.ts';

const pageSize = 500;
/** A line this often keeps proxies from closing a quiet stream. */
const idleMs = 15_000;

/** What was given out as a cursor. */
export function cursorOf(text: string, pointer: '/last-event-id' | '/cursor'): EventCursor {
  const cursor = parseCursor(text);
  if (cursor) return cursor;
  const detail = `"${text}" is not the id of an event, nor a cursor of this list; leave it out to begin anew.`;
  throw new MillwrightError('invalid', detail, { faults: [{ pointer, detail }] });
}

/**
 * The events that match and come after the cursor, each once and in order, as they come, until the signal. A cursor
 * alone: nothing has come for a while, and nothing that matches is before it.
 */
export async function* watchEvents(
  sql: Sql,
  tail: Tail,
  filter: EventFilter,
  after: EventCursor,
  signal: AbortSignal,
): AsyncGenerator<Event | EventCursor> {
  let cursor = after;
  while (!signal.aborted) {
    const subscription = await tail.join(filter);
    try {
      let read = await eventsAfter(sql, filter, cursor, pageSize);
      for (;;) {
        yield* read.events;
        cursor = read.end;
        if (read.isLast || signal.aborted) break;
        read = await eventsAfter(sql, filter, cursor, pageSize);
      }
      while (!signal.aborted) {
        const news = await subscription.take(idleMs, signal);
        if (news === 'behind') break;
        if (news === undefined || signal.aborted) continue;
        if (!isList(news)) {
          if (isAfter(news, cursor)) cursor = news;
          yield cursor;
          continue;
        }
        for (const event of news) {
          const at = cursorOf(event.id, '/cursor');
          if (!isAfter(at, cursor)) continue;
          yield event;
          cursor = at;
        }
      }
    } finally {
      subscription.leave();
    }
  }
}

const isList = (news: readonly Event[] | EventCursor): news is readonly Event[] => Array.isArray(news);

import { setTimeout as pause } from 'node:timers/promises';
import type { Sql } from 'postgres';
import { type EventCursor, type JobEventRow, jobEventsAfter } from '../src/db/queries/jobs.ts';
import { MillwrightError } from '../src/errors.ts';

const pageSize = 500;
const lookEveryMs = 200;
/** A line this often keeps proxies from closing a quiet stream. */
const idleMs = 15_000;

/** An event's id in a stream: `<transaction>.<position>`. */
export const toEventId = ({ transactionId, position }: EventCursor): string => `${transactionId}.${position}`;

/** The place after which a stream goes on; the very beginning where none is given. */
export function parseEventId(id: string | undefined): EventCursor {
  if (id === undefined || id === '') return { transactionId: '0', position: '0' };
  const [, transactionId, position] = /^(\d{1,19})\.(\d{1,19})$/.exec(id) ?? [];
  if (!transactionId || !position) {
    const detail = `Last-Event-ID "${id}" is not an id of this stream; leave it out to begin anew.`;
    throw new MillwrightError('invalid', detail, { faults: [{ pointer: '/last-event-id', detail }] });
  }
  return { transactionId, position };
}

/** The events of a job as they come, until the signal; `idle` where nothing has come for a while. */
export async function* jobEvents(
  sql: Sql,
  jobId: string,
  after: EventCursor,
  signal: AbortSignal,
): AsyncGenerator<JobEventRow | 'idle'> {
  let cursor = after;
  let quietSince = Date.now();
  while (!signal.aborted) {
    const events = await jobEventsAfter(sql, jobId, cursor, pageSize);
    for (const event of events) {
      cursor = event;
      yield event;
    }
    if (events.length > 0) quietSince = Date.now();
    else if (Date.now() - quietSince > idleMs) {
      quietSince = Date.now();
      yield 'idle';
    }
    if (events.length < pageSize) await pause(lookEveryMs, undefined, { signal }).catch(() => undefined);
  }
}

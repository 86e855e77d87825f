import type { Sql } from 'postgres';
import { deleteOldDeliveries, deleteOldEvents } from '../src/db/queries/event-retention.ts';
import type { Logger } from '../src/log.ts';
import { repeat } from './repeat.ts';

const everyMs = 60_000;
/** Few enough that nobody waits for them. */
const atOnce = 500;

/** Deletes events, and what is known of their deliveries, when they are as old as that. At rest it only reads. */
export function startEventRetention(sql: Sql, keepDays: number, log: Logger): { stop(): Promise<void> } {
  return repeat('deleting old events', everyMs, log, async (signal) => {
    let events = 0;
    for (const remove of [deleteOldEvents, deleteOldDeliveries]) {
      let removed = atOnce;
      while (removed === atOnce && !signal.aborted) {
        removed = await remove(sql, keepDays, atOnce);
        events += removed;
      }
    }
    if (events > 0) log.info({ rows: events }, 'deleted what was too old');
  });
}

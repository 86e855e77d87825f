import type { Sql } from 'postgres';

/** An enabled webhook holds up what it has not had, but for no longer than this beyond the age. */
const graceDays = 10;

/**
 * Deletes so many of the oldest events that are older than `keepDays` and that every enabled webhook has had, and notes
 * up to where; gives how many. In the order in which they are read, so that what is left is always whole: a reader
 * whose cursor is older is told so.
 */
export async function deleteOldEvents(sql: Sql, keepDays: number, atMost: number): Promise<number> {
  const rows = await sql<{ position: string }[]>`
    WITH edge AS MATERIALIZED (SELECT pg_snapshot_xmin(pg_current_snapshot()) AS transaction_id),
    oldest AS (
      SELECT e.position, e.transaction_id, e.at, (e.at < now() - make_interval(secs => ${keepDays * 86_400}) AND (
          e.at < now() - make_interval(secs => ${(keepDays + graceDays) * 86_400})
          OR NOT EXISTS (SELECT FROM webhooks w WHERE w.state = 'enabled'
            AND (w.cursor_transaction, w.cursor_position) < (e.transaction_id, e.position)))) AS deletable
      FROM events e, edge WHERE e.transaction_id < edge.transaction_id
      ORDER BY e.transaction_id, e.position LIMIT ${atMost}
    ),
    -- Up to the first that has to stay.
    old AS (
      SELECT * FROM (SELECT o.*, bool_and(deletable) OVER (ORDER BY transaction_id, position) AS all_before FROM oldest o) w WHERE all_before
    ),
    noted AS (
      INSERT INTO events_deleted AS d (transaction_id, position, at)
      SELECT transaction_id, position, (SELECT max(at) FROM old) FROM old ORDER BY transaction_id DESC, position DESC LIMIT 1
      ON CONFLICT (id) DO UPDATE SET transaction_id = excluded.transaction_id, position = excluded.position, at = greatest(d.at, excluded.at)
      WHERE (d.transaction_id, d.position) < (excluded.transaction_id, excluded.position)
    )
    DELETE FROM events e USING old WHERE e.position = old.position RETURNING e.position`;
  return rows.length;
}

/** Deletes so many deliveries that ended so long ago; gives how many. */
export async function deleteOldDeliveries(sql: Sql, keepDays: number, atMost: number): Promise<number> {
  const rows = await sql`
    DELETE FROM webhook_deliveries WHERE id IN (
      SELECT id FROM webhook_deliveries WHERE ended_at < now() - make_interval(secs => ${keepDays * 86_400})
      ORDER BY ended_at LIMIT ${atMost} FOR UPDATE SKIP LOCKED)
    RETURNING id`;
  return rows.length;
}

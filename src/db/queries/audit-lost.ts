import type { Sql } from 'postgres';

/** An act beyond the database takes seconds; a job's entry is closed by the transaction that ends the job. */
const lostAfterMinutes = 10;

/**
 * Closes as `LOST` what a crash left open: acts of no job that nobody has closed for some time, and acts whose job has
 * ended without closing them. `withinMinutes`: how far to look back; everything where it is left out. Gives how many.
 */
export async function closeLost(sql: Sql, withinMinutes?: number): Promise<number> {
  const { count } = await sql`
    INSERT INTO audit_entries (act_id, phase, outcome, reason)
    SELECT o.act_id, 'closed', 'LOST', 'Nothing is known of how it ended.' FROM audit_entries o LEFT JOIN jobs j ON j.id = o.act_id
    WHERE o.phase = 'opened' AND NOT EXISTS (SELECT FROM audit_entries c WHERE c.act_id = o.act_id AND c.phase = 'closed')
      AND o.at > CASE WHEN ${withinMinutes ?? null}::int IS NULL THEN '-infinity' ELSE now() - make_interval(mins => ${withinMinutes ?? null}::int) END
      AND CASE WHEN j.id IS NULL THEN o.at ELSE j.ended_at END < now() - make_interval(mins => ${lostAfterMinutes})
    ON CONFLICT (act_id, phase) DO NOTHING`;
  return count;
}

import type { Sql } from 'postgres';

/**
 * What operators watch, each read when somebody asks for the metrics. Partial indexes hold what is under way alone, and
 * the heads of the others are looked up, so that a million of what has ended cost these statements nothing: a test
 * looks at their plans.
 */
export const gaugeStatements = {
  jobs: `SELECT state, count(*)::int AS count, extract(epoch FROM now() - min(created_at))::float8 AS seconds
    FROM jobs WHERE ended_at IS NULL GROUP BY state`,
  steps: `SELECT state, count(*)::int AS count, extract(epoch FROM now() - min(started_at))::float8 AS seconds
    FROM job_steps WHERE ended_at IS NULL GROUP BY state`,
  incidents: `SELECT kind AS state, count(*)::int AS count, extract(epoch FROM now() - min(opened_at))::float8 AS seconds
    FROM incidents WHERE resolved_at IS NULL GROUP BY kind`,
  drift: `SELECT class AS state, count(*)::int AS count, extract(epoch FROM now() - min(confirmed_at))::float8 AS seconds
    FROM drift WHERE confirmed_at IS NOT NULL AND resolved_at IS NULL GROUP BY class`,
  pendingDeliveries: `SELECT 'pending' AS state, count(*)::int AS count,
      coalesce(extract(epoch FROM now() - min(created_at)), 0)::float8 AS seconds
    FROM webhook_deliveries WHERE state = 'pending'`,
  deadDeliveries: `SELECT 'dead' AS state, coalesce(sum(dead.count), 0)::int AS count, 0::float8 AS seconds
    FROM webhooks w, LATERAL (SELECT count(*) FROM webhook_deliveries d WHERE d.webhook_id = w.id AND d.state = 'dead') dead`,
  /** Readers of the outbox stop before the oldest transaction that is still writing, and wait for as long as it does. */
  outboxLag: `SELECT coalesce(extract(epoch FROM now() - min(xact_start)), 0)::float8 AS seconds FROM pg_stat_activity
    WHERE backend_xid IS NOT NULL AND datname = current_database()`,
  sealLag: `WITH head AS (SELECT transaction_id, position FROM audit_seals ORDER BY sequence DESC LIMIT 1)
    SELECT extract(epoch FROM now() - e.at)::float8 AS seconds FROM audit_entries e
    WHERE (e.transaction_id, e.position) >
      (coalesce((SELECT transaction_id FROM head), '0'::xid8), coalesce((SELECT position FROM head), 0))
    ORDER BY e.transaction_id, e.position LIMIT 1`,
} as const;

export interface StateCount {
  readonly state: string;
  readonly count: number;
  /** Of the oldest of them. */
  readonly seconds: number;
}

export const countByState = (
  sql: Sql,
  statement: 'jobs' | 'steps' | 'incidents' | 'drift' | 'pendingDeliveries' | 'deadDeliveries',
): Promise<readonly StateCount[]> => sql.unsafe<StateCount[]>(gaugeStatements[statement], [], { prepare: true });

export async function lagSeconds(sql: Sql, statement: 'outboxLag' | 'sealLag'): Promise<number> {
  const [row] = await sql.unsafe<{ seconds: number }[]>(gaugeStatements[statement], [], { prepare: true });
  return Math.max(0, row?.seconds ?? 0);
}

import type { Sql } from 'postgres';

export interface StateCount {
  readonly state: string;
  readonly count: number;
  /** Of the oldest of them. */
  readonly seconds: number;
}

/**
 * What is under way. The partial indexes `jobs_unended`, `job_steps_unended` and `incidents_open` hold that alone, so
 * that a million jobs that have ended cost these queries nothing.
 */
export const jobsByState = (sql: Sql): Promise<readonly StateCount[]> => sql<StateCount[]>`
  SELECT state, count(*)::int AS count, extract(epoch FROM now() - min(created_at))::float8 AS seconds
  FROM jobs WHERE ended_at IS NULL GROUP BY state`;

export const stepsByState = (sql: Sql): Promise<readonly StateCount[]> => sql<StateCount[]>`
  SELECT state, count(*)::int AS count, extract(epoch FROM now() - min(started_at))::float8 AS seconds
  FROM job_steps WHERE ended_at IS NULL GROUP BY state`;

export const incidentsByKind = (sql: Sql): Promise<readonly { readonly kind: string; readonly count: number }[]> =>
  sql<{ kind: string; count: number }[]>`
    SELECT kind, count(*)::int AS count FROM incidents WHERE resolved_at IS NULL GROUP BY kind`;

/**
 * How far readers of the outbox are behind: they stop before the oldest transaction that is still writing, and wait
 * for as long as it does.
 */
export async function outboxLagSeconds(sql: Sql): Promise<number> {
  const [row] = await sql<{ seconds: number | null }[]>`
    SELECT extract(epoch FROM now() - min(xact_start))::float8 AS seconds FROM pg_stat_activity
    WHERE backend_xid IS NOT NULL AND datname = current_database()`;
  return Math.max(0, row?.seconds ?? 0);
}

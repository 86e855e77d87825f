import type { Sql } from 'postgres';

interface PlantedJob {
  readonly state: string;
  readonly error?: object;
  readonly nextAttemptAt?: string;
  readonly step?: { readonly name: string; readonly attempts: number; readonly startedAt: string };
}

export interface PlantedOperation {
  readonly id: string;
  readonly state?: string;
  readonly type?: string;
  readonly region?: string;
  readonly dependsOn?: readonly string[];
  readonly softDependsOn?: readonly string[];
  readonly spec?: object;
  readonly waitUntil?: string;
  readonly startedAt?: string;
  readonly endedAt?: string;
  readonly error?: object;
  readonly job?: PlantedJob;
  /** From begin to end, of the job that took it back. */
  readonly rolledBack?: readonly [string, string];
}

interface PlantedBatch {
  readonly name: string;
  readonly state?: string;
  readonly parallelLimit?: number;
  readonly limits?: Readonly<Record<string, number>>;
  readonly onFailure?: string;
  readonly pausedBy?: string;
  readonly startedAt?: string;
  readonly endedAt?: string;
  readonly operations: readonly PlantedOperation[];
}

/** Puts a batch into the database as a workflow would have left it at one moment; nothing is at work on it. Gives its id. */
export async function plantBatch(sql: Sql, batch: PlantedBatch): Promise<string> {
  const { parallelLimit = 10, limits = {}, onFailure = 'rollback', state = 'RUNNING' } = batch;
  const [row] = await sql<{ id: string }[]>`
    WITH job AS (
      INSERT INTO jobs (organization_id, project_id, type, state, resource_id, resource_kind, resource_name, input, workflow_id, started_at, ended_at)
      SELECT organization_id, id, 'batch.apply', ${state}, uuidv7(), 'batch', ${batch.name}, '{}', 'none', ${batch.startedAt ?? null}, ${batch.endedAt ?? null}
      FROM projects ORDER BY id LIMIT 1 RETURNING *
    )
    INSERT INTO batches (id, organization_id, project_id, name, version, parallel_limit, on_failure, job_id, limits, paused_at, paused_by)
    SELECT resource_id, organization_id, project_id, ${batch.name}, 1, ${parallelLimit}, ${onFailure}, id, ${sql.json({ ...limits })},
      ${batch.pausedBy ? '2026-11-23T12:30:00Z' : null}, ${batch.pausedBy ?? null}
    FROM job RETURNING id`;
  if (!row) throw new Error('the batch was not put in');
  const operations = batch.operations.map((operation, position) => ({ ...operation, position }));
  await sql.unsafe(
    `WITH o AS MATERIALIZED (
      SELECT *, uuidv7() AS job_id, uuidv7() AS rollback_job_id FROM jsonb_to_recordset($2::text::jsonb) AS o(id text, position int, type text, region text, state text,
        "dependsOn" text[], "softDependsOn" text[], spec jsonb, "waitUntil" timestamptz, "startedAt" timestamptz, "endedAt" timestamptz,
        error jsonb, job jsonb, "rolledBack" timestamptz[])
    ), planted AS (
      INSERT INTO batch_operations (batch_id, id, position, type, region, state, depends_on, soft_depends_on, spec, wait_until, started_at, ended_at, error, job_id, rollback_job_id)
      SELECT $1::uuid, id, position, coalesce(type, 'volume.create'), coalesce(region, 'tpe-1'), coalesce(state, 'PENDING'), coalesce("dependsOn", '{}'),
        coalesce("softDependsOn", '{}'), coalesce(spec, '{}'), "waitUntil", "startedAt", "endedAt", error, job_id, rollback_job_id FROM o
    ), its_jobs AS (
      INSERT INTO jobs (id, organization_id, project_id, type, state, error, next_attempt_at, resource_id, resource_kind, resource_name, input, workflow_id, batch_id, operation_id, started_at, ended_at)
      SELECT o.job_id, b.organization_id, b.project_id, coalesce(o.type, 'volume.create'), o.job ->> 'state', o.job -> 'error', (o.job ->> 'nextAttemptAt')::timestamptz,
        uuidv7(), 'volume', replace(o.id, '/', '-'), '{}', 'none', b.id, o.id, o."startedAt", o."endedAt" FROM o, batches b WHERE b.id = $1::uuid AND o.job IS NOT NULL
    ), its_rollbacks AS (
      INSERT INTO jobs (id, organization_id, project_id, type, state, resource_id, resource_kind, resource_name, input, workflow_id, batch_id, operation_id, started_at, ended_at)
      SELECT o.rollback_job_id, b.organization_id, b.project_id, 'volume.delete', 'SUCCEEDED', uuidv7(), 'volume', replace(o.id, '/', '-'), '{}', 'none', b.id, o.id,
        o."rolledBack"[1], o."rolledBack"[2] FROM o, batches b WHERE b.id = $1::uuid AND o."rolledBack" IS NOT NULL
    )
    INSERT INTO job_steps (job_id, position, name, state, attempts, started_at)
    SELECT o.job_id, 0, o.job -> 'step' ->> 'name', 'RUNNING', (o.job -> 'step' ->> 'attempts')::int, (o.job -> 'step' ->> 'startedAt')::timestamptz
    FROM o WHERE o.job ? 'step'`,
    [row.id, JSON.stringify(operations)],
  );
  return row.id;
}

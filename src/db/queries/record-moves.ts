import type { TransactionSql } from 'postgres';
import { hasEnded, type JobState, type JobType } from '../../domain/job.ts';
import { httpType, partsOf } from '../../domain/kinds.ts';
import { lives } from '../../domain/life.ts';
import type { Transition } from '../../domain/transition.ts';

/** What a transition needs to know of its job's row. */
export interface JobRow {
  readonly id: string;
  readonly type: JobType;
  readonly state: JobState;
  readonly sequence: number;
  readonly epoch: number;
  readonly organization_id: string;
  readonly project_id: string;
  readonly region: string | null;
  readonly workflow_id: string;
  readonly request_id: string | null;
  readonly traceparent: string | null;
  readonly created_at: Date;
  readonly started_at: Date | null;
  readonly resource_id: string;
  readonly resource_kind: string;
  readonly resource_name: string;
  readonly batch_id: string | null;
  readonly operation_id: string | null;
  readonly parent_job_id: string | null;
  readonly goes_back: boolean | null;
  /** The resource's status before the job was accepted; null for a create. */
  readonly status_before: string | null;
}

/** A move whose resource was not in the state that it leads from, or not locked by its job. */
export interface MissedMove {
  readonly jobId: string;
  readonly type: JobType;
  readonly resourceId: string;
  readonly from: string;
  readonly status: string;
}

/** The rows that one statement's `jsonb_to_recordset` reads. */
export const json = (rows: readonly object[]): string => JSON.stringify(rows);

/** The status that a transition gives its job's resource, and the one it must have had; undefined where it gives none. */
export function moveOf(
  { resource }: Transition,
  { type, status_before }: JobRow,
): { from: string; status: string } | undefined {
  if (!resource || type === 'batch.apply' || type === httpType) return undefined;
  const { kind, verb } = partsOf(type);
  const life = lives[kind][verb];
  return { from: life.during, status: resource === 'untouched' ? (status_before ?? life.undone) : life[resource] };
}

/**
 * Moves resources in their life: only from the state in which their job put them, and only by the job that holds
 * their lock, which is released when the job has ended. What a deleted one held of the quota is given back by the same
 * statement, so exactly once. Gives the moves that found no such resource.
 */
export async function moveResources(
  sql: TransactionSql,
  transitions: readonly Transition[],
  jobs: ReadonlyMap<string, JobRow>,
): Promise<readonly MissedMove[]> {
  const moves = transitions.flatMap((transition) => {
    const job = jobs.get(transition.jobId);
    const move = job && moveOf(transition, job);
    if (!job || !move) return [];
    return [
      {
        ...move,
        id: job.resource_id,
        jobId: job.id,
        type: job.type,
        reason:
          transition.resource === 'done' || transition.resource === 'untouched'
            ? null
            : (transition.error?.message ?? null),
        reference: transition.result?.providerReference ?? null,
        addresses: transition.result?.addresses ?? null,
        release: hasEnded(transition.state),
      },
    ];
  });
  if (moves.length === 0) return [];
  // A statement moves a row once. Of several moves of one job the first is made; the others come to where it led.
  const first = new Map(moves.toReversed().map((move) => [move.jobId, move]));
  const ends = moves.some(({ status }) => status === 'deleted');
  const moved = await sql.unsafe<{ id: string }[]>(
    `WITH t AS MATERIALIZED (
      SELECT * FROM jsonb_to_recordset($1::text::jsonb) AS t(id uuid, "jobId" uuid, "from" text, status text, reason text, reference text, addresses jsonb, release boolean)
    ),
    moved AS (
      UPDATE resources x SET status = t.status, status_reason = t.reason, provider_reference = coalesce(t.reference, x.provider_reference),
        current_job_id = CASE WHEN t.release THEN NULL ELSE x.current_job_id END,
        deleted_at = CASE WHEN t.status = 'deleted' THEN now() END, updated_at = now()
      FROM t WHERE x.id = t.id AND x.current_job_id = t."jobId" AND x.status = t."from"
      RETURNING x.id, x.kind, x.project_id, x.quota, x.status
    ),
    freed AS (
      SELECT project_id,
        sum(coalesce((quota ->> 'vms')::bigint, 0)) AS vms, sum(coalesce((quota ->> 'vcpus')::bigint, 0)) AS vcpus,
        sum(coalesce((quota ->> 'memoryMib')::bigint, 0)) AS memory_mib, sum(coalesce((quota ->> 'storageGib')::bigint, 0)) AS storage_gib,
        sum(coalesce((quota ->> 'networks')::bigint, 0)) AS networks, sum(coalesce((quota ->> 'volumes')::bigint, 0)) AS volumes
      FROM moved WHERE status = 'deleted' GROUP BY project_id
    ),
    -- Of several projects in one order, so that two flushes never wait for each other.
    locked AS MATERIALIZED (
      SELECT q.project_id FROM quotas q JOIN freed f USING (project_id) ORDER BY q.limited_by, q.project_id FOR UPDATE OF q
    ),
    given_back AS (
      UPDATE quotas q SET vms = q.vms - f.vms, vcpus = q.vcpus - f.vcpus, memory_mib = q.memory_mib - f.memory_mib,
        storage_gib = q.storage_gib - f.storage_gib, networks = q.networks - f.networks, volumes = q.volumes - f.volumes
      FROM freed f JOIN locked USING (project_id) WHERE q.project_id = f.project_id
    ),
    ${ends ? endedWith : ''}
    unused AS (
      DELETE FROM resource_uses u USING moved WHERE u.user_id = moved.id AND moved.status = 'deleted'
    ),
    addressed AS (
      UPDATE vms SET addresses = t.addresses FROM t, moved WHERE moved.id = t.id AND vms.resource_id = t.id AND t.addresses IS NOT NULL
    )
    SELECT id FROM moved`,
    [json([...first.values()])],
    { prepare: true },
  );
  const ids = new Set(moved.map(({ id }) => id));
  return moves
    .filter((move) => first.get(move.jobId) !== move || !ids.has(move.id))
    .map(({ jobId, type, id, from, status }) => ({ jobId, type, resourceId: id, from, status }));
}

/** What goes with a resource that is gone: the addresses that it has, and of a network the subnets that came with it. */
const endedWith = `given_addresses AS (
      UPDATE address_assignments a SET released_at = now(), quarantine_until = now() + make_interval(secs => s.quarantine_seconds)
      FROM moved, subnets s
      WHERE moved.status = 'deleted' AND a.owner_id = moved.id AND a.released_at IS NULL AND s.resource_id = a.subnet_id
    ),
    ended_subnets AS (
      UPDATE subnets s SET ended_at = now() FROM moved
      WHERE moved.status = 'deleted' AND s.network_id = moved.id AND s.ended_at IS NULL RETURNING s.resource_id
    ),
    ended_blocks AS (DELETE FROM address_blocks b USING ended_subnets e WHERE b.subnet_id = e.resource_id),
    ended_subnet_resources AS (
      UPDATE resources x SET status = 'deleted', deleted_at = now(), updated_at = now() FROM ended_subnets e
      WHERE x.id = e.resource_id
    ),`;

import { getTableColumns, getTableName } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';
import type { TransactionSql } from 'postgres';
import type { ResourceChange, Use } from '../../domain/change.ts';
import { hasEnded, type JobState, type JobType } from '../../domain/job.ts';
import { httpType, partsOf, type ResourceKind, resourceKinds } from '../../domain/kinds.ts';
import { asBefore, moveFor } from '../../domain/life.ts';
import type { QuotaUse } from '../../domain/quota.ts';
import type { Transition } from '../../domain/transition.ts';
import { bareMetalHosts, buckets, clusters, networks, snapshots, vms, volumes } from '../schema/resources.ts';
import { quotaSql } from './quota.ts';

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
  readonly change: ResourceChange | null;
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
  const move = moveFor(kind, verb);
  const before = status_before ?? (verb === 'create' ? move.undone : 'error');
  const status = resource === 'untouched' ? before : move[resource];
  return { from: move.during, status: status === asBefore ? before : status };
}

/** What a transition changes of its resource beside the state; the rows that one statement reads. */
interface Move {
  readonly id: string;
  readonly jobId: string;
  readonly type: JobType;
  readonly kind: string;
  readonly from: string;
  readonly status: string;
  readonly reason: string | null;
  readonly reference: string | null;
  readonly release: boolean;
  readonly requested: object | null;
  readonly quota: QuotaUse | null;
  /** Columns of the kind's own table. */
  readonly row: object | null;
  /** Uses that end. */
  readonly unused: readonly Use[];
  readonly locks: readonly string[];
}

function changesOf(transition: Transition, job: JobRow): Move | undefined {
  const move = moveOf(transition, job);
  if (!move) return undefined;
  const { resource, result } = transition;
  const change = job.change ?? {};
  const isDone = resource === 'done';
  const isBack = resource === 'undone' || resource === 'untouched';
  const learnt: Readonly<Record<string, unknown>> = {
    ...(result?.addresses ? { addresses: result.addresses } : {}),
    ...result?.row,
  };
  const row = { ...(isDone ? change.row : {}), ...learnt };
  const isUnclean = move.status === 'available' && job.resource_kind === 'bare-metal-host' && !learnt.cleaned_at;
  return {
    ...move,
    // Whoever says that it is done all the same does not wipe it by that.
    ...(isUnclean ? { status: 'clean failed' } : {}),
    id: job.resource_id,
    jobId: job.id,
    type: job.type,
    kind: job.resource_kind,
    reason: isDone || resource === 'untouched' ? null : (transition.error?.message ?? null),
    reference: result?.providerReference ?? null,
    release: hasEnded(transition.state),
    requested: isDone ? (change.requested ?? null) : null,
    quota: quotaAfter(transition, change.quota),
    row: Object.keys(row).length > 0 ? row : null,
    unused: (isDone ? change.ends : isBack ? change.begins : []) ?? [],
    locks: change.locks ?? [],
  };
}

/** What the resource takes from now on. What was held for the job to hand on is given back however the job ends. */
function quotaAfter({ resource, state }: Transition, quota: ResourceChange['quota']): QuotaUse | null {
  if (resource === 'done') return quota?.after ?? null;
  const isBack = resource === 'undone' || resource === 'untouched' || (quota?.meanwhile && hasEnded(state));
  return (isBack && quota?.before) || null;
}

/** Of each kind: its table, and the columns of it that a job may write. */
const tables = {
  vm: vms,
  network: networks,
  volume: volumes,
  snapshot: snapshots,
  bucket: buckets,
  'bare-metal-host': bareMetalHosts,
  cluster: clusters,
} as const satisfies Record<ResourceKind, PgTable>;

/** The columns that the moves write, of one kind. Those that a row does not name stay as they are. */
function written(kind: ResourceKind): string {
  const table = tables[kind];
  const columns = Object.values(getTableColumns(table)).flatMap(({ name }) => (name === 'resource_id' ? [] : [name]));
  const from = columns.map((column) => `p.${column}`).join(', ');
  return `row_of_${kind.replaceAll('-', '_')} AS (
    UPDATE ${getTableName(table)} k SET (${columns.join(', ')}) = (SELECT ${from} FROM jsonb_populate_record(k, t."row") p)
    FROM t JOIN moved ON moved.id = t.id WHERE k.resource_id = t.id AND t.kind = '${kind}' AND t."row" IS NOT NULL
  ),`;
}

/**
 * Moves resources in their life: only from the state in which their job put them, and only by the job that holds
 * their lock, which is released when the job has ended. What a deleted one held of the quota, and what one that was
 * changed holds less than before, is given back by the same statement, so exactly once. Gives the moves that found no
 * such resource.
 */
export async function moveResources(
  sql: TransactionSql,
  transitions: readonly Transition[],
  jobs: ReadonlyMap<string, JobRow>,
): Promise<readonly MissedMove[]> {
  const moves = transitions.flatMap((transition) => {
    const job = jobs.get(transition.jobId);
    return (job && changesOf(transition, job)) ?? [];
  });
  if (moves.length === 0) return [];
  // A statement moves a row once. Of several moves of one job the first is made; the others come to where it led.
  const first = new Map(moves.toReversed().map((move) => [move.jobId, move]));
  // Only what is needed: these statements run several times for each job there is.
  const kinds = resourceKinds.filter((kind) => moves.some((move) => move.row && move.kind === kind));
  const endsUses = moves.some(({ unused }) => unused.length > 0);
  const ends = moves.some(({ status }) => status === 'deleted');
  const locks = moves.some(({ locks }) => locks.length > 0);
  const resizes = moves.some(({ kind, quota }) => kind === 'vm' && quota);
  const moved = await sql.unsafe<{ id: string }[]>(
    `WITH t AS MATERIALIZED (
      SELECT * FROM jsonb_to_recordset($1::text::jsonb) AS t(id uuid, "jobId" uuid, kind text, "from" text, status text, reason text,
        reference text, release boolean, requested jsonb, quota jsonb, "row" jsonb, unused jsonb, locks uuid[])
    ),
    moved AS (
      UPDATE resources x SET status = t.status, status_reason = t.reason, provider_reference = coalesce(t.reference, x.provider_reference),
        current_job_id = CASE WHEN t.release THEN NULL ELSE x.current_job_id END,
        requested = CASE WHEN t.requested IS NULL THEN x.requested ELSE x.requested || t.requested END,
        quota = coalesce(t.quota, x.quota),
        deleted_at = CASE WHEN t.status = 'deleted' THEN now() END, updated_at = now()
      FROM t WHERE x.id = t.id AND x.current_job_id = t."jobId" AND x.status = t."from"
      RETURNING x.id, x.kind, x.project_id, x.status, old.quota AS quota_before,
        CASE WHEN x.status = 'deleted' THEN '{}' ELSE new.quota END AS quota_after
    ),
    freed AS (
      SELECT project_id, ${quotaSql.differences('quota_before', 'quota_after')}
      FROM moved WHERE quota_before <> quota_after GROUP BY project_id
    ),
    -- Of several projects in one order, so that two flushes never wait for each other.
    locked AS MATERIALIZED (
      SELECT q.project_id FROM quotas q JOIN freed f USING (project_id) ORDER BY q.limited_by, q.project_id FOR UPDATE OF q
    ),
    given_back AS (
      UPDATE quotas q SET ${quotaSql.moved('-', 'f')}
      FROM freed f JOIN locked USING (project_id) WHERE q.project_id = f.project_id
    ),
    ${kinds.map(written).join('\n')}
    ${endsUses ? endedUses : ''}
    ${locks ? releasedLocks : ''}
    ${ends ? endedWith : ''}
    ${ends || resizes ? claimsMoved : ''}
    unused AS (
      DELETE FROM resource_uses u USING moved WHERE u.user_id = moved.id AND moved.status = 'deleted'
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
/**
 * What a VM has of its compute host goes with its quota: given back by one that is gone, and made as large as it by one
 * that was resized, or was not after all. Hosts in one order, so that two flushes never wait for each other.
 */
const claimsMoved = `freed_claims AS (
    DELETE FROM placement_claims c USING moved WHERE moved.status = 'deleted' AND c.resource_id = moved.id
    RETURNING c.host_id, c.vcpus, c.memory_mib, c.disk_gib, c.gpus
  ),
  settled_claims AS (
    UPDATE placement_claims c SET vcpus = (quota_after ->> 'vcpus')::int, memory_mib = (quota_after ->> 'memoryMib')::int,
      disk_gib = (quota_after ->> 'storageGib')::int
    FROM moved WHERE moved.kind = 'vm' AND moved.status <> 'deleted' AND quota_before <> quota_after AND c.resource_id = moved.id
    RETURNING c.host_id, old.vcpus - new.vcpus, old.memory_mib - new.memory_mib, old.disk_gib - new.disk_gib, 0
  ),
  less AS (
    SELECT host_id, sum(vcpus)::int AS vcpus, sum(memory_mib)::int AS memory_mib, sum(disk_gib)::int AS disk_gib, sum(gpus)::int AS gpus
    FROM (SELECT * FROM freed_claims UNION ALL SELECT * FROM settled_claims) c GROUP BY host_id
  ),
  locked_hosts AS MATERIALIZED (
    SELECT h.id FROM compute_hosts h JOIN less ON less.host_id = h.id ORDER BY h.id FOR NO KEY UPDATE OF h
  ),
  emptier AS (
    UPDATE compute_hosts h SET used_vcpus = h.used_vcpus - less.vcpus, used_memory_mib = h.used_memory_mib - less.memory_mib,
      used_disk_gib = h.used_disk_gib - less.disk_gib, used_gpus = h.used_gpus - less.gpus, changed_in = pg_current_xact_id()
    FROM less JOIN locked_hosts ON locked_hosts.id = less.host_id WHERE h.id = less.host_id
  ),`;
const endedUses = `ended_uses AS (
    DELETE FROM resource_uses u USING moved JOIN t ON t.id = moved.id, jsonb_to_recordset(t.unused) AS e("user" uuid, used uuid)
    WHERE u.user_id = e."user" AND u.used_id = e.used
  ),`;
const releasedLocks = `released AS (
    UPDATE resources x SET current_job_id = NULL FROM t
    WHERE t.release AND x.id = ANY(t.locks) AND x.id <> t.id AND x.current_job_id = t."jobId"
  ),`;

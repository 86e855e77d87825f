import type { Sql, TransactionSql } from 'postgres';
import type { Candidate, Room } from '../../domain/candidate.ts';
import type { Explanation, VmPlacement } from '../../domain/placement.ts';
import { iso } from './iso.ts';

type Session = Sql | TransactionSql;

/** Who claims: what is placed, and the job that is at work on it. */
export interface Claimant {
  readonly key: string;
  readonly jobId: string;
}

/** `held`: the host that it has, from now on or from before. `gone`: the job is no longer at work. */
export type Claimed =
  | { readonly held: { readonly id: string; readonly name: string } }
  | { readonly refused: 'changed' | 'gone' };

const atWork = `working AS MATERIALIZED (
    SELECT FROM resources WHERE id = $1 AND current_job_id = $2 AND deleted_at IS NULL FOR SHARE
  )`;

const claimStatement = `WITH ${atWork},
  held AS MATERIALIZED (SELECT host_id FROM placement_claims WHERE resource_id = $1),
  taken AS (
    UPDATE compute_hosts h SET used_vcpus = h.used_vcpus + $5, used_memory_mib = h.used_memory_mib + $6,
      used_disk_gib = h.used_disk_gib + $7, used_gpus = h.used_gpus + $8, changed_in = pg_current_xact_id()
    WHERE h.id = $3 AND h.shape = $4 AND NOT EXISTS (SELECT FROM held) AND EXISTS (SELECT FROM working)
      AND h.used_vcpus + $5 <= floor(h.vcpus * h.cpu_ratio) AND h.used_memory_mib + $6 <= h.memory_mib
      AND h.used_disk_gib + $7 <= h.disk_gib AND h.used_gpus + $8 <= h.gpus
    RETURNING h.id
  ),
  given AS (
    INSERT INTO placement_claims (resource_id, host_id, job_id, vcpus, memory_mib, disk_gib, gpus, explanation)
    SELECT $1, id, $2, $5, $6, $7, $8, $9::text::jsonb FROM taken RETURNING host_id
  )
  SELECT EXISTS (SELECT FROM working) AS working,
    (SELECT host_id FROM held UNION ALL SELECT host_id FROM given LIMIT 1) AS "hostId",
    (SELECT h.name FROM compute_hosts h JOIN held ON h.id = held.host_id) AS "heldName"`;

/**
 * Claims room on a host in one statement, if it still has it and is what it was when it was chosen. What has a claim
 * keeps it, whatever is asked for by then.
 */
export async function claimRoom(
  sql: Session,
  { key, jobId }: Claimant,
  host: Candidate,
  room: Room,
  explanation: Explanation,
): Promise<Claimed> {
  const { vcpus, memoryMib, diskGib, gpus } = room;
  const [row] = await sql.unsafe<{ working: boolean; hostId: string | null; heldName: string | null }[]>(
    claimStatement,
    [key, jobId, host.id, host.shape, vcpus, memoryMib, diskGib, gpus, JSON.stringify(explanation)],
    { prepare: true },
  );
  if (row?.hostId) return { held: { id: row.hostId, name: row.heldName ?? host.name } };
  return { refused: row?.working ? 'changed' : 'gone' };
}

/** The host of what has a claim. */
export async function hostOf(sql: Session, key: string): Promise<{ id: string; name: string } | undefined> {
  const [host] = await sql<{ id: string; name: string }[]>`
    SELECT h.id, h.name FROM placement_claims c JOIN compute_hosts h ON h.id = c.host_id WHERE c.resource_id = ${key}`;
  return host;
}

/** Gives back what it has; what has none already stays so. */
export async function freeClaim(sql: Session, key: string): Promise<void> {
  await sql`
    WITH freed AS (DELETE FROM placement_claims WHERE resource_id = ${key} RETURNING *)
    UPDATE compute_hosts h SET used_vcpus = h.used_vcpus - f.vcpus, used_memory_mib = h.used_memory_mib - f.memory_mib,
      used_disk_gib = h.used_disk_gib - f.disk_gib, used_gpus = h.used_gpus - f.gpus, changed_in = pg_current_xact_id()
    FROM freed f WHERE h.id = f.host_id`;
}

const resizeStatement = `WITH ${atWork},
  held AS MATERIALIZED (
    SELECT host_id, $3 - vcpus AS vcpus, $4 - memory_mib AS memory_mib, $5 - disk_gib AS disk_gib
    FROM placement_claims WHERE resource_id = $1 FOR UPDATE
  ),
  taken AS (
    UPDATE compute_hosts h SET used_vcpus = h.used_vcpus + d.vcpus, used_memory_mib = h.used_memory_mib + d.memory_mib,
      used_disk_gib = h.used_disk_gib + d.disk_gib, changed_in = pg_current_xact_id()
    FROM held d WHERE h.id = d.host_id AND EXISTS (SELECT FROM working)
      AND (d.vcpus <= 0 OR h.used_vcpus + d.vcpus <= floor(h.vcpus * h.cpu_ratio))
      AND (d.memory_mib <= 0 OR h.used_memory_mib + d.memory_mib <= h.memory_mib)
      AND (d.disk_gib <= 0 OR h.used_disk_gib + d.disk_gib <= h.disk_gib)
    RETURNING h.id
  ),
  changed AS (
    UPDATE placement_claims c SET vcpus = $3, memory_mib = $4, disk_gib = $5 FROM taken WHERE c.resource_id = $1
  )
  SELECT h.name AS host, EXISTS (SELECT FROM working) AS working, EXISTS (SELECT FROM taken) AS taken,
    jsonb_build_object('vcpus', floor(h.vcpus * h.cpu_ratio) - h.used_vcpus, 'memoryMib', h.memory_mib - h.used_memory_mib,
      'diskGib', h.disk_gib - h.used_disk_gib) AS free
  FROM held JOIN compute_hosts h ON h.id = held.host_id`;

/**
 * Changes what it has to so much, on the host where it is. Gives that host and what is free there where that is not
 * enough. What has no claim needs none.
 */
export async function resizeClaim(
  sql: Session,
  { key, jobId }: Claimant,
  { vcpus, memoryMib, diskGib }: Omit<Room, 'gpus'>,
): Promise<{ readonly host: string; readonly free: Omit<Room, 'gpus'> } | 'gone' | undefined> {
  const [row] = await sql.unsafe<{ host: string; working: boolean; taken: boolean; free: Omit<Room, 'gpus'> }[]>(
    resizeStatement,
    [key, jobId, vcpus, memoryMib, diskGib],
    { prepare: true },
  );
  if (!row || row.taken) return undefined;
  return row.working ? row : 'gone';
}

export async function placementOf(sql: Session, vmId: string): Promise<VmPlacement | undefined> {
  const [placement] = await sql.unsafe<VmPlacement[]>(
    `SELECT jsonb_build_object('id', x.id, 'name', x.name) AS vm,
      jsonb_build_object('id', h.id, 'name', h.name, 'rack', r.name, 'maintenance', h.maintenance) AS host,
      jsonb_build_object('vcpus', c.vcpus, 'memoryMib', c.memory_mib, 'diskGib', c.disk_gib, 'gpus', c.gpus) AS claimed,
      ${iso('c.claimed_at')} AS "placedAt", c.job_id AS "jobId", c.explanation
    FROM placement_claims c JOIN resources x ON x.id = c.resource_id AND x.deleted_at IS NULL
    JOIN compute_hosts h ON h.id = c.host_id LEFT JOIN racks r ON r.id = h.rack_id WHERE c.resource_id = $1`,
    [vmId],
    { prepare: true },
  );
  return placement;
}

/** Hosts whose used room is not the sum of the claims on them. Nothing is mended. */
export const claimDifferences = (sql: Session) => sql<{ host: string; recorded: number[]; counted: number[] }[]>`
  SELECT h.name AS host, ARRAY[h.used_vcpus, h.used_memory_mib, h.used_disk_gib, h.used_gpus] AS recorded, n.counted
  FROM compute_hosts h CROSS JOIN LATERAL (
    SELECT ARRAY[coalesce(sum(vcpus), 0), coalesce(sum(memory_mib), 0), coalesce(sum(disk_gib), 0), coalesce(sum(gpus), 0)]::int[] AS counted
    FROM placement_claims c WHERE c.host_id = h.id) n
  WHERE ARRAY[h.used_vcpus, h.used_memory_mib, h.used_disk_gib, h.used_gpus] <> n.counted`;

import type { Sql, TransactionSql } from 'postgres';
import type { Candidate, PlacedVm } from '../../domain/candidate.ts';
import { isId } from '../../domain/common.ts';
import type { ComputeHost } from '../../domain/compute-host.ts';
import { iso } from './iso.ts';
import { afterOf, type Page, type PageRequest, toPage } from './pages.ts';

type Session = Sql | TransactionSql;

const used = `jsonb_build_object('vcpus', h.used_vcpus, 'memoryMib', h.used_memory_mib, 'diskGib', h.used_disk_gib, 'gpus', h.used_gpus)`;
const columns = `h.id, h.name, h.region, h.provider, r.name AS rack, h.labels, h.groups, h.vcpus, h.memory_mib AS "memoryMib",
  h.disk_gib AS "diskGib", h.gpus, h.cpu_ratio AS "cpuRatio", h.maintenance, ${used} AS used,
  (SELECT count(*)::int FROM placement_claims c WHERE c.host_id = h.id) AS vms, ${iso('h.created_at')} AS "createdAt"`;
const source = 'compute_hosts h LEFT JOIN racks r ON r.id = h.rack_id';

export interface ComputeHostFilter {
  readonly region?: string | undefined;
  readonly rack?: string | undefined;
  readonly group?: string | undefined;
}

export async function listComputeHosts(
  sql: Sql,
  { region, rack, group }: ComputeHostFilter,
  { limit, cursor }: PageRequest,
): Promise<Page<ComputeHost>> {
  const rows = await sql.unsafe<ComputeHost[]>(
    `SELECT ${columns} FROM ${source}
    WHERE ($1::uuid IS NULL OR h.id > $1) AND ($3::text IS NULL OR h.region = $3) AND ($4::text IS NULL OR r.name = $4)
      AND ($5::text IS NULL OR $5 = ANY(h.groups))
    ORDER BY h.id LIMIT $2`,
    [afterOf(cursor), limit + 1, region ?? null, rack ?? null, group ?? null],
    { prepare: true },
  );
  return toPage(rows, limit, (row) => row);
}

/** By name or id. */
export async function findComputeHost(sql: Session, reference: string): Promise<ComputeHost | undefined> {
  const by = isId(reference) ? 'h.id = $1::uuid' : 'h.name = $1::text';
  const rows = await sql.unsafe<ComputeHost[]>(`SELECT ${columns} FROM ${source} WHERE ${by}`, [reference]);
  return rows[0];
}

const candidateColumns = `h.id, h.name, h.region, h.provider, r.name AS rack, h.labels, h.groups, h.maintenance, h.shape, ${used} AS used,
  jsonb_build_object('vcpus', floor(h.vcpus * h.cpu_ratio), 'memoryMib', h.memory_mib, 'diskGib', h.disk_gib, 'gpus', h.gpus) AS total`;

interface CandidatesSeen {
  readonly hosts: readonly Candidate[];
  /** What was changed since, or not yet committed, is at or after it: the `since` of the next look. */
  readonly horizon: string;
}

/** The hosts that were changed since an earlier look; all without one. Those that are gone are not told of. */
export async function candidates(sql: Session, since: string | null): Promise<CandidatesSeen> {
  // The horizon of the very statement that reads the rows, which is there where no row is.
  const rows = await sql.unsafe<(Candidate & { horizon: string })[]>(
    `SELECT ${candidateColumns}, z.horizon::text AS horizon
    FROM (SELECT pg_snapshot_xmin(pg_current_snapshot()) AS horizon) z
    LEFT JOIN compute_hosts h ON $1::text IS NULL OR h.changed_in >= ($1::text)::xid8
    LEFT JOIN racks r ON r.id = h.rack_id`,
    [since],
    { prepare: true },
  );
  const horizon = rows[0]?.horizon ?? since ?? '0';
  return { hosts: rows.flatMap(({ horizon: _, ...host }) => (host.id === null ? [] : [host])), horizon };
}

export async function candidate(sql: Session, id: string): Promise<Candidate | undefined> {
  const [host] = await sql.unsafe<Candidate[]>(`SELECT ${candidateColumns} FROM ${source} WHERE h.id = $1`, [id], {
    prepare: true,
  });
  return host;
}

/** What else is placed of the project of this resource. */
export const placedBeside = (sql: Session, resourceId: string): Promise<PlacedVm[]> =>
  sql.unsafe<PlacedVm[]>(
    `SELECT x.id, x.name, x.labels, c.host_id AS "hostId", r.name AS rack
    FROM resources me JOIN resources x ON x.project_id = me.project_id AND x.kind = 'vm' AND x.deleted_at IS NULL AND x.id <> me.id
    JOIN placement_claims c ON c.resource_id = x.id JOIN compute_hosts h ON h.id = c.host_id LEFT JOIN racks r ON r.id = h.rack_id
    WHERE me.id = $1`,
    [resourceId],
    { prepare: true },
  );

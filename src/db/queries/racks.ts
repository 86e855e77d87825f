import type { Sql } from 'postgres';
import { isId } from '../../domain/common.ts';
import type { Elevation, HostGroup, Rack } from '../../domain/rack.ts';
import { iso } from './iso.ts';
import { afterOf, type Page, type PageRequest, toPage } from './pages.ts';

const rackColumns = `r.id, r.name, r.region, r.height_units AS "heightUnits", ${iso('r.created_at')} AS "createdAt"`;
const groupColumns = `g.id, g.name, ${iso('g.created_at')} AS "createdAt",
  coalesce((SELECT jsonb_agg(jsonb_build_object('id', h.id, 'name', h.name) ORDER BY h.name, h.id)
    FROM host_group_members m JOIN resources h ON h.id = m.host_id AND h.deleted_at IS NULL WHERE m.group_id = g.id), '[]') AS hosts`;

export async function listRacks(sql: Sql, { limit, cursor }: PageRequest): Promise<Page<Rack>> {
  const rows = await sql.unsafe<Rack[]>(
    `SELECT ${rackColumns} FROM racks r WHERE $1::uuid IS NULL OR r.id > $1 ORDER BY r.id LIMIT $2`,
    [afterOf(cursor), limit + 1],
    { prepare: true },
  );
  return toPage(rows, limit, (row) => row);
}

/** By name or id. */
export async function findRack(sql: Sql, reference: string): Promise<Rack | undefined> {
  const by = isId(reference) ? 'r.id = $1::uuid' : 'r.name = $1::text';
  const rows = await sql.unsafe<Rack[]>(`SELECT ${rackColumns} FROM racks r WHERE ${by}`, [reference]);
  return rows[0];
}

type Unit = Elevation['units'][number];

/** The rack with what stands in each of its units, the highest first. */
export async function elevationOf(sql: Sql, reference: string): Promise<Elevation | undefined> {
  const rack = await findRack(sql, reference);
  if (!rack) return undefined;
  const filled = await sql<(NonNullable<Unit['host']> & { unit: number })[]>`
    SELECT u.unit, h.id, h.name, h.status, k.power, k.maintenance, k.repair
    FROM rack_units u JOIN resources h ON h.id = u.host_id AND h.deleted_at IS NULL JOIN bare_metal_hosts k ON k.resource_id = h.id
    WHERE u.rack_id = ${rack.id}`;
  const hosts = new Map(filled.map(({ unit, ...host }) => [unit, host]));
  const units = Array.from({ length: rack.heightUnits }, (_, index) => rack.heightUnits - index);
  return { ...rack, units: units.map((unit) => ({ unit, host: hosts.get(unit) ?? null })) };
}

export async function listHostGroups(sql: Sql, { limit, cursor }: PageRequest): Promise<Page<HostGroup>> {
  const rows = await sql.unsafe<HostGroup[]>(
    `SELECT ${groupColumns} FROM host_groups g WHERE $1::uuid IS NULL OR g.id > $1 ORDER BY g.id LIMIT $2`,
    [afterOf(cursor), limit + 1],
    { prepare: true },
  );
  return toPage(rows, limit, (row) => row);
}

/** By name or id. */
export async function findHostGroup(sql: Sql, reference: string): Promise<HostGroup | undefined> {
  const by = isId(reference) ? 'g.id = $1::uuid' : 'g.name = $1::text';
  const rows = await sql.unsafe<HostGroup[]>(`SELECT ${groupColumns} FROM host_groups g WHERE ${by}`, [reference]);
  return rows[0];
}

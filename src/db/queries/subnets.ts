import type { Sql, TransactionSql } from 'postgres';
import { familyOf } from '../../domain/address-space.ts';
import { isId } from '../../domain/common.ts';
import type { Address, AssignmentView, Subnet } from '../../domain/subnet.ts';
import { useOf } from './address-use.ts';
import { iso } from './iso.ts';
import { afterOf, type Page, type PageRequest, toPage } from './pages.ts';

type Connection = Sql | TransactionSql;
type Row = Omit<Subnet, 'family' | 'use'> & { readonly used: number; readonly quarantined: number };

const nobody = '00000000-0000-0000-0000-000000000000';

const selectSubnets = `SELECT x.id, x.name, x.region, jsonb_build_object('id', n.id, 'name', n.name) AS network,
    CASE WHEN v.name <> n.id::text THEN v.name END AS vrf, text(s.cidr) AS cidr, host(s.gateway) AS gateway, s.reserved,
    s.dynamic_range AS "dynamicRange", s.dns_servers AS "dnsServers", s.domain, s.lease_seconds AS "leaseSeconds",
    s.quarantine_seconds AS "quarantineSeconds", ${iso('x.created_at')} AS "createdAt", u.used, u.quarantined
  FROM resources x JOIN subnets s ON s.resource_id = x.id JOIN resources n ON n.id = s.network_id JOIN vrfs v ON v.id = s.vrf_id
  CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE released_at IS NULL)::float8 AS used,
      count(*) FILTER (WHERE quarantine_until > now())::float8 AS quarantined
    FROM address_assignments a WHERE a.subnet_id = x.id AND a.freed_at IS NULL
  ) u
  WHERE x.project_id = $1 AND x.kind = 'subnet' AND x.deleted_at IS NULL`;

function viewOf({ used, quarantined, ...row }: Row): Subnet {
  const shape = { ...row, blockBits: 0 };
  const { quarantineEndsAt: _, ...use } = useOf(shape, { used, quarantined, quarantineEndsAt: null });
  return { ...row, family: familyOf(row.cidr) === 'ipv4' ? 4 : 6, use };
}

/** A subnet of a project by id or name; undefined where there is none. */
export async function findSubnet(sql: Connection, projectId: string, reference: string): Promise<Subnet | undefined> {
  const by = isId(reference) ? 'x.id = $2::uuid' : 'x.name = $2::text';
  const [row] = await sql.unsafe<Row[]>(`${selectSubnets} AND ${by}`, [projectId, reference], { prepare: true });
  return row && viewOf(row);
}

/** The oldest first; of one network alone, where it is given. */
export async function listSubnets(
  sql: Sql,
  projectId: string,
  networkId: string | undefined,
  page: PageRequest,
): Promise<Page<Subnet>> {
  const rows = await sql.unsafe<Row[]>(
    `${selectSubnets} AND x.id > coalesce($2::uuid, '${nobody}') AND ($4::uuid IS NULL OR n.id = $4::uuid) ORDER BY x.id LIMIT $3`,
    [projectId, afterOf(page.cursor), page.limit + 1, networkId ?? null],
    { prepare: true },
  );
  return toPage(rows, page.limit, viewOf);
}

/** What is assigned in a subnet, and what is not free again yet; in the order in which it was given. */
export async function listAssignments(sql: Sql, subnetId: string, page: PageRequest): Promise<Page<AssignmentView>> {
  const rows = await sql.unsafe<AssignmentView[]>(
    `SELECT a.id, host(a.address) AS address, a.kind, a.hostname,
      jsonb_build_object('id', x.id, 'kind', x.kind, 'name', x.name) AS owner, ${iso('a.assigned_at')} AS "assignedAt",
      ${iso('a.released_at')} AS "releasedAt", ${iso('a.quarantine_until')} AS "quarantineUntil"
    FROM address_assignments a JOIN resources x ON x.id = a.owner_id
    WHERE a.subnet_id = $1 AND a.freed_at IS NULL AND (a.quarantine_until IS NULL OR a.quarantine_until > now())
      AND a.id > coalesce($2::uuid, '${nobody}') ORDER BY a.id LIMIT $3`,
    [subnetId, afterOf(page.cursor), page.limit + 1],
    { prepare: true },
  );
  return toPage(rows, page.limit, (row) => row);
}

const selectAddresses = `SELECT x.id, x.name, x.region, host(a.address) AS address, a.kind, a.hostname,
    jsonb_build_object('id', s.id, 'name', s.name) AS subnet, ${iso('x.created_at')} AS "createdAt"
  FROM resources x JOIN address_assignments a ON a.owner_id = x.id AND a.released_at IS NULL JOIN resources s ON s.id = a.subnet_id
  WHERE x.project_id = $1 AND x.kind = 'address' AND x.deleted_at IS NULL`;

/** An address that the project has reserved, by id or name; undefined where there is none. */
export async function findAddress(sql: Connection, projectId: string, reference: string): Promise<Address | undefined> {
  const by = isId(reference) ? 'x.id = $2::uuid' : 'x.name = $2::text';
  const [row] = await sql.unsafe<Address[]>(`${selectAddresses} AND ${by}`, [projectId, reference], { prepare: true });
  return row;
}

/** The oldest first. */
export async function listAddresses(sql: Sql, projectId: string, page: PageRequest): Promise<Page<Address>> {
  const rows = await sql.unsafe<Address[]>(
    `${selectAddresses} AND x.id > coalesce($2::uuid, '${nobody}') ORDER BY x.id LIMIT $3`,
    [projectId, afterOf(page.cursor), page.limit + 1],
    { prepare: true },
  );
  return toPage(rows, page.limit, (row) => row);
}

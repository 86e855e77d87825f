import type { Sql } from 'postgres';
import { familyOf, prefixOf } from '../../domain/address-space.ts';
import { type DnsRecord, type Lease, reverseName } from '../../domain/subnet.ts';
import { afterOf, type Page, type PageRequest, toPage } from './pages.ts';

type Row = Omit<Lease, 'prefix'> & { readonly cidr: string };

/** The hosts of a region that have an address, in the order in which they got it. */
async function hostsOf(sql: Sql, region: string, page: PageRequest): Promise<readonly Row[]> {
  return await sql<Row[]>`
    SELECT a.id, a.owner_id AS key, a.hostname, host(a.address) AS address, text(s.cidr) AS cidr, host(s.gateway) AS gateway,
      s.dns_servers AS "dnsServers", s.domain, s.lease_seconds AS "leaseSeconds", s.network_id AS network
    FROM address_assignments a JOIN subnets s ON s.resource_id = a.subnet_id JOIN resources x ON x.id = s.resource_id
    WHERE x.region = ${region} AND a.released_at IS NULL
      AND a.id > coalesce(${afterOf(page.cursor)}::uuid, '00000000-0000-0000-0000-000000000000')
    ORDER BY a.id LIMIT ${page.limit + 1}`;
}

/** What the DHCP servers of a region are to hand out. */
export async function listLeases(sql: Sql, region: string, page: PageRequest): Promise<Page<Lease>> {
  return toPage(await hostsOf(sql, region, page), page.limit, ({ cidr, ...row }) => ({
    ...row,
    prefix: prefixOf(cidr),
  }));
}

/** What DNS has of the hosts of a region: their records, and the names of the reverse ones. */
export async function listDnsRecords(sql: Sql, region: string, page: PageRequest): Promise<Page<DnsRecord>> {
  return toPage(await hostsOf(sql, region, page), page.limit, ({ id, key, hostname, domain, address }) => ({
    id,
    name: [hostname ?? key, ...(domain ? [domain] : [])].join('.'),
    type: familyOf(address) === 'ipv4' ? ('A' as const) : ('AAAA' as const),
    address,
    ptr: reverseName(address),
  }));
}

import type { Sql, TransactionSql } from 'postgres';
import { reservedCount, type SubnetShape, sizeOf, spanOf } from '../../domain/address-space.ts';
import { bitOf, blockIn } from './address-blocks.ts';
import { iso } from './iso.ts';

/** How many addresses of a subnet are what. Beyond 2^53, as in an IPv6 subnet, the nearest number. */
export interface SubnetUse {
  readonly total: number;
  readonly used: number;
  readonly reserved: number;
  readonly quarantined: number;
  readonly free: number;
  /** Of what is not reserved, what is used or in quarantine. */
  readonly percent: number;
  /** When the first address leaves quarantine. */
  readonly quarantineEndsAt: string | null;
}

export async function subnetUse(
  sql: Sql | TransactionSql,
  subnet: SubnetShape & { readonly id: string },
): Promise<SubnetUse> {
  const [counted] = await sql<{ used: number; quarantined: number; quarantineEndsAt: string | null }[]>`
    SELECT count(*) FILTER (WHERE released_at IS NULL)::float8 AS used,
      count(*) FILTER (WHERE quarantine_until > now())::float8 AS quarantined,
      ${sql.unsafe(iso('min(quarantine_until) FILTER (WHERE quarantine_until > now())'))} AS "quarantineEndsAt"
    FROM address_assignments WHERE subnet_id = ${subnet.id} AND freed_at IS NULL`;
  return useOf(subnet, counted ?? { used: 0, quarantined: 0, quarantineEndsAt: null });
}

interface Counted {
  readonly used: number;
  readonly quarantined: number;
  readonly quarantineEndsAt: string | null;
}

export function useOf(subnet: SubnetShape, { used, quarantined, quarantineEndsAt }: Counted): SubnetUse {
  const total = sizeOf(spanOf(subnet.cidr));
  const reserved = reservedCount(subnet);
  const givable = Number(total - reserved);
  const free = Number(total - reserved - BigInt(used + quarantined));
  const percent = givable === 0 ? 100 : Math.round((1000 * (used + quarantined)) / givable) / 10;
  return { total: Number(total), used, reserved: Number(reserved), quarantined, free, percent, quarantineEndsAt };
}

export interface AddressDifference {
  readonly subnetId: string;
  readonly first: string;
  /** Of 64 bits, from the left; null: there is no such block. */
  readonly recorded: string | null;
  readonly counted: string;
}

/**
 * Where a block does not say what the assignments do: that what is assigned, or not free yet, is taken, and nothing else. Of
 * subnets that have ended there are no blocks any more. Nothing is mended.
 */
export const addressDifferences = (sql: Sql): Promise<readonly AddressDifference[]> =>
  sql.unsafe<AddressDifference[]>(`
    WITH counted AS (
      SELECT subnet_id, first, bit_or(${bitOf('address', 'first')}) AS taken FROM (
        SELECT a.subnet_id, a.address, ${blockIn('a.address', 's.block_bits')} AS first
        FROM address_assignments a JOIN subnets s ON s.resource_id = a.subnet_id
        WHERE a.freed_at IS NULL AND s.ended_at IS NULL
      ) a GROUP BY subnet_id, first
    )
    SELECT coalesce(b.subnet_id, c.subnet_id) AS "subnetId", host(coalesce(b.first, c.first)) AS first,
      b.taken::text AS recorded, coalesce(c.taken, repeat('0', 64)::bit(64))::text AS counted
    FROM address_blocks b FULL JOIN counted c ON c.subnet_id = b.subnet_id AND c.first = b.first
    WHERE b.taken IS DISTINCT FROM coalesce(c.taken, repeat('0', 64)::bit(64))
    ORDER BY 1, 2`);

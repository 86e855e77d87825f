import type { Sql, TransactionSql } from 'postgres';
import {
  addressText,
  blockOf,
  dynamicSpan,
  familyOf,
  largestBlockBits,
  missingBlocks,
  type NewBlock,
  newBlocks,
} from '../../domain/address-space.ts';
import type { StoredSubnet } from './subnet-shapes.ts';

/** What a claim adds at once where no block has room. */
const openedAtOnce = 8;
/** Of those that other transactions are about to add, others are tried instead. */
const candidates = 64;
/** What a subnet begins with: of a small one all, so that no transaction has any of them to itself by adding it. */
const firstBlocks = 256;
const reclaimedAtOnce = 256;

/** SQL for the block that an address is in: its first address. `address` and `bits` are SQL. */
export const blockIn = (address: string, bits: string): string =>
  `set_masklen(network(set_masklen(${address}, CASE family(${address}) WHEN 4 THEN 32 ELSE 128 END - ${bits}))::inet,
    CASE family(${address}) WHEN 4 THEN 32 ELSE 128 END)`;
/** SQL for a block in which the one bit of an address is set. */
export const bitOf = (address: string, first: string): string =>
  `set_bit(repeat('0', 64)::bit(64), (${address} - ${first})::int, 1)`;

/**
 * Adds blocks with room to a subnet: `opened` is how many. `isComplete`: there is none that could be added, now or when
 * the transactions under way have ended.
 */
export async function openBlocks(
  sql: Sql | TransactionSql,
  subnet: StoredSubnet,
  atMost = openedAtOnce,
): Promise<{ opened: number; isComplete: boolean }> {
  const family = familyOf(subnet.cidr);
  const { first } = blockOf(subnet, addressText(family, dynamicSpan(subnet).first));
  const size = 2 ** subnet.blockBits;
  const gaps = await sql<{ after: string | null; before: string | null }[]>`
    WITH bounds AS (
      SELECT NULL::inet AS after, (SELECT min(first) FROM address_blocks WHERE subnet_id = ${subnet.id} AND first >= ${first}) AS before
      UNION ALL
      SELECT first, lead(first) OVER (ORDER BY first) FROM address_blocks WHERE subnet_id = ${subnet.id} AND first >= ${first}
    )
    SELECT host(after) AS after, host(before) AS before FROM bounds
    WHERE after IS NULL OR before IS NULL OR before - 1 <> after + ${size - 1}::int
    ORDER BY bounds.after NULLS FIRST LIMIT 100`;
  const missing: string[] = [];
  const wanted = Math.max(candidates, atMost);
  for (const gap of gaps) missing.push(...missingBlocks(subnet, gap, wanted - missing.length));
  if (missing.length === 0) return { opened: 0, isComplete: true };
  const opened = await insertBlocks(sql, subnet, newBlocks(subnet, missing), atMost);
  return { opened, isComplete: false };
}

/** The blocks that a subnet begins with. */
export const openFirstBlocks = (sql: Sql | TransactionSql, subnet: StoredSubnet): Promise<unknown> =>
  openBlocks(sql, subnet, subnet.blockBits < largestBlockBits ? firstBlocks : openedAtOnce);

/** Adds the block that one address is in, whether or not it has others to give. */
export const openBlockOf = (sql: Sql | TransactionSql, subnet: StoredSubnet, address: string): Promise<number> =>
  insertBlocks(sql, subnet, newBlocks(subnet, [blockOf(subnet, address).first]), 1);

/**
 * Waits for nobody: a block that another transaction is adding is left to it. The subnet is held in its shape meanwhile;
 * nothing is added for one that has changed.
 */
async function insertBlocks(
  sql: Sql | TransactionSql,
  { id, shape }: StoredSubnet,
  blocks: readonly NewBlock[],
  atMost: number,
): Promise<number> {
  const added = await sql`
    WITH held AS MATERIALIZED (
      SELECT resource_id FROM subnets WHERE resource_id = ${id} AND shape = ${shape} AND ended_at IS NULL FOR SHARE SKIP LOCKED
    ),
    mine AS MATERIALIZED (
      SELECT b.* FROM jsonb_to_recordset(${JSON.stringify(blocks)}::text::jsonb) AS b(first inet, reserved bit(64), static_only bit(64)), held
      WHERE pg_try_advisory_xact_lock(hashtextextended(${id} || host(b.first), 0)) LIMIT ${atMost}
    )
    INSERT INTO address_blocks (subnet_id, first, taken, reserved, static_only)
    SELECT ${id}, m.first, repeat('0', 64)::bit(64), m.reserved, m.static_only FROM mine m
    ON CONFLICT DO NOTHING RETURNING 1`;
  return added.length;
}

/** Makes free what has been in quarantine for long enough: of how many addresses. Of one address alone, where it is given. */
export async function reclaim(
  sql: Sql | TransactionSql,
  { id, blockBits }: StoredSubnet,
  address: string | null = null,
): Promise<number> {
  const freed = await sql.unsafe(
    `WITH due AS MATERIALIZED (
      SELECT a.id, a.address, ${blockIn('a.address', '$2::int')} AS first FROM address_assignments a
      WHERE a.subnet_id = $1 AND a.released_at IS NOT NULL AND a.freed_at IS NULL AND a.quarantine_until <= now()
        AND ($3::inet IS NULL OR a.address = $3::inet)
      ORDER BY a.quarantine_until LIMIT ${reclaimedAtOnce} FOR UPDATE SKIP LOCKED
    ),
    blocks AS MATERIALIZED (
      SELECT b.first FROM address_blocks b WHERE b.subnet_id = $1 AND b.first IN (SELECT first FROM due) FOR UPDATE SKIP LOCKED
    ),
    freed AS (
      UPDATE address_assignments a SET freed_at = now() FROM due JOIN blocks b USING (first) WHERE a.id = due.id
      RETURNING a.address, b.first
    ),
    cleared AS (
      UPDATE address_blocks b SET taken = b.taken & ~f.bits
      FROM (SELECT first, bit_or(${bitOf('address', 'first')}) AS bits FROM freed GROUP BY first) f
      WHERE b.subnet_id = $1 AND b.first = f.first
    )
    SELECT 1 FROM freed`,
    [id, blockBits, address],
    { prepare: true },
  );
  return freed.length;
}

import type { TransactionSql } from 'postgres';
import { v7 as newId } from 'uuid';
import {
  addressText,
  blockBitsOf,
  familyOf,
  grownTo,
  isAddressIn,
  newBlocks,
  partsOf,
  prefixOf,
  rangesWithin,
  reservedSpans,
  usualGateway,
} from '../../domain/address-space.ts';
import { MillwrightError } from '../../errors.ts';
import { isOverlap } from '../client.ts';
import { bitOf, blockIn, openFirstBlocks } from './address-blocks.ts';
import { readSubnet, type StoredSubnet } from './subnet-shapes.ts';

const shortestPrefix = { ipv4: 8, ipv6: 32 } as const;
const longestPrefix = { ipv4: 29, ipv6: 120 } as const;
const mostBits = 8;
/** A name has at most 63 characters; this leaves room for a number. */
const longestBase = 56;

/** Held until the transaction ends, so that no block is added meanwhile; claims of what is there go on until it is rebuilt. */
async function lockSubnet(sql: TransactionSql, id: string): Promise<StoredSubnet> {
  await sql`SELECT FROM subnets WHERE resource_id = ${id} FOR UPDATE`;
  return await readSubnet(sql, id);
}

/** Makes the prefix of a subnet shorter: its new block holds the old one. Throws `conflict` where another subnet of its VRF is in the way. */
export async function growSubnet(sql: TransactionSql, id: string, prefix: number): Promise<string> {
  const subnet = await lockSubnet(sql, id);
  const [now, shortest] = [prefixOf(subnet.cidr), shortestPrefix[familyOf(subnet.cidr)]];
  if (prefix >= now || prefix < shortest) {
    throw new MillwrightError(
      'invalid',
      `Subnet "${subnet.name}" (${subnet.cidr}) can grow to a prefix from /${shortest} to /${now - 1}; asked for: /${prefix}.`,
    );
  }
  const cidr = grownTo(subnet.cidr, prefix);
  const [inTheWay] = await sql<{ name: string; cidr: string }[]>`
    SELECT x.name, text(s.cidr) AS cidr FROM subnets s JOIN resources x ON x.id = s.resource_id
    WHERE s.vrf_id = ${subnet.vrfId} AND s.resource_id <> ${id} AND s.ended_at IS NULL AND s.cidr && ${cidr}::cidr LIMIT 1`;
  const refusal = (other: string): MillwrightError =>
    new MillwrightError('conflict', `Subnet "${subnet.name}" cannot grow to ${cidr}: ${other} of its VRF is in that.`);
  if (inTheWay) throw refusal(`subnet "${inTheWay.name}" (${inTheWay.cidr})`);
  await reshape(sql, { ...subnet, cidr }).catch((error: unknown) => {
    // Made after the look above.
    throw isOverlap(error) ? refusal('another subnet') : error;
  });
  return cidr;
}

export interface SubnetPart {
  readonly id: string;
  readonly name: string;
  readonly cidr: string;
}

/**
 * Splits a subnet into two to the power of `bits`: it becomes the first part itself, and the others are new ones, like it
 * and named after it. What is assigned goes to the part that it is in.
 */
export async function splitSubnet(sql: TransactionSql, id: string, bits: number): Promise<readonly SubnetPart[]> {
  const subnet = await lockSubnet(sql, id);
  const longest = longestPrefix[familyOf(subnet.cidr)];
  if (bits < 1 || bits > mostBits || prefixOf(subnet.cidr) + bits > longest) {
    throw new MillwrightError(
      'invalid',
      `Subnet "${subnet.name}" (${subnet.cidr}) can be split into at most ${2 ** mostBits} parts, none smaller than /${longest}; asked for: ${2 ** bits}.`,
    );
  }
  const shapes = partsOf(subnet.cidr, bits).map((cidr) => partOf(subnet, cidr));
  const [first, ...others] = shapes;
  if (!first) throw new Error(`a split of ${subnet.cidr} gave no parts`);
  // Claims under way end before it is looked whether the split would lose an address, and none begins after that.
  await sql`DELETE FROM address_blocks WHERE subnet_id = ${id}`;
  await refuseLost(sql, subnet, shapes);
  await reshape(sql, first);
  const names = await freeNames(sql, subnet, others.length);
  const parts = others.map((shape, index) => ({ ...shape, id: newId(), name: names[index] ?? '', shape: 0 }));
  for (const part of parts) await insertPart(sql, id, part);
  return [first, ...parts].map(({ id, name, cidr }) => ({ id, name, cidr }));
}

/** `<name>-2`, `<name>-3`… as far as they are free. */
async function freeNames(sql: TransactionSql, { id, name }: StoredSubnet, count: number): Promise<readonly string[]> {
  const base = name.slice(0, longestBase);
  const taken = await sql<{ name: string }[]>`
    SELECT o.name FROM resources x JOIN resources o ON o.project_id = x.project_id AND o.kind = x.kind
    WHERE x.id = ${id} AND o.deleted_at IS NULL AND starts_with(o.name, ${`${base}-`})`;
  const isTaken = new Set(taken.map((other) => other.name));
  return Array.from({ length: count + isTaken.size }, (_, index) => `${base}-${index + 2}`)
    .filter((candidate) => !isTaken.has(candidate))
    .slice(0, count);
}

function partOf(subnet: StoredSubnet, cidr: string): StoredSubnet {
  const [dynamicRange = null] = subnet.dynamicRange ? rangesWithin(cidr, [subnet.dynamicRange]) : [];
  const gateway = subnet.gateway !== null && isAddressIn(cidr, subnet.gateway) ? subnet.gateway : usualGateway(cidr);
  return {
    ...subnet,
    cidr,
    blockBits: blockBitsOf(cidr),
    gateway: subnet.gateway === null ? null : gateway,
    reserved: rangesWithin(cidr, subnet.reserved),
    dynamicRange,
  };
}

/** No address that somebody has becomes one that nobody may have: the base, broadcast address or gateway of a part. */
async function refuseLost(sql: TransactionSql, subnet: StoredSubnet, parts: readonly StoredSubnet[]): Promise<void> {
  const edges = parts.flatMap((part) => {
    const spans = reservedSpans({ ...part, reserved: [] });
    return spans.flatMap(({ first, last }) => [first, last]).map((number) => addressText(familyOf(part.cidr), number));
  });
  const lost = await sql<{ address: string }[]>`
    SELECT host(address) AS address FROM address_assignments
    WHERE subnet_id = ${subnet.id} AND released_at IS NULL AND address = ANY(${edges}::text[]::inet[]) ORDER BY address`;
  if (lost.length === 0) return;
  const names = lost.map(({ address }) => address).join(', ');
  throw new MillwrightError(
    'conflict',
    `Subnet "${subnet.name}" (${subnet.cidr}) cannot be split into ${parts.length}: ${names} would be the base, broadcast address or gateway of a part, and somebody has it. Release it first.`,
  );
}

async function reshape(sql: TransactionSql, subnet: StoredSubnet): Promise<void> {
  const shaped = { ...subnet, blockBits: blockBitsOf(subnet.cidr), shape: subnet.shape + 1 };
  await sql`
    UPDATE subnets SET cidr = ${shaped.cidr}, gateway = ${shaped.gateway}, block_bits = ${shaped.blockBits}, shape = ${shaped.shape},
      reserved = ${JSON.stringify(shaped.reserved)}::text::jsonb, dynamic_range = ${asJson(shaped.dynamicRange)}::text::jsonb
    WHERE resource_id = ${shaped.id}`;
  await rebuildBlocks(sql, shaped);
}

const asJson = (value: object | null): string | null => (value === null ? null : JSON.stringify(value));

async function insertPart(sql: TransactionSql, from: string, part: StoredSubnet): Promise<void> {
  await sql`
    INSERT INTO resources (id, organization_id, project_id, kind, name, status, labels, provider, region, deletion_protection, requested, quota)
    SELECT ${part.id}, organization_id, project_id, kind, ${part.name}, status, labels, provider, region, deletion_protection,
      requested || jsonb_build_object('cidr', ${part.cidr}::text), quota
    FROM resources WHERE id = ${from}`;
  await sql`
    INSERT INTO subnets (resource_id, vrf_id, network_id, cidr, gateway, reserved, dynamic_range, dns_servers, domain,
      lease_seconds, quarantine_seconds, block_bits, shape)
    SELECT ${part.id}, vrf_id, network_id, ${part.cidr}, ${part.gateway}, ${JSON.stringify(part.reserved)}::text::jsonb,
      ${asJson(part.dynamicRange)}::text::jsonb, dns_servers, domain, lease_seconds, quarantine_seconds, ${part.blockBits}, 0
    FROM subnets WHERE resource_id = ${from}`;
  await sql`
    UPDATE address_assignments SET subnet_id = ${part.id}
    WHERE subnet_id = ${from} AND freed_at IS NULL AND address <<= ${part.cidr}::inet`;
  await rebuildBlocks(sql, part);
}

/** Writes a subnet's blocks anew from its assignments. Claims that are under way end first: each holds a block. */
async function rebuildBlocks(sql: TransactionSql, subnet: StoredSubnet): Promise<void> {
  await sql`DELETE FROM address_blocks WHERE subnet_id = ${subnet.id}`;
  const place = blockIn('address', String(subnet.blockBits));
  const used = await sql.unsafe<{ first: string }[]>(
    `SELECT DISTINCT host(${place}) AS first FROM address_assignments
    WHERE subnet_id = $1 AND freed_at IS NULL AND address <<= $2::inet`,
    [subnet.id, subnet.cidr],
  );
  const blocks = JSON.stringify(
    newBlocks(
      subnet,
      used.map(({ first }) => first),
    ),
  );
  await sql.unsafe(
    `INSERT INTO address_blocks (subnet_id, first, taken, reserved, static_only)
    SELECT $1, b.first, t.taken, b.reserved, b.static_only
    FROM jsonb_to_recordset($2::text::jsonb) AS b(first inet, reserved bit(64), static_only bit(64))
    JOIN (
      SELECT first, bit_or(${bitOf('address', 'first')}) AS taken
      FROM (SELECT address, ${place} AS first FROM address_assignments WHERE subnet_id = $1 AND freed_at IS NULL) a GROUP BY first
    ) t USING (first)`,
    [subnet.id, blocks],
  );
  await openFirstBlocks(sql, subnet);
}

/** Ends a subnet. Throws `conflict` where somebody has an address of it, or it is the last of its network. */
export async function endSubnet(sql: TransactionSql, id: string): Promise<void> {
  const subnet = await lockSubnet(sql, id);
  // Claims under way end before it is looked who has an address, and none begins after that.
  await sql`DELETE FROM address_blocks WHERE subnet_id = ${id}`;
  const holders = await sql<{ holder: string }[]>`
    SELECT x.kind || ' "' || x.name || '"' AS holder FROM address_assignments a JOIN resources x ON x.id = a.owner_id
    WHERE a.subnet_id = ${id} AND a.released_at IS NULL ORDER BY a.id LIMIT 10`;
  const refuse = (why: string): MillwrightError =>
    new MillwrightError('conflict', `The subnet "${subnet.name}" (${subnet.cidr}) cannot be deleted: ${why}`);
  if (holders.length > 0) {
    throw refuse(`${holders.map(({ holder }) => holder).join(', ')} has an address of it. Delete what has one first.`);
  }
  const others = await sql`
    SELECT FROM subnets s WHERE s.network_id = (SELECT network_id FROM subnets WHERE resource_id = ${id})
      AND s.resource_id <> ${id} AND s.ended_at IS NULL FOR UPDATE`;
  if (others.length === 0) throw refuse('it is the last of its network, and goes with that.');
  await sql`UPDATE subnets SET ended_at = now(), shape = shape + 1 WHERE resource_id = ${id}`;
  await sql`UPDATE resources SET status = 'deleted', deleted_at = now(), updated_at = now() WHERE id = ${id}`;
}

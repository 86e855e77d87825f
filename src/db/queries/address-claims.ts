import { setTimeout as pause } from 'node:timers/promises';
import type { Sql, TransactionSql } from 'postgres';
import { type AssignmentKind, blockOf, isAddressIn, isReserved, isSameAddress } from '../../domain/address-space.ts';
import { MillwrightError } from '../../errors.ts';
import { violatedUnique } from '../client.ts';
import { openBlockOf, openBlocks, reclaim } from './address-blocks.ts';
import { subnetUse } from './address-use.ts';
import { iso } from './iso.ts';
import { readSubnet, type StoredSubnet } from './subnet-shapes.ts';

/** What an address is known by: of one owner and place there is one address. */
export interface AddressKey {
  /** The resource that is to have it. */
  readonly owner: string;
  /** Tells several addresses of one owner apart. */
  readonly place: string;
}

export interface AddressWish {
  readonly subnetId: string;
  /** This very address; any free one of the dynamic range where it is left out. */
  readonly address?: string | undefined;
  readonly hostname?: string | undefined;
}

export interface Assignment {
  readonly subnetId: string;
  readonly address: string;
  readonly kind: AssignmentKind;
}

type Session = Sql | TransactionSql;

const longestPauseMs = 50;
/** How long a claim tries where all that is free is in the hands of transactions that have not ended. */
const usualPatienceMs = 10_000;

const assignmentColumns = 'subnet_id AS "subnetId", host(address) AS address, kind';

/** What has the key now, if anything; else what `taken`, a CTE of one address, gives. */
const claim = (taken: string, kind: AssignmentKind): string => `
  WITH held AS MATERIALIZED (
    SELECT subnet_id, address, kind FROM address_assignments WHERE owner_id = $2 AND place = $3 AND released_at IS NULL
  ),
  ${taken},
  given AS (
    INSERT INTO address_assignments (subnet_id, address, owner_id, place, kind, hostname)
    SELECT $1, address, $2, $3, '${kind}', $4 FROM taken RETURNING subnet_id, address, kind
  )
  SELECT ${assignmentColumns} FROM held UNION ALL SELECT ${assignmentColumns} FROM given`;

/** The first block with room that nobody has locked: claims do not wait for one another. */
const dynamicClaim = claim(
  `block AS MATERIALIZED (
    SELECT b.first FROM address_blocks b WHERE b.subnet_id = $1 AND NOT b.is_full AND NOT EXISTS (SELECT FROM held)
    ORDER BY b.first LIMIT 1 FOR UPDATE SKIP LOCKED
  ),
  taken AS (
    UPDATE address_blocks b
    SET taken = set_bit(b.taken, position('0'::bit(1) IN b.taken | b.reserved | b.static_only) - 1, 1)
    FROM block WHERE b.subnet_id = $1 AND b.first = block.first
    RETURNING NEW.first + (position('1'::bit(1) IN NEW.taken & ~OLD.taken) - 1) AS address
  )`,
  'dynamic',
);

const staticClaim = claim(
  `block AS MATERIALIZED (
    SELECT b.first FROM address_blocks b WHERE b.subnet_id = $1 AND b.first = $5::inet AND NOT EXISTS (SELECT FROM held)
    FOR UPDATE SKIP LOCKED
  ),
  taken AS (
    UPDATE address_blocks b SET taken = set_bit(b.taken, $6::int, 1)
    FROM block WHERE b.subnet_id = $1 AND b.first = block.first AND get_bit(b.taken | b.reserved, $6::int) = 0
    RETURNING b.first + $6::int AS address
  )`,
  'static',
);

/**
 * Gives a key its address: the same one however often it is asked, whatever is asked for by then. Throws `conflict` where
 * the wanted address is another's, `invalid` where it is nobody's to have, `capacity` where the subnet has none left, and
 * `unavailable` where all that is left is in the hands of transactions that do not end.
 */
export async function assignAddress(
  sql: Session,
  key: AddressKey,
  wish: AddressWish,
  patienceMs = usualPatienceMs,
): Promise<Assignment> {
  const { address } = wish;
  const until = performance.now() + patienceMs;
  for (let round = 0; ; round += 1) {
    const given = address === undefined ? await claimAny(sql, key, wish) : await claimOne(sql, key, wish, address);
    if (given) return sameAs(given, address);
    const subnet = await readSubnet(sql, wish.subnetId);
    const mayNow = address === undefined ? await makeRoom(sql, subnet) : await makeRoomFor(sql, subnet, address);
    if (mayNow) continue;
    if (performance.now() > until) {
      throw new MillwrightError(
        'unavailable',
        `Other requests hold what is left of subnet "${subnet.name}" (${subnet.cidr}) and have not ended. Try again.`,
      );
    }
    await pause(Math.random() * Math.min(longestPauseMs, 2 ** round));
  }
}

function sameAs(given: Assignment, address: string | undefined): Assignment {
  if (address === undefined || isSameAddress(given.address, address)) return given;
  throw new MillwrightError(
    'conflict',
    `It already has the address ${given.address}, and cannot have ${address} before that is released.`,
  );
}

const claimAny = (
  sql: Session,
  key: AddressKey,
  { subnetId, hostname }: AddressWish,
): Promise<Assignment | undefined> => claimed(sql, dynamicClaim, [subnetId, key.owner, key.place, hostname ?? null]);

async function claimOne(
  sql: Session,
  key: AddressKey,
  { subnetId, hostname }: AddressWish,
  address: string,
): Promise<Assignment | undefined> {
  const subnet = await readSubnet(sql, subnetId);
  const { first, at } = blockOf(subnet, address);
  return claimed(sql, staticClaim, [subnetId, key.owner, key.place, hostname ?? null, first, at]);
}

async function claimed(
  sql: Session,
  statement: string,
  parameters: (string | number | null)[],
): Promise<Assignment | undefined> {
  try {
    const [given] = await sql.unsafe<Assignment[]>(statement, parameters, { prepare: true });
    return given;
  } catch (error) {
    // The same key at the same moment: what the other got is what this one gets.
    if (violatedUnique(error) === 'address_assignments_owner_key') return undefined;
    throw error;
  }
}

/** Whether a claim may fare better now; false: later, when others have ended. */
async function makeRoom(sql: Session, subnet: StoredSubnet): Promise<boolean> {
  if ((await reclaim(sql, subnet)) > 0) return true;
  const { opened, isComplete } = await openBlocks(sql, subnet);
  if (opened > 0) return true;
  const [room] = await sql`SELECT FROM address_blocks WHERE subnet_id = ${subnet.id} AND NOT is_full LIMIT 1`;
  if (!isComplete || room) return false;
  throw await exhausted(sql, subnet);
}

async function exhausted(sql: Session, subnet: StoredSubnet): Promise<MillwrightError> {
  const { used, quarantined, reserved, total, quarantineEndsAt } = await subnetUse(sql, subnet);
  const waiting = quarantineEndsAt ? `, the first of them until ${quarantineEndsAt}` : '';
  return new MillwrightError(
    'capacity',
    `Subnet "${subnet.name}" (${subnet.cidr}) has no address left to give: of ${total}, ${used} are in use, ${reserved} reserved and ${quarantined} in quarantine${waiting}. Release some, grow the subnet, or add another to its network.`,
  );
}

async function makeRoomFor(sql: Session, subnet: StoredSubnet, address: string): Promise<boolean> {
  const refuse = (code: 'invalid' | 'conflict', why: string): MillwrightError =>
    new MillwrightError(code, `Address ${address} of subnet "${subnet.name}" (${subnet.cidr}) cannot be given: ${why}`);
  if (!isAddressIn(subnet.cidr, address)) throw refuse('invalid', 'it is not in that subnet.');
  if (isReserved(subnet, address)) throw refuse('invalid', 'it is reserved. Ask for another, or for any.');
  if ((await reclaim(sql, subnet, address)) > 0) return true;
  if ((await openBlockOf(sql, subnet, address)) > 0) return true;
  const [taken] = await sql<{ owner: string; until: string | null }[]>`
    SELECT coalesce(x.kind || ' "' || x.name || '"', a.owner_id::text) AS owner, ${sql.unsafe(iso('a.quarantine_until'))} AS until
    FROM address_assignments a LEFT JOIN resources x ON x.id = a.owner_id
    WHERE a.subnet_id = ${subnet.id} AND a.address = ${address} AND a.freed_at IS NULL
      AND (a.quarantine_until IS NULL OR a.quarantine_until > now())`;
  if (!taken) return false;
  const why = taken.until
    ? `it was given back and stays in quarantine until ${taken.until}.`
    : `${taken.owner} has it.`;
  throw refuse('conflict', `${why} Ask for another, or for any.`);
}

/** Gives back all addresses of an owner, or that of one of its places; those that have been given back already stay so. */
export async function releaseAddresses(
  sql: Session,
  owner: string,
  place: string | null = null,
): Promise<readonly string[]> {
  const released = await sql<{ address: string }[]>`
    UPDATE address_assignments a SET released_at = now(), quarantine_until = now() + make_interval(secs => s.quarantine_seconds)
    FROM subnets s
    WHERE s.resource_id = a.subnet_id AND a.owner_id = ${owner} AND a.released_at IS NULL
      AND (${place}::text IS NULL OR a.place = ${place})
    RETURNING host(a.address) AS address`;
  return released.map(({ address }) => address);
}

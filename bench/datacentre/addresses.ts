import { randomUUID } from 'node:crypto';
import type { Sql } from 'postgres';
import { openFirstBlocks } from '../../src/db/queries/address-blocks.ts';
import { assignAddress } from '../../src/db/queries/address-claims.ts';
import { addressDifferences } from '../../src/db/queries/address-use.ts';
import { readSubnet } from '../../src/db/queries/subnet-shapes.ts';
import { ensureVrf } from '../../src/db/queries/vrfs.ts';
import { blockBitsOf } from '../../src/domain/address-space.ts';
import { type GroupOptions, load, median, type Result, round } from '../measure.ts';
import { withDatabase } from './database.ts';

const clients = 16;
const turns = 7;
const claims = 3000;
/** A gap query is slower by so much that fewer of them take as long. */
const gapQueries = 60;
const cidr = '10.0.0.0/16';
/** What each table holds before anything is measured: a gap query looks through it. */
const filled = 2000;

/** K5: addresses from one subnet that all clients want, beside plain inserts of the same row and beside a search for a gap. */
export const benchAddresses = ({ note }: GroupOptions): Promise<Result[]> =>
  withDatabase(clients, async (sql) => {
    for (const table of ['bench_plain', 'bench_gaps']) {
      await sql.unsafe(`CREATE TABLE ${table} (LIKE address_assignments INCLUDING ALL)`);
    }
    return await measure(sql, note);
  });

async function measure(sql: Sql, note: GroupOptions['note']): Promise<Result[]> {
  const subnetId = await hotSubnet(sql);
  let next = 0;
  const ways = {
    insert: () => plainInsert(sql, subnetId, next++),
    claim: async () => {
      await assignAddress(sql, { owner: randomUUID(), place: '' }, { subnetId });
    },
    gap: () => gapQuery(sql, subnetId),
  };
  await load(filled, clients, ways.insert);
  await load(filled, clients, ways.claim);
  await sql`INSERT INTO bench_gaps SELECT * FROM bench_plain`;
  const rates: Record<keyof typeof ways, number[]> = { insert: [], claim: [], gap: [] };
  const rate = async (way: keyof typeof ways, count: number): Promise<void> => {
    rates[way].push(count / (await load(count, clients, ways[way])).seconds);
  };
  for (let turn = 0; turn < turns; turn += 1) {
    await rate('insert', claims);
    await rate('claim', claims);
    await rate('gap', gapQueries);
  }
  const differences = await addressDifferences(sql);
  if (differences.length > 0) throw new Error(`${differences.length} blocks are not what the assignments say`);
  note(
    'addresses',
    Object.entries(rates).map(([way, each]) => ({ way, perSecond: each.map(Math.round).join(' ') })),
  );
  return [
    atLeast('K5-insert', rates.claim, 'a plain insert of the same row', rates.insert, 0.5),
    atLeast('K5-gap', rates.claim, 'a search for a gap', rates.gap, 10),
  ];
}

/** The ratio is the median of those of each turn: what disturbs the machine for one turn disturbs both. */
function atLeast(id: string, values: readonly number[], peer: string, peers: readonly number[], goal: number): Result {
  const ratio = median(values.map((value, turn) => value / (peers[turn] ?? Number.NaN)));
  const what = `addresses from one hot subnet, ${clients} clients`;
  return {
    ...{ id, what, value: round(median(values)), unit: '/s', peer, peerValue: round(median(peers)) },
    ...{ ratio: round(ratio), goal: `at least ${goal}`, holds: ratio >= goal },
  };
}

async function hotSubnet(sql: Sql): Promise<string> {
  const [resource] = await sql<{ id: string; projectId: string }[]>`
    INSERT INTO resources (organization_id, project_id, kind, name, status, provider, region, requested, quota)
    SELECT organization_id, id, 'subnet', 'hot', 'available', 'simulator', 'tpe-1', '{}', '{}' FROM projects LIMIT 1
    RETURNING id, project_id AS "projectId"`;
  const { id, projectId } = resource ?? { id: '', projectId: '' };
  await sql`
    INSERT INTO subnets (resource_id, vrf_id, cidr, reserved, dns_servers, lease_seconds, quarantine_seconds, block_bits, shape)
    VALUES (${id}, ${await ensureVrf(sql, projectId, 'default')}, ${cidr}, '[]', '{}', 3600, 0, ${blockBitsOf(cidr)}, 0)`;
  await openFirstBlocks(sql, await readSubnet(sql, id));
  return id;
}

async function plainInsert(sql: Sql, subnetId: string, index: number): Promise<void> {
  await sql`
    INSERT INTO bench_plain (subnet_id, address, owner_id, place, kind)
    VALUES (${subnetId}, '10.0.0.10'::inet + ${index}::int, ${randomUUID()}, '', 'dynamic')`;
}

/** As it is usually done: the subnet locked, and the first address taken whose next is nobody's. */
async function gapQuery(sql: Sql, subnetId: string): Promise<void> {
  await sql.begin(async (transaction) => {
    await transaction`SELECT FROM subnets WHERE resource_id = ${subnetId} FOR UPDATE`;
    await transaction`
      INSERT INTO bench_gaps (subnet_id, address, owner_id, place, kind)
      SELECT ${subnetId}, a.address + 1, ${randomUUID()}, '', 'dynamic' FROM bench_gaps a
      WHERE a.subnet_id = ${subnetId} AND a.freed_at IS NULL AND NOT EXISTS (
        SELECT FROM bench_gaps b WHERE b.subnet_id = a.subnet_id AND b.address = a.address + 1 AND b.freed_at IS NULL)
      ORDER BY a.address LIMIT 1`;
  });
}

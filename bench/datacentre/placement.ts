import type { Sql } from 'postgres';
import { claimDifferences } from '../../src/db/queries/placement-claims.ts';
import { Hosts } from '../../src/placement/hosts.ts';
import { place } from '../../src/placement/place.ts';
import { type GroupOptions, load, median, type Result, round } from '../measure.ts';
import { withDatabase } from './database.ts';

const hosts = 5000;
const clients = 16;
const turns = 5;
const claims = 2000;
/** Claims in SQL are slower by so much that fewer of them take as long. */
const lockedClaims = 200;
const room = { vcpus: 2, memoryMib: 4096, diskGib: 20, gpus: 0 };
const goal = 680;

interface Claimant {
  readonly key: string;
  readonly jobId: string;
}

/** K5: VMs placed on 5,000 hosts that are half full, in memory and by one claim each, beside the best host found and locked in SQL. */
export const benchPlacement = ({ note }: GroupOptions): Promise<Result[]> =>
  withDatabase(clients, async (sql) => {
    await fillHosts(sql);
    const vms = await fillVms(sql, turns * (claims + lockedClaims));
    const memory = new Hosts(sql);
    const next = (): Claimant => {
      const vm = vms.pop();
      if (!vm) throw new Error('there are fewer VMs than are placed');
      return vm;
    };
    const ways = {
      memory: async () => {
        const vm = next();
        await place(sql, memory, vm, { key: vm.key, region: 'tpe-1', provider: 'simulator', room, wish: {} });
      },
      locked: () => lockBest(sql, next()),
    };
    const rates: Record<keyof typeof ways, number[]> = { memory: [], locked: [] };
    for (let turn = 0; turn < turns; turn += 1) {
      rates.memory.push(claims / (await load(claims, clients, ways.memory)).seconds);
      rates.locked.push(lockedClaims / (await load(lockedClaims, clients, ways.locked)).seconds);
    }
    const differences = await claimDifferences(sql);
    if (differences.length > 0) throw new Error(`${differences.length} hosts are not what their claims say`);
    note(
      'placement',
      Object.entries(rates).map(([way, each]) => ({ way, perSecond: each.map(Math.round).join(' ') })),
    );
    const [value, peerValue] = [median(rates.memory), median(rates.locked)];
    const ratio = median(rates.memory.map((rate, turn) => rate / (rates.locked[turn] ?? Number.NaN)));
    const what = `VMs placed on ${hosts} hosts, ${clients} clients`;
    const peer = 'ORDER BY … FOR UPDATE';
    return [
      {
        ...{ id: 'K5-placement', what, value: round(value), unit: '/s', peer, peerValue: round(peerValue) },
        ...{ ratio: round(ratio), goal: `at least ${goal} /s`, holds: value >= goal },
      },
    ];
  });

async function fillHosts(sql: Sql): Promise<void> {
  await sql`
    INSERT INTO compute_hosts (name, region, provider, labels, groups, vcpus, memory_mib, disk_gib, gpus, cpu_ratio)
    SELECT 'h-' || g, 'tpe-1', 'simulator', '{"disk": "nvme"}', '{}', 64, 262144, 4000, 0, 1 FROM generate_series(1, ${hosts}::int) g`;
  // What is there already is claimed, so that a recount holds.
  await sql`
    WITH r AS (
      INSERT INTO resources (organization_id, project_id, kind, name, status, provider, region, requested, quota)
      SELECT p.organization_id, p.id, 'vm', 'there-' || h.name, 'running', 'simulator', 'tpe-1', jsonb_build_object('host', h.id), '{}'
      FROM (SELECT * FROM projects LIMIT 1) p, compute_hosts h RETURNING id, requested),
    c AS (
      INSERT INTO placement_claims (resource_id, host_id, job_id, vcpus, memory_mib, disk_gib, gpus, explanation)
      SELECT id, (requested ->> 'host')::uuid, id, n, n * 4096, n * 20, 0, '{}' FROM r, LATERAL (SELECT 20 + floor(random() * 24)::int + 0 * length(r.id::text) AS n)
      RETURNING *)
    SELECT count(*) FROM c`;
  await sql`
    UPDATE compute_hosts h SET used_vcpus = c.vcpus, used_memory_mib = c.memory_mib, used_disk_gib = c.disk_gib
    FROM placement_claims c WHERE c.host_id = h.id`;
  await sql`ANALYZE`;
}

/** VMs whose jobs are at work. */
const fillVms = (sql: Sql, count: number): Promise<Claimant[]> =>
  sql<Claimant[]>`
    INSERT INTO resources (organization_id, project_id, kind, name, status, provider, region, requested, quota, current_job_id)
    SELECT p.organization_id, p.id, 'vm', 'vm-' || g, 'provisioning', 'simulator', 'tpe-1', '{}', '{}', uuidv4()
    FROM (SELECT * FROM projects LIMIT 1) p, generate_series(1, ${count}::int) g RETURNING id AS key, current_job_id AS "jobId"`;

/** As it is usually done: the best host is looked for and locked in SQL, by the same filters and weights. */
async function lockBest(sql: Sql, { key, jobId }: Claimant): Promise<void> {
  const { vcpus, memoryMib, diskGib } = room;
  await sql.begin(async (transaction) => {
    const [best] = await transaction<{ id: string }[]>`
      SELECT id FROM compute_hosts
      WHERE region = 'tpe-1' AND provider = 'simulator' AND maintenance IS NULL AND used_vcpus + ${vcpus} <= floor(vcpus * cpu_ratio)
        AND used_memory_mib + ${memoryMib} <= memory_mib AND used_disk_gib + ${diskGib} <= disk_gib
      ORDER BY (vcpus - used_vcpus)::float8 / vcpus + (memory_mib - used_memory_mib)::float8 / memory_mib
        + 0.5 * (disk_gib - used_disk_gib) / disk_gib DESC, id
      LIMIT 1 FOR UPDATE`;
    if (!best) throw new Error('every host is full');
    await transaction`
      UPDATE compute_hosts SET used_vcpus = used_vcpus + ${vcpus}, used_memory_mib = used_memory_mib + ${memoryMib},
        used_disk_gib = used_disk_gib + ${diskGib}, changed_in = pg_current_xact_id() WHERE id = ${best.id}`;
    await transaction`
      INSERT INTO placement_claims (resource_id, host_id, job_id, vcpus, memory_mib, disk_gib, gpus, explanation)
      VALUES (${key}, ${best.id}, ${jobId}, ${vcpus}, ${memoryMib}, ${diskGib}, 0, '{}')`;
  });
}

import { randomUUID } from 'node:crypto';
import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, beforeEach, expect, inject, test } from 'vitest';
import { claimDifferences, freeClaim, resizeClaim } from '../../src/db/queries/placement-claims.ts';
import type { Room } from '../../src/domain/candidate.ts';
import type { PlacementWish } from '../../src/domain/placement.ts';
import { Hosts } from '../../src/placement/hosts.ts';
import { place } from '../../src/placement/place.ts';
import { createDatabase } from '../harness/databases.ts';

let sql: Sql;
beforeAll(async () => {
  sql = postgres(await createDatabase(inject('parts').postgresUrl), { max: 24, onnotice: () => undefined });
});
afterAll(() => sql.end({ timeout: 1 }));
beforeEach(async () => {
  await sql`DELETE FROM placement_claims`;
  await sql`DELETE FROM compute_hosts`;
});

async function host(name: string, more: Readonly<Record<string, unknown>> = {}): Promise<void> {
  const row = { region: 'tpe-1', provider: 'simulator', labels: {}, groups: [], gpus: 0, cpu_ratio: 1, ...more };
  await sql`INSERT INTO compute_hosts ${sql({ name, vcpus: 16, memory_mib: 65_536, disk_gib: 1000, ...row })}`;
}

interface Vm {
  readonly key: string;
  readonly jobId: string;
}
/** A VM whose job is at work, in the project that there is. */
async function vm(labels: Readonly<Record<string, string>> = {}): Promise<Vm> {
  const [key, jobId] = [randomUUID(), randomUUID()];
  await sql`
    INSERT INTO resources (id, organization_id, project_id, kind, name, status, provider, region, requested, quota, labels, current_job_id)
    SELECT ${key}, organization_id, id, 'vm', ${key}, 'provisioning', 'simulator', 'tpe-1', '{}', '{}', ${sql.json(labels)}, ${jobId}
    FROM projects LIMIT 1`;
  return { key, jobId };
}

const small: Room = { vcpus: 1, memoryMib: 1024, diskGib: 10, gpus: 0 };
const put = (hosts: Hosts, claimant: Vm, wish: PlacementWish = {}, room: Room = small) =>
  place(sql, hosts, claimant, { key: claimant.key, region: 'tpe-1', provider: 'simulator', room, wish });
const used = () =>
  sql<{ name: string; used: number }[]>`SELECT name, used_vcpus AS used FROM compute_hosts ORDER BY name`;
const times = <Result>(count: number, once: (index: number) => Promise<Result>): Promise<Result[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => once(index)));

test('of 200 claims at once, by two workers that do not know each other, as many are made as there is room for', async () => {
  for (let index = 0; index < 10; index += 1) await host(`h-${index}`);
  const workers = [new Hosts(sql), new Hosts(sql)] as const;
  const vms = await times(200, () => vm());
  const ends = await Promise.allSettled(vms.map((claimant, index) => put(workers[index % 2 === 0 ? 0 : 1], claimant)));
  const refused = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason] : []));
  expect(refused).toHaveLength(40);
  for (const error of refused) expect(error).toMatchObject({ code: 'capacity' });
  expect((await used()).map((row) => row.used)).toEqual(Array.from({ length: 10 }, () => 16));
  expect(await claimDifferences(sql)).toEqual([]);

  await times(200, (index) => freeClaim(sql, vms[index]?.key ?? ''));
  expect((await used()).map((row) => row.used)).toEqual(Array.from({ length: 10 }, () => 0));
});

test('what is placed keeps its host however often it is asked for, on a full one too, and gives it back once', async () => {
  await host('only', { vcpus: 1 });
  const claimant = await vm();
  const asked = await times(8, () => put(new Hosts(sql), claimant).catch(() => put(new Hosts(sql), claimant)));
  expect(new Set(asked.map(({ name }) => name))).toEqual(new Set(['only']));
  expect(await used()).toEqual([{ name: 'only', used: 1 }]);
  await times(4, () => freeClaim(sql, claimant.key));
  expect(await used()).toEqual([{ name: 'only', used: 0 }]);
});

test('a late attempt of a job that has ended claims nothing', async () => {
  await host('only');
  const claimant = await vm();
  await sql`UPDATE resources SET current_job_id = NULL WHERE id = ${claimant.key}`;
  await expect(put(new Hosts(sql), claimant)).rejects.toMatchObject({ code: 'conflict' });
  expect(await used()).toEqual([{ name: 'only', used: 0 }]);
});

test('a host that went into maintenance, or away, after a worker looked is not claimed', async () => {
  for (const name of ['a', 'b', 'c']) await host(name);
  const hosts = new Hosts(sql);
  await hosts.refresh();
  await sql`UPDATE compute_hosts SET maintenance = 'a fan', shape = shape + 1, changed_in = pg_current_xact_id() WHERE name = 'a'`;
  await sql`DELETE FROM compute_hosts WHERE name = 'b'`;
  const placed = await times(6, async () => (await put(hosts, await vm())).name);
  expect(new Set(placed)).toEqual(new Set(['c']));
});

test('what is to stay apart does, of many that are placed at the same moment', async () => {
  for (let index = 0; index < 4; index += 1) await host(`h-${index}`);
  const apart: PlacementWish = { antiAffinity: { labels: { app: 'db' } } };
  const hosts = new Hosts(sql);
  const vms = await times(6, () => vm({ app: 'db' }));
  const ends = await Promise.allSettled(vms.map((claimant) => put(hosts, claimant, apart)));
  expect((await used()).map((row) => row.used)).toEqual([1, 1, 1, 1]);
  const [refused] = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason] : []));
  expect(refused).toMatchObject({ code: 'capacity' });
  expect(refused.message).toContain('Of 4 hosts, anti-affinity removed 4.');
});

test('a claim grows where there is room, is refused with what is free where there is not, and shrinks', async () => {
  await host('only', { vcpus: 4 });
  const claimant = await vm();
  await put(new Hosts(sql), claimant);
  const { vcpus: _, ...rest } = small;
  expect(await resizeClaim(sql, claimant, { ...rest, vcpus: 4 })).toBeUndefined();
  expect(await resizeClaim(sql, claimant, { ...rest, vcpus: 5 })).toMatchObject({ host: 'only', free: { vcpus: 0 } });
  expect(await used()).toEqual([{ name: 'only', used: 4 }]);
  expect(await resizeClaim(sql, claimant, { ...rest, vcpus: 2 })).toBeUndefined();
  expect(await used()).toEqual([{ name: 'only', used: 2 }]);
  expect(await claimDifferences(sql)).toEqual([]);
});

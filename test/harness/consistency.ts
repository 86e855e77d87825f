import { expect } from 'vitest';
import { addressDifferences } from '../../src/db/queries/address-use.ts';
import { claimDifferences } from '../../src/db/queries/placement-claims.ts';
import { quotaDifferences } from '../../src/db/queries/quota.ts';
import { madeKinds } from '../../src/domain/kinds.ts';
import type { TestPlatform } from './platform.ts';

/**
 * What must hold whenever nothing is under way: the data centre has exactly what the database says (but for subnets
 * and addresses, of which it is not told), every lock is free, each quota equals a recount, and addresses are those of what is there.
 */
export async function expectConsistent({ sql, simulator }: Pick<TestPlatform, 'sql' | 'simulator'>): Promise<void> {
  const recorded = await sql<{ line: string }[]>`
    SELECT kind || ' ' || id || ' ' || name || ' ' || region AS line FROM resources WHERE deleted_at IS NULL AND kind = ANY(${[...madeKinds]}) ORDER BY 1`;
  const found = (await simulator.inventory()).map(({ kind, key, name, region }) => `${kind} ${key} ${name} ${region}`);
  expect(found.toSorted()).toEqual(recorded.map(({ line }) => line).toSorted());
  const clusters = await sql<{ key: string }[]>`
    SELECT id AS key FROM resources WHERE deleted_at IS NULL AND kind = 'cluster' ORDER BY 1`;
  expect((await simulator.clusters()).map(({ key }) => key).toSorted()).toEqual(clusters.map(({ key }) => key));
  const locked = await sql`SELECT name FROM resources WHERE current_job_id IS NOT NULL`;
  expect(locked.map(({ name }) => name)).toEqual([]);
  expect(await quotaDifferences(sql)).toEqual([]);
  expect(await addressDifferences(sql)).toEqual([]);
  expect(await claimDifferences(sql)).toEqual([]);
  const claimed = await sql`
    SELECT x.name FROM placement_claims c JOIN resources x ON x.id = c.resource_id LEFT JOIN vms k ON k.resource_id = x.id
    WHERE x.deleted_at IS NOT NULL OR ARRAY[c.vcpus, c.memory_mib, c.disk_gib, c.gpus] IS DISTINCT FROM
      ARRAY[k.vcpus, k.memory_mib, k.disk_gib, coalesce(k.gpus, 0)]`;
  expect(claimed.map(({ name }) => name)).toEqual([]);
  const kept = await sql`
    SELECT a.address FROM address_assignments a LEFT JOIN resources x ON x.id = a.owner_id AND x.deleted_at IS NULL
    WHERE a.released_at IS NULL AND x.id IS NULL`;
  expect(kept).toEqual([]);
  const open = await sql`
    SELECT o.action FROM audit_entries o JOIN jobs j ON j.id = o.act_id
    WHERE j.ended_at IS NOT NULL AND NOT EXISTS (SELECT FROM audit_entries c WHERE c.act_id = o.act_id AND c.phase = 'closed')`;
  expect(open).toEqual([]);
  const unrecorded =
    await sql`SELECT id FROM jobs WHERE NOT EXISTS (SELECT FROM audit_entries WHERE act_id = jobs.id AND phase = 'opened')`;
  expect(unrecorded).toEqual([]);
}

import { type MadeKind, madeKinds, plural } from '../../src/domain/kinds.ts';
import { until } from '../harness/until.ts';
import type { Auditor } from './auditor.ts';
import type { Tenant } from './tenant.ts';
import type { World } from './world.ts';

const isFirst = (kind: MadeKind): boolean => kind === 'vm' || kind === 'snapshot';

/**
 * What a good operator does after such a day: takes away by hand what was left by hand, and deletes the rest. In a
 * whole platform each deletion succeeds, and afterwards there is nothing, anywhere.
 */
export async function cleanUp(world: World, auditor: Auditor): Promise<void> {
  auditor.note('clean up');
  const { simulator, sql } = world;
  const recorded = new Set(
    (await sql<{ id: string }[]>`SELECT id FROM resources WHERE deleted_at IS NULL`).map(({ id }) => id),
  );
  // Machines and snapshots first: the provider keeps what they use from being deleted.
  for (const kind of madeKinds.toSorted((a, b) => Number(isFirst(b)) - Number(isFirst(a)))) {
    const left = (await simulator.inventory()).filter((found) => found.kind === kind && !recorded.has(found.key));
    for (const { key, region } of left) {
      auditor.note(`by hand: delete ${kind} ${key}`);
      await fetch(`${simulator.url}/v1/regions/${region}/${plural[kind]}/${key}`, { method: 'DELETE' });
      await until(`${key} to be gone`, async () => (await simulator.inventory()).every((found) => found.key !== key));
    }
  }
  for (const kinds of [madeKinds.filter(isFirst), madeKinds.filter((kind) => !isFirst(kind))]) {
    for (const kind of kinds) {
      for (const tenant of world.tenants) {
        const { items } = await tenant.get(`/${plural[kind]}?limit=500`);
        await Promise.all(items.map(({ id, name }: { id: string; name: string }) => remove(tenant, kind, id, name)));
      }
    }
  }
  const left = await simulator.names();
  if (left.length > 0) auditor.find(`after everything was deleted the provider has ${left}`);
  const taken = await sql`
    SELECT * FROM quotas WHERE (vms, vcpus, memory_mib, storage_gib, networks, volumes, snapshots, buckets) IS DISTINCT FROM (0, 0, 0, 0, 0, 0, 0, 0)`;
  if (taken.length > 0) auditor.find(`after everything was deleted the quotas are ${JSON.stringify(taken)}`);

  async function remove(tenant: Tenant, kind: MadeKind, id: string, name: string): Promise<void> {
    const path = `/${plural[kind]}/${id}`;
    await tenant.ask('PATCH', path, { deletionProtection: false });
    const asked = auditor.begin(tenant, {
      verb: 'delete',
      kind,
      name,
      method: 'DELETE',
      path,
      key: id,
      onFailure: 'hold',
    });
    // What was done before all was whole may still be felt: a connection that was lost is noticed at its next use.
    auditor.answered(asked, await tenant.ask('DELETE', path, undefined, id));
    if (asked.lost > 0) auditor.answered(asked, await tenant.ask('DELETE', path, undefined, id));
    const [jobId] = asked.jobIds;
    if (jobId === undefined) {
      auditor.find(`the ${kind} "${name}" could not be deleted on a platform that is whole`);
      return;
    }
    const ended = await until(`job ${jobId} to end`, async () => {
      const job = await tenant.get(`/jobs/${jobId}`);
      return (job.endedAt !== null || job.state === 'HELD') && job;
    }).catch(() => undefined);
    if (ended?.state !== 'SUCCEEDED')
      auditor.find(`job ${jobId} to delete the ${kind} "${name}" is ${ended?.state}: ${ended?.error?.message}`);
  }
}

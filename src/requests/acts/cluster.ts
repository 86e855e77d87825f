import type { ActBody, ActRequest } from '../../domain/acts.ts';
import { shapeSchema } from '../../domain/cluster.ts';
import type { MachineGroup } from '../../domain/cluster-machines.ts';
import { differenceOf, scaled, unscaled } from '../../domain/cluster-scale.ts';
import type { ClusterScaleSpec } from '../../domain/job.ts';
import type { QuotaUse } from '../../domain/quota.ts';
import { MillwrightError, refusedFor } from '../../errors.ts';
import type { Catalog } from '../catalog.ts';
import { noFlavor } from '../offered.ts';
import type { Acting, nothingToDo, PreparedAct } from './index.ts';

const same: typeof nothingToDo = 'nothing-to-do';

type ClusterActing = Acting<'cluster'>;

export async function prepareClusterAct(
  { type, body }: ActRequest,
  acting: ClusterActing,
): Promise<PreparedAct | typeof nothingToDo> {
  switch (type) {
    case 'cluster.scale':
      return await prepareScale(body, acting);
    default:
      throw new MillwrightError('internal', `A cluster has no ${type}.`);
  }
}

async function prepareScale(
  body: ActBody<'cluster.scale'>,
  { there, catalog, find }: ClusterActing,
): Promise<PreparedAct | typeof nothingToDo> {
  const { id, name } = there;
  const before = shapeSchema.parse((await find('cluster', id, '/name')).requested);
  const after = scaled(name, before, body);
  if ('faults' in after) throw refusedFor('invalid', after.faults);
  const unknown = body.pools.flatMap(({ flavor }, index) =>
    flavor === undefined || catalog.flavors.some((known) => known.name === flavor)
      ? []
      : [noFlavor(catalog, flavor, `/pools/${index}/flavor`)],
  );
  if (unknown.length > 0) throw refusedFor('invalid', unknown);
  const { add, remove } = differenceOf(there, before, after);
  const back = unscaled(before, after);
  if (add.length + remove.length + back.pools.length === 0 && !back.controlPlane) return same;
  const own = { clusters: 1 };
  return {
    spec: { name, add, remove } satisfies ClusterScaleSpec,
    change: {
      requested: { ...after },
      quota: { before: own, after: own, meanwhile: takenBy(add, catalog) },
      back: { verb: 'scale', body: back },
    },
  };
}

/** What machines take of the quota as VMs. */
function takenBy(groups: readonly MachineGroup[], { flavors }: Catalog): QuotaUse {
  const taken = { vms: 0, vcpus: 0, memoryMib: 0, storageGib: 0 };
  for (const { flavor, ordinals } of groups) {
    const size = flavors.find(({ name }) => name === flavor);
    taken.vms += ordinals.length;
    taken.vcpus += ordinals.length * (size?.vcpus ?? 0);
    taken.memoryMib += ordinals.length * (size?.memoryMib ?? 0);
    taken.storageGib += ordinals.length * (size?.diskGib ?? 0);
  }
  return taken;
}

import type { Known } from '../../db/queries/resources.ts';
import type { ActBody, ActRequest } from '../../domain/acts.ts';
import { MillwrightError } from '../../errors.ts';
import type { Acting, nothingToDo, PreparedAct } from './index.ts';

const same: typeof nothingToDo = 'nothing-to-do';
const usable: readonly string[] = ['running', 'stopped', 'suspended'];

export async function prepareVolumeAct(
  { type, body }: ActRequest,
  { there, find }: Acting<'volume'>,
): Promise<PreparedAct | typeof nothingToDo> {
  const { id, name, sizeGib, attachedTo } = there;
  switch (type) {
    case 'volume.attach': {
      const vm = await find('vm', body.vm, '/vm');
      if (attachedTo?.id === vm.id) return same;
      if (attachedTo) {
        const way = `Detach it first: "millwright volume detach ${name}".`;
        throw new MillwrightError(
          'conflict',
          `The volume "${name}" is attached to the VM "${attachedTo.name}". ${way}`,
        );
      }
      if (vm.region !== there.region) {
        const detail = `The VM "${vm.name}" is in region "${vm.region}", the volume "${name}" in "${there.region}".`;
        throw new MillwrightError('invalid', detail, { faults: [{ pointer: '/vm', detail }] });
      }
      refuseUnlessRests(vm, usable);
      return {
        spec: { name, vm: { key: vm.id, name: vm.name } },
        change: {
          begins: [{ user: vm.id, used: id }],
          locks: [vm.id],
          back: { verb: 'detach', body: {} },
        },
      };
    }
    case 'volume.detach': {
      if (!attachedTo) return same;
      const { id: vmId, name: vmName } = attachedTo;
      return {
        spec: { name, vm: { key: vmId, name: vmName } },
        change: {
          ends: [{ user: vmId, used: id }],
          locks: [vmId],
          back: { verb: 'attach', body: { vm: vmId } },
        },
      };
    }
    case 'volume.grow': {
      if (body.sizeGib === sizeGib) return same;
      if (body.sizeGib < sizeGib) {
        const detail = `The volume "${name}" has ${sizeGib} GiB, and a volume does not shrink. Expected more; found ${body.sizeGib}.`;
        throw new MillwrightError('invalid', detail, { faults: [{ pointer: '/sizeGib', detail }] });
      }
      const after = body.sizeGib;
      return {
        spec: { name, sizeGib: after },
        change: {
          row: { size_gib: after },
          requested: { sizeGib: after },
          quota: { before: { volumes: 1, storageGib: sizeGib }, after: { volumes: 1, storageGib: after } },
        },
      };
    }
    case 'volume.restore':
      return await restored(body, { there, find });
    default:
      throw new MillwrightError('internal', `A volume has no ${type}.`);
  }
}

/** Its content is replaced under whoever writes to it: nobody may. Neither snapshot nor VM changes meanwhile. */
async function restored(
  body: ActBody<'volume.restore'>,
  { there, find }: Pick<Acting<'volume'>, 'there' | 'find'>,
): Promise<PreparedAct> {
  const { id, name, attachedTo } = there;
  const snapshot = await find('snapshot', body.snapshot, '/snapshot');
  if (snapshot.requested.volume !== id) {
    const detail = `The snapshot "${snapshot.name}" is of another volume than "${name}". Name one that was taken of it.`;
    throw new MillwrightError('invalid', detail, { faults: [{ pointer: '/snapshot', detail }] });
  }
  refuseUnlessRests(snapshot, ['available']);
  const vm = attachedTo && (await find('vm', attachedTo.id, '/name'));
  if (vm && (vm.currentJobId || vm.status !== 'stopped')) {
    throw new MillwrightError(
      'conflict',
      `The volume "${name}" is attached to the VM "${vm.name}", which is ${vm.status}. Stop it, or detach the volume, and ask again.`,
      vm.currentJobId ? { jobId: vm.currentJobId } : {},
    );
  }
  return {
    spec: { name, snapshot: { key: snapshot.id, name: snapshot.name } },
    change: { locks: [snapshot.id, ...(vm ? [vm.id] : [])] },
  };
}

function refuseUnlessRests({ kind, name, status, currentJobId }: Known, states: readonly string[]): void {
  if (!currentJobId && states.includes(status)) return;
  const job = currentJobId ? `: job ${currentJobId} is at work on it` : '';
  const named = kind === 'vm' ? 'VM' : kind;
  throw new MillwrightError(
    'conflict',
    `The ${named} "${name}" is ${status}${job}. Wait until it rests, then ask again.`,
    currentJobId ? { jobId: currentJobId } : {},
  );
}

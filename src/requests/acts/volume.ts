import type { ActRequest } from '../../domain/acts.ts';
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
      if (vm.currentJobId || !usable.includes(vm.status)) {
        const job = vm.currentJobId ? `: job ${vm.currentJobId} is at work on it` : '';
        throw new MillwrightError(
          'conflict',
          `The VM "${vm.name}" is ${vm.status}${job}. Wait until it rests, then ask again.`,
          vm.currentJobId ? { jobId: vm.currentJobId } : {},
        );
      }
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
    default:
      throw new MillwrightError('internal', `A volume has no ${type}.`);
  }
}

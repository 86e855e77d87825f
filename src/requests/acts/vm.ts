import type { ActBody, ActRequest } from '../../domain/acts.ts';
import type { Act } from '../../domain/kinds.ts';
import { MillwrightError, refusedFor } from '../../errors.ts';
import { isHosted, noFlavor, noImage } from '../offered.ts';
import type { Acting, nothingToDo, PreparedAct } from './index.ts';

const same: typeof nothingToDo = 'nothing-to-do';

/** The state in which each leaves a VM, and what takes it back. */
const power = {
  'vm.start': { state: 'running', back: 'stop' },
  'vm.stop': { state: 'stopped', back: 'start' },
  'vm.suspend': { state: 'suspended', back: 'resume' },
  'vm.resume': { state: 'running', back: 'suspend' },
} as const satisfies Readonly<Record<string, { readonly state: string; readonly back: Act }>>;

export function prepareVmAct({ type, body }: ActRequest, acting: Acting<'vm'>): PreparedAct | typeof nothingToDo {
  const { name, status } = acting.there;
  switch (type) {
    case 'vm.start':
    case 'vm.stop':
    case 'vm.suspend':
    case 'vm.resume': {
      const { state, back } = power[type];
      if (status === state) return same;
      // Of one in error nobody knows what it was before.
      if (status === 'error') return { spec: { name, before: null } };
      return { spec: { name, before: status }, change: { back: { verb: back, body: {} } } };
    }
    case 'vm.reboot':
      return { spec: { name } };
    case 'vm.resize':
      return resized(body, acting);
    case 'vm.rebuild': {
      const { catalog, there } = acting;
      const image = body.image ?? there.image;
      if (!catalog.images.includes(image)) throw refusedFor('invalid', [noImage(catalog, image)]);
      const { userData } = body;
      const change = { row: { image }, requested: { image } };
      return { spec: { name, image, userData, sshKeys: there.sshKeys }, change };
    }
    default:
      throw new MillwrightError('internal', `A vm has no ${type}.`);
  }
}

function resized(
  { flavor: wanted, ...given }: ActBody<'vm.resize'>,
  { there, catalog }: Acting<'vm'>,
): PreparedAct | typeof nothingToDo {
  const flavor = catalog.flavors.find(({ name }) => name === wanted);
  if (wanted !== undefined && !flavor) throw refusedFor('invalid', [noFlavor(catalog, wanted)]);
  const { vcpus, memoryMib, diskGib } = there;
  const before = { vcpus, memoryMib, diskGib };
  const after = {
    vcpus: flavor?.vcpus ?? given.vcpus ?? vcpus,
    memoryMib: flavor?.memoryMib ?? given.memoryMib ?? memoryMib,
    diskGib: flavor?.diskGib ?? given.diskGib ?? diskGib,
  };
  if (after.diskGib < diskGib) {
    const pointer = flavor ? '/flavor' : '/diskGib';
    const detail = `The disk of "${there.name}" has ${diskGib} GiB, and a disk does not shrink: ${after.diskGib} GiB would be less. Create a new VM, or take a larger size.`;
    throw refusedFor('invalid', [{ pointer, detail }]);
  }
  const named = flavor?.name ?? null;
  if (named === there.flavor && Object.entries(before).every(([size, value]) => Reflect.get(after, size) === value))
    return same;
  const quotaOf = (size: typeof before) => ({
    vms: 1,
    vcpus: size.vcpus,
    memoryMib: size.memoryMib,
    storageGib: size.diskGib,
    ...(there.gpus > 0 ? { gpus: there.gpus } : {}),
  });
  const columns = { vcpus: after.vcpus, memory_mib: after.memoryMib, disk_gib: after.diskGib };
  return {
    spec: {
      ...{ name: there.name, before, after },
      ...(isHosted(catalog, there.region, there.provider) ? { claims: true } : {}),
    },
    change: {
      row: { flavor: named, ...columns },
      requested: { flavor: named, ...after },
      quota: { before: quotaOf(before), after: quotaOf(after) },
      // A disk that has grown stays so.
      ...(after.diskGib === diskGib
        ? { back: { verb: 'resize' as const, body: there.flavor ? { flavor: there.flavor } : { vcpus, memoryMib } } }
        : {}),
    },
  };
}

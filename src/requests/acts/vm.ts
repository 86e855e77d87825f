import type { ActBody, ActRequest } from '../../domain/acts.ts';
import type { Act } from '../../domain/kinds.ts';
import { type Fault, MillwrightError } from '../../errors.ts';
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
      if (!catalog.images.includes(image))
        throw faulty({
          pointer: '/image',
          detail: `There is no image "${image}". There are: ${catalog.images.join(', ')}.`,
        });
      const { userData } = body;
      const change = { row: { image }, requested: { image } };
      return { spec: { name, image, userData, sshKeys: there.sshKeys }, change };
    }
    default:
      throw new MillwrightError('internal', `A vm has no ${type}.`);
  }
}

const faulty = (...faults: readonly Fault[]): MillwrightError =>
  new MillwrightError('invalid', faults.map(({ detail }) => detail).join(' '), { faults: [...faults] });

function resized(
  { flavor: wanted, ...given }: ActBody<'vm.resize'>,
  { there, catalog }: Acting<'vm'>,
): PreparedAct | typeof nothingToDo {
  const region = catalog.regions.find(({ name }) => name === there.region);
  const claims = region?.hosted.includes(there.provider) ? { claims: true as const } : {};
  const flavor = catalog.flavors.find(({ name }) => name === wanted);
  if (wanted !== undefined && !flavor) {
    const known = catalog.flavors.map(({ name }) => name).join(', ');
    throw faulty({ pointer: '/flavor', detail: `There is no flavor "${wanted}". There are: ${known}.` });
  }
  const { vcpus, memoryMib, diskGib } = there;
  const before = { vcpus, memoryMib, diskGib };
  const after = {
    vcpus: flavor?.vcpus ?? given.vcpus ?? vcpus,
    memoryMib: flavor?.memoryMib ?? given.memoryMib ?? memoryMib,
    diskGib: flavor?.diskGib ?? given.diskGib ?? diskGib,
  };
  if (after.diskGib < diskGib) {
    throw faulty({
      pointer: flavor ? '/flavor' : '/diskGib',
      detail: `The disk of "${there.name}" has ${diskGib} GiB, and a disk does not shrink: ${after.diskGib} GiB would be less. Create a new VM, or take a larger size.`,
    });
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
    spec: { name: there.name, before, after, ...claims },
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

import { z } from 'zod';
import {
  hostBootSchema,
  hostDeploySchema,
  hostMediaSchema,
  hostRebuildSchema,
  hostRescueSchema,
} from './bare-metal-host.ts';
import { jobFields } from './common.ts';
import type { ActType, operationTypes } from './kinds.ts';
import { vmRebuildSchema, vmResizeSchema } from './vm.ts';
import { volumeAttachSchema, volumeGrowSchema, volumeRestoreSchema } from './volume.ts';

/** The body of an act that asks for nothing but itself. */
const plainSchema = z.strictObject(jobFields).meta({ id: 'Act' });

/** The body of each act's request; what an operation of a batch holds under `with`, beside the resource's `name`. */
export const actSchemas = {
  'vm.start': plainSchema,
  'vm.stop': plainSchema,
  'vm.reboot': plainSchema,
  'vm.suspend': plainSchema,
  'vm.resume': plainSchema,
  'vm.resize': vmResizeSchema,
  'vm.rebuild': vmRebuildSchema,
  'volume.attach': volumeAttachSchema,
  'volume.detach': plainSchema,
  'volume.grow': volumeGrowSchema,
  'volume.restore': volumeRestoreSchema,
  'bare-metal-host.manage': plainSchema,
  'bare-metal-host.inspect': plainSchema,
  'bare-metal-host.clean': plainSchema,
  'bare-metal-host.provide': plainSchema,
  'bare-metal-host.deploy': hostDeploySchema,
  'bare-metal-host.rebuild': hostRebuildSchema,
  'bare-metal-host.undeploy': plainSchema,
  'bare-metal-host.rescue': hostRescueSchema,
  'bare-metal-host.unrescue': plainSchema,
  'bare-metal-host.adopt': plainSchema,
  'bare-metal-host.power-on': plainSchema,
  'bare-metal-host.power-off': plainSchema,
  'bare-metal-host.reboot': plainSchema,
  'bare-metal-host.set-boot-device': hostBootSchema,
  'bare-metal-host.insert-media': hostMediaSchema,
  'bare-metal-host.eject-media': plainSchema,
} as const satisfies Record<ActType, z.ZodObject>;

export type ActBody<Type extends ActType> = z.infer<(typeof actSchemas)[Type]>;

/** An act as it is asked for. */
export type ActRequest = { readonly [Type in ActType]: { readonly type: Type; readonly body: ActBody<Type> } }[ActType];

/** What each act does, in a sentence's beginning, for contracts and help. */
export const actTitles: Readonly<Record<ActType, string>> = {
  'vm.start': 'Start',
  'vm.stop': 'Stop',
  'vm.reboot': 'Reboot',
  'vm.suspend': 'Suspend',
  'vm.resume': 'Resume',
  'vm.resize': 'Resize',
  'vm.rebuild': 'Rebuild',
  'volume.attach': 'Attach to a VM',
  'volume.detach': 'Detach from its VM',
  'volume.grow': 'Grow',
  'volume.restore': 'Bring back from a snapshot',
  'bare-metal-host.manage': 'Reach the controller, and so manage,',
  'bare-metal-host.inspect': 'Take the inventory of',
  'bare-metal-host.clean': 'Wipe',
  'bare-metal-host.provide': 'Wipe, and make available,',
  'bare-metal-host.deploy': 'Deploy an image on',
  'bare-metal-host.rebuild': 'Deploy an image again on',
  'bare-metal-host.undeploy': 'Take down, wipe, and make available,',
  'bare-metal-host.rescue': 'Start a rescue image on',
  'bare-metal-host.unrescue': 'Start from its disk again',
  'bare-metal-host.adopt': 'Take over, with what runs on it,',
  'bare-metal-host.power-on': 'Turn on',
  'bare-metal-host.power-off': 'Turn off',
  'bare-metal-host.reboot': 'Reboot',
  'bare-metal-host.set-boot-device': 'Choose what starts',
  'bare-metal-host.insert-media': 'Put an image into the virtual drive of',
  'bare-metal-host.eject-media': 'Empty the virtual drive of',
};

/** What it did cannot be taken back: where it fails it is held, and a batch does not undo it. */
const irreversible: ReadonlySet<string> = new Set<ActType>([
  'vm.reboot',
  'vm.rebuild',
  'volume.grow',
  'volume.restore',
]);

/** A host is there before and after, and says itself how it stands: what fails on it ends so, unless somebody wants it held. */
export const endsAsItIs = (type: string): boolean => type.startsWith('bare-metal-host.');
export const isReversible = (type: (typeof operationTypes)[number]): boolean =>
  !type.endsWith('.delete') && !irreversible.has(type) && !endsAsItIs(type);

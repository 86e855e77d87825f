import { z } from 'zod';
import { jobFields } from './common.ts';
import type { ActType, operationTypes } from './kinds.ts';
import { vmRebuildSchema, vmResizeSchema } from './vm.ts';
import { volumeAttachSchema, volumeGrowSchema } from './volume.ts';

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
} as const satisfies Record<ActType, z.ZodObject>;

export type ActBody<Type extends ActType> = z.infer<(typeof actSchemas)[Type]>;

/** An act as it is asked for. */
export type ActRequest = { readonly [Type in ActType]: { readonly type: Type; readonly body: ActBody<Type> } }[ActType];

/** What each act does, in a sentence's beginning, for contracts and help. */
export const actTitles: Readonly<Record<ActType, string>> = {
  'vm.start': 'Start',
  'vm.stop': 'Stop',
  'vm.reboot': 'Reboot',
  'vm.suspend': 'Suspend, its memory kept,',
  'vm.resume': 'Resume',
  'vm.resize': 'Give another size to',
  'vm.rebuild': 'Make the disk anew of',
  'volume.attach': 'Attach to a VM',
  'volume.detach': 'Detach from its VM',
  'volume.grow': 'Grow',
};

/** What it did cannot be taken back: where it fails it is held, and a batch does not undo it. */
const irreversible: ReadonlySet<string> = new Set<ActType>(['vm.reboot', 'vm.rebuild', 'volume.grow']);
export const isReversible = (type: (typeof operationTypes)[number]): boolean =>
  !type.endsWith('.delete') && !irreversible.has(type);

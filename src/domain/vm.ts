import { z } from 'zod';
import {
  createFields,
  idSchema,
  jobFields,
  nameSchema,
  referenceSchema,
  resourceFields,
  secretText,
  sshKeysSchema,
} from './common.ts';
import { vmStates } from './life.ts';
import { placementSchema } from './placement.ts';

const sizeFields = {
  vcpus: z.int().min(1).max(256),
  memoryMib: z.int().min(128).max(4_194_304),
  diskGib: z.int().min(1).max(65_536),
};

/** The body of a create request, and what an operation `vm.create` of a batch file holds under `with`. */
export const vmCreateSchema = z
  .strictObject({
    ...createFields,
    flavor: nameSchema
      .optional()
      .meta({ description: 'A named size; or give vcpus, memoryMib and diskGib.', examples: ['small'] }),
    vcpus: sizeFields.vcpus.optional(),
    memoryMib: sizeFields.memoryMib.optional(),
    diskGib: sizeFields.diskGib.optional(),
    image: nameSchema.meta({ examples: ['debian-13'] }),
    sshKeys: sshKeysSchema,
    userData: secretText(65_536, 'cloud-init user data. Never shown again.'),
    networks: z
      .array(referenceSchema)
      .max(16)
      .default([])
      .meta({ description: 'Networks to join, the first giving the primary address.' }),
    volumes: z.array(referenceSchema).max(64).default([]).meta({ description: 'Volumes to attach.' }),
    gpus: z
      .int()
      .min(1)
      .max(64)
      .optional()
      .meta({ description: 'GPUs of its host that it has to itself; only where there are compute hosts.' }),
    placement: placementSchema.optional().meta({
      description: 'Where among the compute hosts of its region it may stand; any host where it is left out.',
    }),
  })
  .superRefine((body, context) => {
    const sizes = (['vcpus', 'memoryMib', 'diskGib'] as const).filter((field) => body[field] !== undefined);
    if (body.flavor !== undefined && sizes.length > 0) {
      context.addIssue({ code: 'custom', path: ['flavor'], message: `Give a flavor or ${sizes.join(', ')}, not both` });
    }
    if (body.flavor === undefined && sizes.length < 3) {
      context.addIssue({
        code: 'custom',
        path: ['flavor'],
        message: 'Give a flavor, or all of vcpus, memoryMib and diskGib',
      });
    }
    for (const field of ['networks', 'volumes'] as const) {
      body[field].forEach((reference, index) => {
        if (body[field].indexOf(reference) < index) {
          context.addIssue({ code: 'custom', path: [field, index], message: `"${reference}" is listed twice` });
        }
      });
    }
  })
  .meta({ id: 'VmCreate' });
export type VmCreate = z.infer<typeof vmCreateSchema>;

/** A new size: a flavor, or what changes of the three. */
export const vmResizeSchema = z
  .strictObject({
    flavor: nameSchema.optional().meta({ description: 'A named size; or give what changes.' }),
    vcpus: sizeFields.vcpus.optional(),
    memoryMib: sizeFields.memoryMib.optional(),
    diskGib: sizeFields.diskGib.optional().meta({ description: 'A disk can grow, and never shrinks.' }),
    ...jobFields,
  })
  .superRefine(({ flavor, vcpus, memoryMib, diskGib }, context) => {
    const sizes = [vcpus, memoryMib, diskGib].filter((size) => size !== undefined).length;
    if (flavor !== undefined && sizes > 0)
      context.addIssue({ code: 'custom', path: ['flavor'], message: 'Give a flavor, or sizes, not both' });
    if (flavor === undefined && sizes === 0)
      context.addIssue({ code: 'custom', path: ['flavor'], message: 'Give a flavor, or vcpus, memoryMib or diskGib' });
  })
  .meta({ id: 'VmResize' });

/** The disk made anew, from the same image or another. What it held is gone. */
export const vmRebuildSchema = z
  .strictObject({
    image: nameSchema.optional().meta({ description: 'The same one again where it is left out.' }),
    userData: secretText(65_536, 'cloud-init user data for its first start. Never shown again.'),
    ...jobFields,
  })
  .meta({ id: 'VmRebuild' });

const attachedSchema = z.object({ id: idSchema, name: nameSchema });

export const vmSchema = z
  .object({
    ...resourceFields,
    kind: z.literal('vm'),
    status: z.enum(vmStates),
    flavor: nameSchema.nullable(),
    ...sizeFields,
    gpus: z.int().min(0),
    image: nameSchema,
    sshKeys: z.array(z.string()),
    networks: z.array(attachedSchema),
    volumes: z.array(attachedSchema),
    address: z.string().nullable().meta({ description: 'The primary address: the first network’s.' }),
    addresses: z.array(z.object({ network: nameSchema, address: z.string() })),
  })
  .meta({ id: 'Vm' });
export type Vm = z.infer<typeof vmSchema>;

export const vmConsoleSchema = z.object({ lines: z.array(z.string()) }).meta({ id: 'VmConsole' });

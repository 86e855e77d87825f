import { z } from 'zod';
import { idSchema, labelsSchema, nameSchema, patchedLabelsSchema, timeSchema } from './common.ts';

const most = 2_147_483_647;
const room = {
  vcpus: z.int().min(1).max(65_536),
  memoryMib: z.int().min(128).max(most),
  diskGib: z.int().min(1).max(most),
  gpus: z.int().min(0).max(1024),
};
const cpuRatio = z
  .number()
  .min(1)
  .max(16)
  .meta({ description: 'How many vCPUs of VMs go onto one of its own. Memory, disk and GPUs are never given twice.' });
const groups = z
  .array(nameSchema)
  .max(32)
  .refine((names) => new Set(names).size === names.length, 'Expected each group once')
  .meta({ description: 'Groups of hosts that it is in, by name.' });
const rack = nameSchema.nullable().meta({ description: 'The rack that it stands in, by name.' });
const maintenance = z
  .string()
  .trim()
  .min(1)
  .max(1000)
  .nullable()
  .meta({ description: 'Why nothing new is placed on it. What is on it stays.' });

/** A machine that VMs are placed on. */
export const computeHostCreateSchema = z
  .strictObject({
    name: nameSchema,
    region: nameSchema,
    provider: nameSchema.optional().meta({ description: 'May be left out where the region has only one.' }),
    rack: rack.default(null),
    labels: labelsSchema.default({}),
    groups: groups.default([]),
    ...room,
    gpus: room.gpus.default(0),
    cpuRatio: cpuRatio.default(1),
    maintenance: maintenance.default(null),
  })
  .meta({ id: 'ComputeHostCreate' });
export type ComputeHostCreate = z.infer<typeof computeHostCreateSchema>;

/** What is left out stays. */
export const computeHostUpdateSchema = z
  .strictObject({
    rack: rack.optional(),
    labels: patchedLabelsSchema.optional(),
    groups: groups.optional(),
    vcpus: room.vcpus.optional(),
    memoryMib: room.memoryMib.optional(),
    diskGib: room.diskGib.optional(),
    gpus: room.gpus.optional(),
    cpuRatio: cpuRatio.optional(),
    maintenance: maintenance.optional(),
  })
  .refine((change) => Object.keys(change).length > 0, 'Expected something to change')
  .meta({ id: 'ComputeHostUpdate' });
export type ComputeHostUpdate = z.infer<typeof computeHostUpdateSchema>;

export const computeHostSchema = z
  .object({
    id: idSchema,
    name: nameSchema,
    region: nameSchema,
    provider: nameSchema,
    rack,
    labels: labelsSchema,
    groups,
    ...room,
    cpuRatio,
    maintenance,
    used: z
      .object({ vcpus: z.int(), memoryMib: z.int(), diskGib: z.int(), gpus: z.int() })
      .meta({ description: 'What the VMs that are placed on it take.' }),
    vms: z.int().meta({ description: 'How many VMs are placed on it.' }),
    createdAt: timeSchema,
  })
  .meta({ id: 'ComputeHost' });
export type ComputeHost = z.infer<typeof computeHostSchema>;

import { z } from 'zod';
import { idSchema, labelsSchema, nameSchema, referenceSchema, timeSchema } from './common.ts';
import { filterNames, weightNames } from './placement-names.ts';

const someLabels = labelsSchema.refine((labels) => Object.keys(labels).length > 0, 'Expected at least one label');

const peersSchema = z
  .strictObject({
    vms: z.array(referenceSchema).min(1).max(64).optional().meta({ description: 'VMs of the project, by name or id.' }),
    labels: someLabels.optional().meta({ description: 'VMs of the project that have all of these labels.' }),
  })
  .refine(({ vms, labels }) => vms !== undefined || labels !== undefined, 'Expected vms or labels');

/** Where among the compute hosts of its region a VM may stand. */
export const placementSchema = z
  .strictObject({
    group: nameSchema.optional().meta({ description: 'Only on hosts of this group.' }),
    labels: someLabels.optional().meta({ description: 'Only on hosts that have all of these labels.' }),
    affinity: peersSchema.optional().meta({ description: 'Only on a host on which one of these VMs is, once one is.' }),
    antiAffinity: peersSchema.optional().meta({ description: 'Only on a host on which none of these VMs is.' }),
    spread: z
      .strictObject({ over: z.enum(['rack']).default('rack'), labels: someLabels })
      .optional()
      .meta({ description: 'Only in a rack that has the fewest of the VMs with these labels.' }),
  })
  .refine((wish) => Object.keys(wish).length > 0, 'Expected at least one thing; leave placement out for any host');
export type PlacementWish = z.infer<typeof placementSchema>;
export type PeerChoice = z.infer<typeof peersSchema>;

const count = z.int().min(0);
const roomSchema = z.object({ vcpus: count, memoryMib: count, diskGib: count, gpus: count });
const score = z.number();

/** How a host came to be chosen, as it is kept with the claim. */
const explanationSchema = z.object({
  candidates: count.meta({ description: 'Compute hosts that were looked at.' }),
  removed: z
    .array(z.object({ filter: z.enum(filterNames), count }))
    .meta({ description: 'How many each filter removed, in their order.' }),
  remaining: count,
  best: z
    .array(
      z.object({
        host: nameSchema,
        rack: nameSchema.nullable(),
        score,
        parts: z.partialRecord(z.enum(weightNames), score),
      }),
    )
    .meta({ description: 'The best of those that remained, the chosen one first.' }),
  conflicts: count.meta({ description: 'How often another claim was faster.' }),
});
export type Explanation = z.infer<typeof explanationSchema>;

export const vmPlacementSchema = z
  .object({
    vm: z.object({ id: idSchema, name: nameSchema }),
    host: z.object({ id: idSchema, name: nameSchema, rack: nameSchema.nullable(), maintenance: z.string().nullable() }),
    claimed: roomSchema,
    placedAt: timeSchema,
    jobId: idSchema,
    explanation: explanationSchema,
  })
  .meta({ id: 'VmPlacement' });
export type VmPlacement = z.infer<typeof vmPlacementSchema>;

import { z } from 'zod';
import { createFields, idSchema, jobFields, nameSchema, referenceSchema, resourceFields } from './common.ts';
import { volumeStates } from './life.ts';

const sizeGib = z.int().min(1).max(65_536);

/** The body of a create request, and what an operation `volume.create` of a batch file holds under `with`. */
export const volumeCreateSchema = z.strictObject({ ...createFields, sizeGib }).meta({ id: 'VolumeCreate' });
export type VolumeCreate = z.infer<typeof volumeCreateSchema>;

export const volumeAttachSchema = z
  .strictObject({ vm: referenceSchema.meta({ description: 'The VM that is to have it.' }), ...jobFields })
  .meta({ id: 'VolumeAttach' });
export const volumeGrowSchema = z
  .strictObject({
    sizeGib: sizeGib.meta({ description: 'Larger than it is: a volume does not shrink.' }),
    ...jobFields,
  })
  .meta({ id: 'VolumeGrow' });

export const volumeRestoreSchema = z
  .strictObject({
    snapshot: referenceSchema.meta({ description: 'One of this volume. What was written since it was taken is lost.' }),
    ...jobFields,
  })
  .meta({ id: 'VolumeRestore' });

export const volumeSchema = z
  .object({
    ...resourceFields,
    kind: z.literal('volume'),
    status: z.enum(volumeStates),
    sizeGib,
    attachedTo: z
      .object({ id: idSchema, name: nameSchema })
      .nullable()
      .meta({ description: 'The VM that has it; while it is `attaching`, the one that will.' }),
  })
  .meta({ id: 'Volume' });
export type Volume = z.infer<typeof volumeSchema>;

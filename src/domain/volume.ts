import { z } from 'zod';
import { createFields, resourceFields } from './common.ts';
import { passiveStates } from './life.ts';

const sizeGib = z.int().min(1).max(65_536);

/** The body of a create request, and what an operation `volume.create` of a batch file holds under `with`. */
export const volumeCreateSchema = z.strictObject({ ...createFields, sizeGib }).meta({ id: 'VolumeCreate' });
export type VolumeCreate = z.infer<typeof volumeCreateSchema>;

export const volumeSchema = z
  .object({ ...resourceFields, kind: z.literal('volume'), status: z.enum(passiveStates), sizeGib })
  .meta({ id: 'Volume' });
export type Volume = z.infer<typeof volumeSchema>;

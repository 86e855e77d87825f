import { z } from 'zod';
import { createFields, idSchema, nameSchema, referenceSchema, resourceFields } from './common.ts';
import { passiveStates } from './life.ts';

const { region: _region, provider: _provider, ...fields } = createFields;

/** The body of a create request, and what an operation `snapshot.create` holds under `with`. It is where its volume is. */
export const snapshotCreateSchema = z
  .strictObject({
    ...fields,
    volume: referenceSchema.meta({ description: 'The volume, attached or not, whose content it keeps.' }),
  })
  .meta({ id: 'SnapshotCreate' });
export type SnapshotCreate = z.infer<typeof snapshotCreateSchema>;

export const snapshotSchema = z
  .object({
    ...resourceFields,
    kind: z.literal('snapshot'),
    status: z.enum(passiveStates),
    sizeGib: z.int().meta({ description: 'The size of its volume when it was asked for.' }),
    volume: z.object({ id: idSchema, name: nameSchema }).nullable().meta({ description: 'Null once it is deleted.' }),
  })
  .meta({ id: 'Snapshot' });
export type Snapshot = z.infer<typeof snapshotSchema>;

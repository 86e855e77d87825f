import { z } from 'zod';
import { idSchema, nameSchema, timeSchema } from './common.ts';
import { powerStates } from './host-states.ts';
import { bareMetalHostStates } from './life.ts';

const units = z.int().min(1).max(100);

/** A frame that hosts stand in, its units numbered from 1 at its foot. */
export const rackCreateSchema = z
  .strictObject({ name: nameSchema, region: nameSchema, heightUnits: units.default(42) })
  .meta({ id: 'RackCreate' });
export type RackCreate = z.infer<typeof rackCreateSchema>;

export const rackSchema = z
  .object({ id: idSchema, name: nameSchema, region: nameSchema, heightUnits: units, createdAt: timeSchema })
  .meta({ id: 'Rack' });
export type Rack = z.infer<typeof rackSchema>;

/** Where a host stands: its lowest unit, and how many it fills. */
export const rackPlaceSchema = z.strictObject({ unit: units, heightUnits: units.default(1) }).meta({ id: 'RackPlace' });
export type RackPlace = z.infer<typeof rackPlaceSchema>;

/** A rack as one stands before it, the highest unit first. */
export const elevationSchema = rackSchema
  .extend({
    units: z.array(
      z.object({
        unit: units,
        host: z
          .object({
            id: idSchema,
            name: nameSchema,
            status: z.enum(bareMetalHostStates),
            power: z.enum(powerStates).nullable(),
            maintenance: z.string().nullable(),
            repair: z.string().nullable(),
          })
          .nullable(),
      }),
    ),
  })
  .meta({ id: 'RackElevation' });
export type Elevation = z.infer<typeof elevationSchema>;

export const hostGroupCreateSchema = z.strictObject({ name: nameSchema }).meta({ id: 'HostGroupCreate' });
/** Hosts of which something is to be said together; a host may be in several groups. */
export const hostGroupSchema = z
  .object({
    id: idSchema,
    name: nameSchema,
    createdAt: timeSchema,
    hosts: z.array(z.object({ id: idSchema, name: nameSchema })),
  })
  .meta({ id: 'HostGroup' });
export type HostGroup = z.infer<typeof hostGroupSchema>;

const mark = z.string().trim().min(1).max(1000).nullable();
/** What is left out stays; null takes it off. */
export const hostMarksSchema = z
  .strictObject({
    maintenance: mark.optional().meta({ description: 'Why nothing is to be deployed on it.' }),
    repair: mark.optional().meta({ description: 'What of it is broken.' }),
  })
  .refine((marks) => Object.keys(marks).length > 0, 'Expected maintenance or repair; found nothing to change')
  .meta({ id: 'HostMarks' });
export type HostMarks = z.infer<typeof hostMarksSchema>;

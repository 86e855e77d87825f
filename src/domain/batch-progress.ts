import { z } from 'zod';
import { idSchema, timeSchema } from './common.ts';
import { errorInfoSchema } from './job.ts';
import { batchOperationTypes } from './kinds.ts';

/** For what an operation of a batch may wait. What needs somebody comes first, what ends by itself last. */
export const waitKinds = [
  'decision',
  'approval',
  'paused',
  'region',
  'worker',
  'retry',
  'time',
  'group',
  'slot',
  'operations',
  'end',
] as const;
export type WaitKind = (typeof waitKinds)[number];

export const waitSchema = z
  .object({
    kind: z.enum(waitKinds),
    reason: z.string().meta({ description: 'What has to happen before it goes on, in words.' }),
    since: timeSchema.nullable(),
    until: timeSchema.nullable().meta({ description: 'When the wait ends by itself, where that is known.' }),
  })
  .meta({ id: 'BatchWait' });
export type Wait = z.infer<typeof waitSchema>;

/** In these an operation is under way, or at rest in the middle. */
export const activeStates = ['RUNNING', 'WAITING', 'ROLLING_BACK', 'ROLLBACK_FAILED'] as const;

const briefSchema = z.object({ id: z.string(), type: z.enum(batchOperationTypes) });

const activeSchema = briefSchema
  .extend({
    state: z.enum(activeStates),
    resource: z.string().nullable().meta({ description: 'Its resource’s name.' }),
    jobId: idSchema.nullable(),
    step: z.string().nullable(),
    attempts: z.int(),
    startedAt: timeSchema.nullable(),
    error: errorInfoSchema.nullable(),
    waitingFor: waitSchema.nullable(),
  })
  .meta({ id: 'BatchActiveOperation' });
export type ActiveView = z.infer<typeof activeSchema>;

export const progressSchema = z
  .object({
    held: z.array(activeSchema).meta({ description: 'Those that wait for a decision, at most 20.' }),
    retrying: z.array(activeSchema).meta({ description: 'Those whose last try failed, at most 20.' }),
    running: z
      .array(activeSchema)
      .meta({ description: 'The others under way, or being taken back, at most 20: the longest first.' }),
    underWay: z.int().meta({ description: 'How many are under way, or being taken back, in all.' }),
    waiting: z
      .array(z.object({ kind: z.enum(waitKinds), count: z.int(), reason: z.string() }))
      .meta({ description: 'How many wait, for what. `reason` is that of the first of them.' }),
    next: z.array(briefSchema).meta({ description: 'Those that begin as soon as they may, at most 10, in order.' }),
    estimatedEndAt: timeSchema.nullable().meta({ description: 'Null where nothing is known to estimate it by.' }),
  })
  .meta({ id: 'BatchProgress' });
export type BatchProgress = z.infer<typeof progressSchema>;

/** Of each list of a progress so many at most. */
export const listedAtMost = 20;
export const nextAtMost = 10;

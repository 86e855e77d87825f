import { z } from 'zod';
import { operationStates } from './batch.ts';
import { idSchema, nameSchema, timeSchema } from './common.ts';
import { jobStates, rollbackStates } from './job.ts';
import { batchOperationTypes } from './kinds.ts';

const seconds = z.number().meta({ description: 'In seconds.' });

const spanSchema = z
  .object({
    id: z.string(),
    type: z.enum(batchOperationTypes),
    region: nameSchema.nullable(),
    state: z.enum(operationStates),
    dependsOn: z.array(z.string()).meta({ description: 'The hard and the soft ones.' }),
    lane: z.int().nullable().meta({
      description: 'Operations of one lane never overlap; null where it has not begun. Counted from 0.',
    }),
    startedAt: timeSchema.nullable(),
    endedAt: timeSchema.nullable(),
    seconds: seconds.nullable(),
    waitedSeconds: seconds
      .nullable()
      .meta({ description: 'From the end of the last that it depended on, or the batch’s begin, to its own begin.' }),
    attempts: z.int().meta({ description: 'How often its steps were tried, in all.' }),
    rollback: z.object({ startedAt: timeSchema, endedAt: timeSchema.nullable() }).nullable(),
    critical: z.boolean(),
  })
  .meta({ id: 'BatchTimelineOperation' });
export type Span = z.infer<typeof spanSchema>;

const criticalSchema = z.object({
  id: z.string(),
  waitedSeconds: seconds,
  seconds,
  share: z
    .number()
    .meta({ description: 'Of the time from the batch’s begin to the end of the path, its wait included.' }),
});
export type CriticalStep = z.infer<typeof criticalSchema>;

export const timelineSchema = z
  .object({
    id: idSchema,
    name: nameSchema,
    state: z.enum(jobStates),
    rollback: z.enum(rollbackStates),
    createdAt: timeSchema,
    startedAt: timeSchema.nullable(),
    endedAt: timeSchema.nullable(),
    at: timeSchema.meta({ description: 'When it was looked at: what goes on lasts until then.' }),
    lanes: z.int(),
    criticalPath: z.array(criticalSchema).meta({
      description:
        'What the time was spent on: from the operation that ended last back through the dependency that ended last, the first first.',
    }),
    operations: z.array(spanSchema).meta({ description: 'In the order of the file.' }),
  })
  .meta({ id: 'BatchTimeline' });
export type Timeline = z.infer<typeof timelineSchema>;

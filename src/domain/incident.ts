import { z } from 'zod';
import { idSchema, timeSchema } from './common.ts';

/**
 * What raises an incident; the same cause raises one, and its end resolves it.
 *
 * `job-pending`: accepted, and no worker has begun it. `step-late`: a step takes longer than steps should. `job-late`:
 * a job is past its deadline and not yet undone. `job-held`: a decision is needed. `quota-near`: more of a limit is in use than
 * a threshold allows; one for each scope, metric and threshold.
 */
export const incidentKinds = ['job-pending', 'step-late', 'job-late', 'job-held', 'quota-near'] as const;

export const incidentSchema = z
  .object({
    id: idSchema,
    organizationId: idSchema,
    projectId: idSchema.nullable().meta({ description: 'Null: of the whole organization.' }),
    kind: z.enum(incidentKinds),
    state: z.enum(['open', 'resolved']),
    summary: z.string(),
    jobId: idSchema.nullable().meta({ description: 'Null where no job is the cause, as of `quota-near`.' }),
    resource: z.object({ id: idSchema, kind: z.string(), name: z.string() }),
    region: z.string().nullable(),
    openedAt: timeSchema,
    resolvedAt: timeSchema.nullable(),
  })
  .meta({ id: 'Incident' });
export type Incident = z.infer<typeof incidentSchema>;

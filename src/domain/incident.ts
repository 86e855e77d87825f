import { z } from 'zod';
import { idSchema, timeSchema } from './common.ts';

/**
 * What raises an incident; the same cause raises one, and its end resolves it.
 *
 * `job-pending`: accepted, and no worker has begun it. `step-late`: a step takes longer than steps should. `job-late`:
 * a job is past its deadline and not yet undone. `job-held`: a decision is needed. `quota-near`: more of a limit is in use than
 * a threshold allows; one for each scope, metric and threshold.
 *
 * What reconciliation sees: `drift`: a resource is missing or changed at its provider; one for each resource. Of the
 * platform itself, one for each provider of a region: `orphans`: something is there that nothing says should be.
 * `not-compared`: two runs in a row could not compare it.
 */
export const incidentKinds = [
  'job-pending',
  'step-late',
  'job-late',
  'job-held',
  'quota-near',
  'drift',
  'orphans',
  'not-compared',
] as const;

/**
 * ```
 *   open ── somebody sees to it: acknowledged ──┐
 *     └─────────────────────────────────────────┴─ its cause has ended: resolved
 * ```
 */
export const incidentStates = ['open', 'acknowledged', 'resolved'] as const;

/** The events by which an incident that nobody sees to is told again, each later than the one before. */
export const escalations = ['first', 'second', 'third', 'fourth', 'fifth'] as const;

export const incidentSchema = z
  .object({
    id: idSchema,
    organizationId: idSchema.nullable().meta({ description: 'Null: of the platform itself.' }),
    projectId: idSchema.nullable().meta({ description: 'Null: of the whole organization, or of the platform.' }),
    kind: z.enum(incidentKinds),
    state: z.enum(incidentStates),
    summary: z.string(),
    jobId: idSchema.nullable().meta({ description: 'Null where no job is the cause, as of `quota-near`.' }),
    resource: z.object({ id: idSchema.nullable(), kind: z.string(), name: z.string() }),
    region: z.string().nullable(),
    openedAt: timeSchema,
    acknowledgedAt: timeSchema.nullable(),
    acknowledgedBy: z.string().nullable(),
    note: z.string().nullable().meta({ description: 'What whoever acknowledged it said.' }),
    escalation: z.int().meta({ description: 'How many times it was told again, because nobody acknowledged it.' }),
    resolvedAt: timeSchema.nullable(),
  })
  .meta({ id: 'Incident' });
export type Incident = z.infer<typeof incidentSchema>;

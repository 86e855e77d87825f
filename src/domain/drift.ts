import { z } from 'zod';
import { idSchema, nameSchema, timeSchema } from './common.ts';
import { madeKinds } from './kinds.ts';
import { driftClasses, notComparedReasons } from './observation.ts';

export const driftStates = ['suspected', 'open', 'resolved'] as const;
export type DriftState = (typeof driftStates)[number];

const valueSchema = z.union([z.string(), z.number(), z.array(z.string())]).nullable();

export const driftSchema = z
  .object({
    id: idSchema,
    class: z.enum(driftClasses).meta({
      description:
        '`missing`: it should be there. `orphaned`: it is, and nothing says that it should. `changed`: a field is another.',
    }),
    kind: z.enum(madeKinds),
    key: z.string().meta({ description: 'What its provider knows it by.' }),
    name: z.string(),
    region: nameSchema,
    provider: nameSchema,
    resourceId: idSchema.nullable(),
    organizationId: idSchema.nullable(),
    projectId: idSchema.nullable(),
    field: z.string().nullable().meta({ description: 'Of `changed` alone.' }),
    wanted: valueSchema,
    found: valueSchema,
    state: z.enum(driftStates).meta({ description: '`suspected`: seen by one run; the next has to see it as well.' }),
    firstSeenAt: timeSchema,
    confirmedAt: timeSchema.nullable(),
    resolvedAt: timeSchema.nullable(),
  })
  .meta({ id: 'Drift' });
export type Drift = z.infer<typeof driftSchema>;

const runSchema = z.object({
  workflowId: z.string(),
  startedAt: timeSchema,
  /** Null while it is under way. */
  outcome: z
    .discriminatedUnion('state', [
      z.object({ state: z.literal('compared'), wanted: z.int(), found: z.int(), findings: z.int() }),
      z.object({
        state: z.literal('not-compared'),
        reason: z.enum(notComparedReasons),
        message: z.string(),
        since: timeSchema,
      }),
      z.object({ state: z.literal('failed') }),
    ])
    .nullable()
    .meta({ description: 'Null while it is under way.' }),
});

export const reconciliationSchema = z
  .object({
    region: nameSchema,
    provider: nameSchema,
    paused: z.boolean(),
    pausedBecause: z.string().nullable(),
    everySeconds: z.int().meta({ description: '0: only when it is asked for.' }),
    nextRunAt: timeSchema.nullable(),
    lastRun: runSchema.nullable(),
  })
  .meta({ id: 'Reconciliation' });
export type Reconciliation = z.infer<typeof reconciliationSchema>;

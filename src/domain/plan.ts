import { z } from 'zod';
import { planActions } from './batch.ts';
import { idSchema, nameSchema } from './common.ts';
import { batchOperationTypes, resourceKinds } from './kinds.ts';
import { quotaMetrics, quotaScopes } from './quota.ts';

/** Stands where a value will be known only when the batch runs. */
export const knownAfterApply = '(known after apply)';
/** Stands where a secret is, or was. */
export const veiledSecret = '(secret)';

const differenceSchema = z
  .object({
    field: z.string(),
    before: z.unknown(),
    after: z.unknown(),
    replaces: z.string().nullable().meta({
      description: 'Why the resource has to be made anew for it; null for what is changed in place.',
    }),
  })
  .meta({
    id: 'PlanDifference',
    description: `Where a value is not known before, it is “${knownAfterApply}”; a secret is “${veiledSecret}” and never shown.`,
  });
export type PlanDifference = z.infer<typeof differenceSchema>;

/** Where an estimate comes from. */
const estimateBases = ['past', 'default', 'file', 'none'] as const;
export type EstimateBasis = (typeof estimateBases)[number];

const planOperationSchema = z
  .object({
    id: z.string().meta({ description: 'As the file has it; `<id>/_old` deletes what `<id>` replaces.' }),
    type: z.enum(batchOperationTypes),
    action: z.enum(planActions),
    region: nameSchema.nullable(),
    provider: nameSchema.nullable(),
    resource: z
      .object({
        kind: z.enum(resourceKinds),
        name: z.string().meta({ description: `“${knownAfterApply}” where it refers to an output.` }),
        id: idSchema.nullable().meta({ description: 'Of what is there; null where it is to be made.' }),
      })
      .nullable(),
    replacedBy: z.string().nullable().meta({ description: 'The operation that makes anew what this one deletes.' }),
    differences: z.array(differenceSchema),
    reasons: z.array(z.string()).meta({ description: 'Why it does so, beside what differs.' }),
    conditional: z.boolean().meta({ description: 'Its condition may leave it out when its turn comes.' }),
    dependsOn: z.array(z.string()),
    softDependsOn: z.array(z.string()),
    wave: z.int().nullable().meta({ description: 'From 1; null where it has nothing to do.' }),
    seconds: z.number().meta({ description: 'How long it is expected to take.' }),
    estimatedFrom: z.enum(estimateBases).meta({
      description:
        '`past`: the median of jobs of its type, region and provider that succeeded; `default`: there are none; `file`: the file says; `none`: it takes no time, or nobody knows (an approval).',
    }),
    beginsAfterSeconds: z.number().nullable().meta({ description: 'As estimated, from the batch’s begin.' }),
  })
  .meta({ id: 'PlanOperation' });
export type PlanOperation = z.infer<typeof planOperationSchema>;

const planQuotaSchema = z
  .object({
    scope: z.enum(quotaScopes),
    name: z.string(),
    metrics: z.array(
      z.object({
        metric: z.enum(quotaMetrics),
        used: z.int(),
        limit: z.int().nullable().meta({ description: 'Null: without limit.' }),
        delta: z.int().meta({ description: 'What the batch takes, less what it gives back.' }),
        peak: z.int().meta({ description: 'The most that is in use at once, as the run is estimated.' }),
        fits: z.boolean(),
      }),
    ),
  })
  .meta({ id: 'PlanQuota' });
export type PlanQuota = z.infer<typeof planQuotaSchema>;

export const planSchema = z
  .object({
    name: nameSchema,
    version: z.int(),
    hash: z.string().meta({
      description: 'Of the file, what is there, and what the catalogue offers it: the same while none of them changes.',
    }),
    counts: z.record(z.enum(planActions), z.int()).meta({
      description: 'How many operations do what; one that replaces is counted once.',
    }),
    operations: z.array(planOperationSchema).meta({ description: 'In the order of the file.' }),
    waves: z.array(z.array(z.string())).meta({
      description: 'What has something to do, by levels: each operation depends on earlier levels alone.',
    }),
    quota: z.object({
      fits: z.boolean().meta({ description: 'Where it does not, applying the file is refused.' }),
      scopes: z.array(planQuotaSchema).meta({ description: 'Those metrics that the batch changes.' }),
    }),
    criticalPath: z.object({
      operations: z.array(z.string()),
      seconds: z.number().meta({ description: 'What it takes at least, however many run at once.' }),
    }),
    estimate: z.object({
      seconds: z.number().meta({ description: 'With its parallelLimit; limits of groups are not reckoned with.' }),
      parallelLimit: z.int(),
    }),
    warnings: z.array(z.string()),
  })
  .meta({ id: 'Plan' });
export type Plan = z.infer<typeof planSchema>;

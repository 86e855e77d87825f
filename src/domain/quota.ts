import { z } from 'zod';
import { idSchema } from './common.ts';

/** What a quota counts. */
export const quotaMetrics = [
  'vms',
  'vcpus',
  'memoryMib',
  'storageGib',
  'networks',
  'volumes',
  'snapshots',
  'buckets',
  'addresses',
  'gpus',
  'bareMetalHosts',
  'clusters',
] as const;
export type QuotaMetric = (typeof quotaMetrics)[number];

/** What one resource takes. */
export type QuotaUse = Readonly<Partial<Record<QuotaMetric, number>>>;

/** What is above nothing of each metric. */
export const someQuota = (amountOf: (metric: QuotaMetric) => number): QuotaUse =>
  Object.fromEntries(
    quotaMetrics.map((metric) => [metric, amountOf(metric)] as const).filter(([, amount]) => amount > 0),
  );

/** Where a quota holds. A request has to fit into every scope that it falls into. */
export const quotaScopes = ['project', 'organization'] as const;

const forEachMetric = <Schema extends z.ZodType>(schema: Schema) =>
  z.object({
    vms: schema,
    vcpus: schema,
    memoryMib: schema,
    storageGib: schema,
    networks: schema,
    volumes: schema,
    snapshots: schema,
    buckets: schema,
    addresses: schema,
    gpus: schema,
    bareMetalHosts: schema,
    clusters: schema,
  } satisfies Record<QuotaMetric, Schema>);

const amount = z.int().min(0).max(Number.MAX_SAFE_INTEGER);

export const quotaSchema = z
  .object({
    scope: z.enum(quotaScopes),
    id: idSchema,
    name: z.string(),
    metrics: forEachMetric(
      z.object({ used: z.int(), limit: z.int().nullable().meta({ description: 'Null: without limit.' }) }),
    ),
  })
  .meta({ id: 'Quota' });
export type Quota = z.infer<typeof quotaSchema>;

const reason = z.string().min(1).max(1000).optional().meta({ description: 'Why, for the record.' });

/** A limit left out stays as it is. One below what is in use is allowed: it keeps more from being taken. */
export const projectLimitsSchema = z.strictObject({ limits: forEachMetric(amount).partial().strict(), reason });
export const organizationLimitsSchema = z.strictObject({
  limits: forEachMetric(amount.nullable().meta({ description: 'Null: without limit.' }))
    .partial()
    .strict(),
  reason,
});
export type QuotaLimits = z.infer<typeof organizationLimitsSchema>['limits'];

export const quotaDifferenceSchema = z
  .object({
    scope: z.enum(quotaScopes),
    id: idSchema,
    name: z.string(),
    metric: z.enum(quotaMetrics),
    recorded: z.int(),
    counted: z.int().meta({ description: 'What the resources that are there take.' }),
  })
  .meta({ id: 'QuotaDifference' });
export type QuotaDifference = z.infer<typeof quotaDifferenceSchema>;

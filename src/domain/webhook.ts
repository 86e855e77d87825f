import { z } from 'zod';
import { idSchema, nameSchema, timeSchema } from './common.ts';
import { kindPattern, typePattern } from './event.ts';

/**
 * ```
 *  enabled ──▶ disabled    by its owner; by us, when it answers 410, has failed for days, or fell behind what is kept
 *     ▲            │
 *     └────────────┘       by its owner alone: it goes on where it stopped
 * ```
 */
export const webhookStates = ['enabled', 'disabled'] as const;

/**
 * ```
 *  pending ──▶ delivered    answered with 2xx
 *     │  ▲ └──▶ dead        tried as often as it may be, or the endpoint is gone
 *     ▼  └─────────┘        redelivered
 *  (again, later)
 * ```
 */
export const deliveryStates = ['pending', 'delivered', 'dead'] as const;

const secretForm = { description: 'Of Standard Webhooks: verifies signatures. Shown this once.' };

const fields = {
  name: nameSchema,
  url: z
    .string()
    .max(2000)
    .meta({
      description: 'Where events are sent by POST: https, without credentials, and no address of an inner network.',
      examples: ['https://example.com/hooks/millwright'],
    }),
  types: z
    .array(
      z.string().max(100).regex(typePattern, 'Expected a type like "job.ended", or all that begin alike like "job.*"'),
    )
    .max(50)
    .meta({ description: 'Only events of these types; none: all.', examples: [['job.ended', 'incident.*']] }),
  kinds: z
    .array(z.string().max(63).regex(kindPattern, 'Expected a kind like "vm"'))
    .max(50)
    .meta({ description: 'Only events about these kinds; none: all.', examples: [['vm']] }),
  concurrency: z.int().min(1).max(16).meta({
    description:
      'How many are sent at once. With 1, events come one after the other in their order; with more, those about different resources may overtake each other.',
  }),
};

export const webhookCreateSchema = z
  .strictObject({
    ...fields,
    types: fields.types.default([]),
    kinds: fields.kinds.default([]),
    concurrency: fields.concurrency.default(1),
  })
  .meta({ id: 'WebhookCreate' });
export type WebhookCreate = z.infer<typeof webhookCreateSchema>;

export const webhookUpdateSchema = z
  .strictObject({
    url: fields.url.optional(),
    types: fields.types.optional(),
    kinds: fields.kinds.optional(),
    concurrency: fields.concurrency.optional(),
    enabled: z
      .boolean()
      .optional()
      .meta({ description: 'Enabled again, it goes on with the first event that it has not had.' }),
    skipMissed: z.boolean().optional().meta({
      description:
        'With `enabled: true`: go on with what happens from now, where what it missed is not all kept or not wanted.',
    }),
  })
  .meta({ id: 'WebhookUpdate' });
export type WebhookUpdate = z.infer<typeof webhookUpdateSchema>;

export const webhookSchema = z
  .object({
    id: idSchema,
    organizationId: idSchema,
    projectId: idSchema,
    ...fields,
    state: z.enum(webhookStates),
    stateReason: z.string().nullable(),
    failures: z.int().meta({ description: 'How many attempts have failed since the last that did not.' }),
    failingSince: timeSchema.nullable(),
    previousSecretUntil: timeSchema.nullable().meta({ description: 'Until then the secret before signs as well.' }),
    deliveries: z
      .object({ pending: z.int(), dead: z.int() })
      .meta({ description: 'How many are on their way, and how many were given up.' }),
    createdAt: timeSchema,
    updatedAt: timeSchema,
  })
  .meta({ id: 'Webhook' });
export type Webhook = z.infer<typeof webhookSchema>;

export const newWebhookSchema = webhookSchema
  .extend({ secret: z.string().meta({ ...secretForm, examples: ['whsec_…'] }) })
  .meta({ id: 'NewWebhook' });
export type NewWebhook = z.infer<typeof newWebhookSchema>;

export const rotateSchema = z
  .strictObject({
    graceSeconds: z
      .int()
      .min(0)
      .max(30 * 86_400)
      .default(86_400)
      .meta({ description: 'For so long the secret before signs as well.' }),
  })
  .meta({ id: 'WebhookRotate' });

export const deliverySchema = z
  .object({
    id: idSchema,
    webhookId: idSchema,
    eventId: z.string().meta({ description: 'The event’s id, and the `webhook-id` of every attempt.' }),
    type: z.string(),
    state: z.enum(deliveryStates),
    attempts: z.int(),
    nextAttemptAt: timeSchema.nullable(),
    lastAttemptAt: timeSchema.nullable(),
    status: z.int().nullable().meta({ description: 'The HTTP status of the last attempt.' }),
    error: z.string().nullable().meta({ description: 'Why the last attempt failed.' }),
    response: z.string().nullable().meta({ description: 'How the answer to the last attempt began.' }),
    createdAt: timeSchema,
    endedAt: timeSchema.nullable(),
  })
  .meta({ id: 'WebhookDelivery' });
export type Delivery = z.infer<typeof deliverySchema>;

/** What came of one attempt to deliver. */
export interface Outcome {
  /** Null: there was no answer. */
  readonly status: number | null;
  /** Null: it was delivered. */
  readonly error: string | null;
  /** How the answer began. */
  readonly response: string | null;
  readonly retryAfterSeconds: number | null;
}

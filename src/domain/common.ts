import { z } from 'zod';
import { failurePolicies } from './job-states.ts';

/** The form of an id: what has it is never a name, so that a path may hold either. */
const idPattern = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i;
export const isId = (reference: string): boolean => idPattern.test(reference);

/** A name as DNS allows it for a label (RFC 1123), starting with a letter and never of the form of an id. */
export const nameSchema = z
  .string()
  .regex(
    /^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/,
    'Expected 1 to 63 lower-case letters, digits and hyphens, starting with a letter and not ending with a hyphen',
  )
  .refine((name) => !isId(name), 'Expected a name; this has the form of an id')
  .meta({ examples: ['web-1'] });

/** An id or a name: how a path or a body points at a resource. */
export const referenceSchema = z.string().min(1).max(63).meta({ description: 'A name or an id.' });

/** Who is asked about a resource: a group by its name, or one member of the organisation by e-mail address. */
const maintainerReferenceSchema = z
  .string()
  .max(254)
  .regex(
    /^([a-z]([a-z0-9-]{0,61}[a-z0-9])?|[^@\s]+@[^@\s]+)$/i,
    'Expected the name of a maintainer group, or the e-mail address of a member of the organization',
  )
  .transform((reference) => reference.toLowerCase())
  .meta({
    description: 'A maintainer group of the organization by name, or one of its members by e-mail address.',
    examples: ['storage-team'],
  });

/**
 * A text that is taken and never shown: sealed in the database, encrypted in workflow histories, in no answer, log or
 * event. `writeOnly` is what says so, to readers of the API and to `src/secrets` alike.
 */
export const secretText = (longest: number, description: string) =>
  z
    .string()
    .max(longest)
    .refine((text) => text.isWellFormed() && !text.includes('\0'), 'Expected text without NUL and half surrogates')
    .default('')
    .meta({ description, writeOnly: true });

const labelKey = z
  .string()
  .regex(
    /^[a-zA-Z0-9][a-zA-Z0-9._/-]{0,62}$/,
    'Expected a label key of up to 63 letters, digits, ".", "_", "/" or "-"',
  );
const labelValue = z.string().max(255);
export const labelsSchema = z
  .record(labelKey, labelValue)
  .refine((labels) => Object.keys(labels).length <= 64, 'Expected at most 64 labels');

/** `key=value`, once for each label: as a query has them. */
export const labelFilterSchema = z
  .preprocess(
    (given) => (typeof given === 'string' ? [given] : given),
    z.array(z.string().regex(/^[^=]+=.{0,255}$/s, 'Expected "key=value"')).max(64),
  )
  .transform((pairs) => pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]))
  .refine((pairs) => new Set(pairs.map(([key]) => key)).size === pairs.length, 'Expected each label once')
  .transform((pairs): Readonly<Record<string, string>> => Object.fromEntries(pairs));

export const idSchema = z.uuid();
export const timeSchema = z.iso.datetime().meta({ description: 'ISO 8601, UTC.' });

/** A year. */
export const longestJobSeconds = 31_536_000;

/** What every request says of the job that it begins. */
export const jobFields = {
  onFailure: z.enum(failurePolicies).optional().meta({
    description:
      'When a step has failed for good: `rollback` undoes the job, `hold` waits for a decision, `keep` ends it as it is. `rollback` where it is left out; a deletion, which cannot be undone, is then held.',
  }),
  timeoutSeconds: z
    .int()
    .min(1)
    .max(longestJobSeconds)
    .optional()
    .meta({ description: 'What is not done by then has failed. Undoing takes as long as it takes.' }),
};

export const sshKeysSchema = z
  .array(
    z
      .string()
      .regex(/^(ssh-|ecdsa-|sk-)\S+ \S+/, 'Expected an OpenSSH public key, like "ssh-ed25519 AAAA…"')
      .max(16_384),
  )
  .max(64)
  .default([]);

/** What every create request carries beside its kind's own fields. */
export const createFields = {
  name: nameSchema,
  region: nameSchema.meta({
    description: 'The region to build in; see `GET /api/ops/v1/regions`.',
    examples: ['tpe-1'],
  }),
  provider: nameSchema
    .optional()
    .meta({ description: 'One of the region’s providers; may be left out where it has only one.' }),
  labels: labelsSchema.default({}),
  deletionProtection: z.boolean().default(false),
  ...jobFields,
};

const maintainerSchema = z
  .object({
    kind: z.enum(['user', 'maintainer-group']),
    id: idSchema,
    name: z.string().meta({ description: 'A group’s name, or a user’s e-mail address.' }),
  })
  .meta({ id: 'Maintainer', description: 'Who is asked about it.' });
export type Maintainer = z.infer<typeof maintainerSchema>;

export const patchedLabelsSchema = z
  .record(labelKey, labelValue.nullable())
  .meta({ description: 'Those to set; null takes one away, and what is not named stays (RFC 7396).' });

/** What may be changed of a resource without its provider. */
export const updateFields = {
  labels: patchedLabelsSchema.optional(),
  deletionProtection: z.boolean().optional(),
  maintainer: maintainerReferenceSchema
    .nullable()
    .optional()
    .meta({ description: 'Who is asked about it; null for nobody.' }),
};

/** At least one thing. */
export const resourceUpdateSchema = z
  .strictObject(updateFields)
  .refine(
    (change) => Object.keys(change).length > 0,
    'Expected labels, deletionProtection or maintainer; found nothing to change',
  )
  .meta({ id: 'ResourceUpdate' });
export type ResourceUpdate = z.infer<typeof resourceUpdateSchema>;

/** What every resource shows (SPEC C), whatever its kind. */
export const resourceFields = {
  id: idSchema,
  organizationId: idSchema,
  projectId: idSchema,
  name: nameSchema,
  statusReason: z.string().nullable(),
  labels: labelsSchema,
  provider: nameSchema,
  region: nameSchema,
  providerReference: z.string().nullable().meta({ description: 'The id the provider gave.' }),
  deletionProtection: z.boolean(),
  maintainer: maintainerSchema.nullable(),
  currentJobId: idSchema.nullable().meta({ description: 'The job that is at work on it, if any.' }),
  createdAt: timeSchema,
  updatedAt: timeSchema,
};

import { z } from 'zod';
import { createFields, jobFields, nameSchema, resourceFields, timeSchema } from './common.ts';
import { bucketStates } from './life.ts';

/** The body of a create request, and what an operation `bucket.create` of a batch file holds under `with`. */
export const bucketCreateSchema = z.strictObject(createFields).meta({ id: 'BucketCreate' });
export type BucketCreate = z.infer<typeof bucketCreateSchema>;

/** Whether a deletion takes what the bucket holds with it. */
export const forceSchema = z
  .boolean()
  .default(false)
  .meta({ description: 'With everything that it holds. Without, one that holds anything is not deleted.' });

/** So many access keys may a bucket have. */
export const mostKeys = 20;

const key = nameSchema.meta({ description: 'The name of the access key, which no other of this bucket has.' });
const secret = z
  .string()
  .regex(/^[\x21-\x7e]{32,128}$/, 'Expected 32 to 128 printable ASCII characters without spaces')
  .meta({ description: 'Its secret, never shown again.', writeOnly: true });

/** Without a secret one is made, and is in the answer. A batch shows none, and has to bring one. */
export const bucketKeyCreateSchema = z
  .strictObject({ key, secret: secret.optional(), ...jobFields })
  .meta({ id: 'BucketKeyCreate' });
export const bucketKeyRevokeSchema = z.strictObject({ key, ...jobFields }).meta({ id: 'BucketKeyRevoke' });

/** An access key as the request that made it is told of it, and nobody else ever. */
export const shownKeySchema = z
  .object({
    accessKey: z.string(),
    secret: z.string().nullable().meta({ description: 'Null for a request that is repeated after its job has ended.' }),
  })
  .meta({ id: 'ShownBucketKey' });
export type ShownKey = z.infer<typeof shownKeySchema>;

export const bucketSchema = z
  .object({
    ...resourceFields,
    kind: z.literal('bucket'),
    status: z.enum(bucketStates),
    endpoint: z.string().nullable().meta({ description: 'Where what it holds is reached; null until it is there.' }),
    keys: z
      .array(z.object({ name: nameSchema, accessKey: z.string(), createdAt: timeSchema }))
      .meta({ description: "Its access keys, by name; their secrets are the provider's alone." }),
  })
  .meta({ id: 'Bucket' });
export type Bucket = z.infer<typeof bucketSchema>;

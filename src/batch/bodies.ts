import { z } from 'zod';
import { type ActBody, actSchemas } from '../domain/acts.ts';
import { bareMetalHostCreateSchema } from '../domain/bare-metal-host.ts';
import { bucketCreateSchema, forceSchema } from '../domain/bucket.ts';
import { clusterCreateSchema } from '../domain/cluster.ts';
import { referenceSchema, updateFields } from '../domain/common.ts';
import { type ActType, isActType, operationTypes } from '../domain/kinds.ts';
import { networkCreateSchema } from '../domain/network.ts';
import { snapshotCreateSchema } from '../domain/snapshot.ts';
import { vmCreateSchema } from '../domain/vm.ts';
import { volumeCreateSchema } from '../domain/volume.ts';
import { secretPaths } from '../secrets/fields.ts';
import { durationSchema, type FileOperationType } from './file.ts';

const deleteSchema = z.strictObject({ name: referenceSchema });

const updateSchema = z
  .strictObject({ name: referenceSchema, ...updateFields })
  .refine(
    ({ name: _, ...change }) => Object.values(change).some((value) => value !== undefined),
    'Expected labels, deletionProtection or maintainer; found nothing to change',
  );

const httpMethods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
const statusSchema = z.int().min(100).max(599);

const callFields = {
  url: z
    .string()
    .max(8192)
    .regex(/^https?:\/\/[^\s/?#]+\S*$/, 'Expected a URL that begins with https:// or http://')
    .meta({ description: 'Of a host that the operator allows.' }),
  method: z.enum(httpMethods).default('GET'),
  headers: z
    .record(z.string().regex(/^[\w!#$%&'*+.^`|~-]+$/, 'Expected the name of a header'), z.string().max(8192))
    .default({})
    .meta({ description: 'Never shown again.', writeOnly: true }),
  body: z
    .unknown()
    .optional()
    .meta({ description: 'Text as it is, anything else as JSON. Never shown again.', writeOnly: true }),
  expectStatus: z
    .union([statusSchema, z.array(statusSchema).min(1)])
    .optional()
    .meta({ description: 'The status, or each, that means it is done; 200 to 299 where it is left out.' }),
};

const httpRequestSchema = z.strictObject({
  ...callFields,
  undo: z.strictObject(callFields).optional().meta({ description: 'The call that takes it back, in a rollback.' }),
});

const approvalSchema = z.strictObject({
  message: z.string().min(1).max(1000).meta({ description: 'What is to be approved.' }),
  role: z.string().min(1).max(63).optional().meta({ description: 'The role of those who may.' }),
});

const applySchema = z
  .strictObject({
    file: z.string().min(1).max(1000).optional().meta({ description: 'Its path, from the file that names it.' }),
    batch: z.record(z.string(), z.unknown()).optional().meta({ description: 'A batch written out here.' }),
    variables: z.record(z.string(), z.unknown()).default({}).meta({ description: 'Values for its variables.' }),
  })
  .refine(({ file, batch }) => (file === undefined) !== (batch === undefined), 'Give one of file and batch');

/** An act's request beside the name of its resource; what a job is told stands beside `with`. */
const actBodies = Object.fromEntries(
  operationTypes.filter(isActType).map((type) => {
    // A batch shows nobody the secret that would be made.
    const schema: z.ZodObject =
      type === 'bucket.create-key' ? actSchemas[type].required({ secret: true }) : actSchemas[type];
    return [type, schema.safeExtend({ name: referenceSchema })];
  }),
) as unknown as { readonly [Type in ActType]: z.ZodType<{ name: string } & ActBody<Type>> & z.ZodObject };

/** What `with` holds: for a resource the body of its kind's request, whose region and provider stand beside it. */
export const bodies = {
  'vm.create': vmCreateSchema,
  'vm.update': updateSchema,
  'vm.delete': deleteSchema,
  'network.create': networkCreateSchema,
  'network.update': updateSchema,
  'network.delete': deleteSchema,
  'volume.create': volumeCreateSchema,
  'volume.update': updateSchema,
  'volume.delete': deleteSchema,
  'snapshot.create': snapshotCreateSchema,
  'snapshot.update': updateSchema,
  'snapshot.delete': deleteSchema,
  'bucket.create': bucketCreateSchema,
  'bucket.update': updateSchema,
  'bucket.delete': deleteSchema.extend({ force: forceSchema }),
  'bare-metal-host.create': bareMetalHostCreateSchema,
  'bare-metal-host.update': updateSchema,
  'bare-metal-host.delete': deleteSchema,
  'cluster.create': clusterCreateSchema,
  'cluster.update': updateSchema,
  'cluster.delete': deleteSchema,
  ...actBodies,
  'wait.for': z.strictObject({ duration: durationSchema }),
  'wait.until': z.strictObject({
    time: z.iso.datetime({ offset: true, error: 'Expected a time with its zone, like 2026-01-31T18:00:00Z' }),
  }),
  'wait.approval': approvalSchema,
  'http.request': httpRequestSchema,
  'batch.apply': applySchema,
} as const satisfies Record<FileOperationType, z.ZodObject>;

export type BodyOf<Type extends FileOperationType> = z.infer<(typeof bodies)[Type]>;

const secretsOf = new Map<FileOperationType, ReturnType<typeof secretPaths>>();

/** Whether what stands at a path under `with` is secret. */
export function isSecretField(type: FileOperationType, path: readonly PropertyKey[]): boolean {
  const secrets = secretsOf.get(type) ?? secretPaths(bodies[type]);
  secretsOf.set(type, secrets);
  return secrets.some((secret) => secret.every((key, depth) => key === '*' || key === path[depth]));
}

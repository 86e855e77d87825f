import { z } from 'zod';
import { longestJobSeconds, nameSchema } from '../domain/common.ts';
import type { RetryPolicy } from '../domain/job.ts';
import { type FailurePolicy, failurePolicies } from '../domain/job-states.ts';
import { type BatchOperationType, batchOperationTypes } from '../domain/kinds.ts';

/** Whether what cannot be changed in place may be deleted and made anew. */
const replacePolicies = ['allow', 'forbid'] as const;
type ReplacePolicy = (typeof replacePolicies)[number];

/**
 * A batch file that has no fault, its defaults filled in, variables put in their places, and its groups (each
 * `forEach`, each nested batch) spread out into operations.
 */
export interface BatchFile {
  readonly name: string;
  readonly version: number;
  readonly parallelLimit: number;
  readonly onFailure: FailurePolicy;
  readonly replace: ReplacePolicy;
  /** From acceptance to the batch's deadline; none where it is left out. */
  readonly timeoutSeconds?: number;
  /** By a group's id: how many of its members may be under way at once. */
  readonly limits: Readonly<Record<string, number>>;
  /** Secret variables by name; a `with` refers to them by `${variables.NAME}`, and nothing else of them is left. */
  readonly secrets: Readonly<Record<string, string>>;
  /** In the order of the file; the members of a group before its `group.join`. */
  readonly operations: readonly BatchOperation[];
}

export interface BatchOperation {
  /** A name; of a group's member `<group>/<key>`, at any depth. */
  readonly id: string;
  readonly type: BatchOperationType;
  readonly region?: string;
  /** Where it is left out, the region's only one. */
  readonly provider?: string;
  /** Every operation that it waits for and cannot do without, named or implied by what it refers to; in the order of the file. */
  readonly dependsOn: readonly string[];
  /** Those that it waits for, whatever becomes of them. None of them is in `dependsOn`. */
  readonly softDependsOn: readonly string[];
  /** All must hold when its turn comes; else it is left out. */
  readonly conditions: readonly Condition[];
  readonly retry?: Partial<RetryPolicy>;
  readonly timeoutSeconds?: number;
  /** The batch's, where it is left out. */
  readonly onFailure?: FailurePolicy;
  /** The batch's, where it is left out. */
  readonly replace?: ReplacePolicy;
  /** As the file has it; references to outputs and to secret variables unresolved. */
  readonly with: Readonly<Record<string, unknown>>;
}

/** A CEL expression, with what it may look at beside the outputs and states of the operations that it names. */
export interface Condition {
  readonly expression: string;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly each?: Each;
  /** What stands before the ids of the operations that it names: `site/` within a nested batch, else empty. */
  readonly scope: string;
}

/** The member of a `forEach` that is meant by `each`. */
export interface Each {
  readonly key: string;
  readonly value: unknown;
  /** From 0. */
  readonly index: number;
}

/** The names that a file may use. */
export interface Catalog {
  readonly regions: readonly { readonly name: string; readonly providers: readonly string[] }[];
  readonly flavors: readonly string[];
  readonly images: readonly string[];
}

export const mostOperations = 10_000;

/** What a file may name as an operation's type: the end of a group is the parser's own, a nested batch is spread out. */
export type FileOperationType = Exclude<BatchOperationType, 'group.join'> | 'batch.apply';
export const fileOperationTypes: readonly FileOperationType[] = [
  ...batchOperationTypes.filter((type) => type !== 'group.join'),
  'batch.apply',
];

/** Types that are built somewhere, or called from there. */
export const needsRegion = (type: FileOperationType): boolean =>
  (type.endsWith('.create') && !isWhereItsVolumeIs(type)) || type === 'http.request';

/** A snapshot is made where its volume is, and says nothing of it. */
export const isWhereItsVolumeIs = (type: FileOperationType): boolean => type === 'snapshot.create';

const secondsOf: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** Seconds, or a number with its unit. */
export const durationSchema = z
  .union([
    z.int().min(1).max(longestJobSeconds),
    z.string().regex(/^[1-9]\d{0,7}[smhd]$/, 'Expected seconds, or a number with its unit, as 90s, 10m, 2h or 7d'),
  ])
  .transform((duration) =>
    typeof duration === 'number' ? duration : Number(duration.slice(0, -1)) * (secondsOf[duration.slice(-1)] ?? 1),
  )
  .refine((seconds) => seconds <= longestJobSeconds, 'Expected at most a year')
  .meta({ description: 'Seconds, or a number with its unit: 90s, 10m, 2h, 7d.', examples: ['10m'] });

const variableTypes = ['string', 'integer', 'number', 'boolean', 'list', 'object'] as const;
export type VariableType = (typeof variableTypes)[number];

const variableName = /^[A-Za-z]\w{0,62}$/;

export const variableSchema = z.strictObject({
  type: z.enum(variableTypes).default('string'),
  default: z.unknown().optional().meta({ description: 'Where the request gives no value; without it one is needed.' }),
  description: z.string().max(1000).optional(),
  secret: z
    .boolean()
    .default(false)
    .meta({ description: 'Never shown; may stand only where a field is secret. Has no default.' }),
  enum: z.array(z.unknown()).min(1).optional().meta({ description: 'The values that it may have.' }),
  minimum: z.number().optional().meta({ description: 'Of an integer or a number.' }),
  maximum: z.number().optional().meta({ description: 'Of an integer or a number.' }),
});
export type VariableDeclaration = z.infer<typeof variableSchema>;

export const fileSchema = z.strictObject({
  name: nameSchema.meta({ description: 'Need not be unique: a name means the newest batch that has it.' }),
  version: z.int().min(1).max(2_147_483_647).default(1).meta({ description: 'A number of your own.' }),
  parallelLimit: z
    .int()
    .min(1)
    .max(1000)
    .default(10)
    .meta({ description: 'How many operations run at once, at most.' }),
  onFailure: z
    .enum(failurePolicies)
    .default('rollback')
    .meta({ description: 'What becomes of the batch when an operation fails.' }),
  replace: z
    .enum(replacePolicies)
    .default('allow')
    .meta({ description: 'Whether what cannot be changed in place may be deleted and made anew.' }),
  timeout: durationSchema
    .optional()
    .meta({ description: 'Of the whole batch, from its acceptance: seconds, or 90s, 10m, 2h, 7d.' }),
  variables: z
    .record(
      z.string().regex(variableName, 'Expected a name of letters, digits and "_", beginning with a letter'),
      z.unknown(),
    )
    .default({})
    .meta({ description: 'By name: what a reference to it stands for.' }),
  operations: z.array(z.unknown()).min(1).max(mostOperations).meta({ description: 'Their order does not matter.' }),
});

const dependencySchema = z.union([z.string(), z.strictObject({ id: z.string(), soft: z.boolean().default(false) })]);

const retrySchema = z.strictObject({
  maximumAttempts: z.int().min(1).max(1000).optional(),
  initialSeconds: z.number().min(0.001).max(86_400).optional(),
  maximumSeconds: z.number().min(0.001).max(86_400).optional(),
});

export const operationSchema = z.strictObject({
  id: nameSchema.meta({ description: 'Unique in its file.' }),
  type: z.enum(fileOperationTypes),
  region: z.string().optional(),
  provider: z.string().optional().meta({ description: 'May be left out in a region that has only one.' }),
  dependsOn: z
    .array(dependencySchema)
    .default([])
    .meta({ description: 'Ids of what it waits for; soft: whatever becomes of it.' }),
  when: z
    .string()
    .min(1)
    .max(2000)
    .optional()
    .meta({ description: 'A CEL expression; where it does not hold the operation is left out.' }),
  forEach: z
    .union([z.array(z.unknown()), z.record(z.string(), z.unknown()), z.int().min(0).max(mostOperations), z.string()])
    .optional()
    .meta({ description: 'One operation for each entry of a list or mapping, or so many.' }),
  limit: z
    .int()
    .min(1)
    .max(1000)
    .optional()
    .meta({ description: 'How many of the group’s members run at once, at most.' }),
  retry: retrySchema.optional(),
  timeout: durationSchema.optional(),
  onFailure: z.enum(failurePolicies).optional(),
  replace: z.enum(replacePolicies).optional(),
  with: z.record(z.string(), z.unknown()),
});

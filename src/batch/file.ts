import { z } from 'zod';
import { nameSchema } from '../domain/common.ts';
import type { RetryPolicy } from '../domain/job.ts';
import { type FailurePolicy, failurePolicies } from '../domain/job-states.ts';
import { type BatchOperationType, operationTypes } from '../domain/kinds.ts';

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
interface Condition {
  readonly expression: string;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly each?: Each;
  /** What stands before the ids of the operations that it names: `site/` within a nested batch, else empty. */
  readonly scope: string;
}

/** The member of a `forEach` that is meant by `each`. */
interface Each {
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

export const fileSchema = z.strictObject({
  name: nameSchema,
  version: z.int().min(1).max(2_147_483_647).default(1),
  parallelLimit: z.int().min(1).max(1000).default(10),
  onFailure: z.enum(failurePolicies).default('rollback'),
  replace: z.enum(replacePolicies).default('allow'),
  operations: z.array(z.unknown()).min(1).max(mostOperations),
});

export const operationSchema = z.strictObject({
  id: nameSchema,
  type: z.enum(operationTypes),
  region: z.string().optional(),
  provider: z.string().optional(),
  dependsOn: z.array(z.string()).default([]),
  with: z.record(z.string(), z.unknown()),
});

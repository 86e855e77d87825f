import { z } from 'zod';
import { nameSchema } from '../domain/common.ts';
import { type FailurePolicy, failurePolicies } from '../domain/job-states.ts';
import { type OperationType, operationTypes } from '../domain/kinds.ts';

/** A batch file that has no fault, its defaults filled in. */
export interface BatchFile {
  readonly name: string;
  readonly version: number;
  readonly parallelLimit: number;
  readonly onFailure: FailurePolicy;
  /** In the order of the file. */
  readonly operations: readonly BatchOperation[];
}

export interface BatchOperation {
  readonly id: string;
  readonly type: OperationType;
  readonly region?: string;
  /** Where it is left out, the region's only one. */
  readonly provider?: string;
  /** Every operation that it waits for, whether named or implied by what it refers to; in the order of the file. */
  readonly dependsOn: readonly string[];
  /** As the file has it, references unresolved. */
  readonly with: Readonly<Record<string, unknown>>;
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

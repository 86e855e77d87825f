import { z } from 'zod';
import { progressSchema, waitSchema } from './batch-progress.ts';
import { idSchema, nameSchema, timeSchema } from './common.ts';
import { errorInfoSchema, failurePolicies, jobStates, rollbackStates } from './job.ts';
import { batchOperationTypes, resourceKinds } from './kinds.ts';

/**
 * What a batch will do to what is there: make it, change it in place, delete it and make it anew, delete it, leave it
 * as it is, or (what is no resource: a wait, a call, the end of a group) run it.
 */
export const planActions = ['create', 'change', 'replace', 'delete', 'none', 'run'] as const;
export type PlanAction = (typeof planActions)[number];

/**
 * An operation of a batch.
 *
 * ```
 *  UNCHANGED                      what it asks for was there when the batch was accepted
 *  PENDING ──▶ RUNNING ──▶ SUCCEEDED ──▶ ROLLING_BACK ──▶ ROLLED_BACK
 *     │           │                       │       ▲
 *     │           │                       ▼       │ settle: retry
 *     │           │                     ROLLBACK_FAILED
 *     ├───────────┼──▶ FAILED     refused, or its own job has undone what it did
 *     │           └──▶ CANCELED   likewise
 *     ├──▶ WAITING ──▶ SUCCEEDED, FAILED, CANCELED   a wait: for a time, or for somebody's approval
 *     └──▶ SKIPPED                its condition left it out, or another failed before its turn came
 *
 *  FAILED, CANCELED, SKIPPED, ROLLED_BACK ──▶ PENDING   settle: retry of a batch that is held; a batch that is resumed
 * ```
 *
 * Accepting the batch sets PENDING or UNCHANGED. Beginning an operation sets RUNNING (FAILED where it is refused, and
 * SUCCEEDED where nothing is left to do), and ROLLING_BACK when it is taken back; the end of its job, through `record`,
 * sets the rest. The batch's workflow sets SKIPPED.
 */
export const operationStates = [
  'PENDING',
  'RUNNING',
  'WAITING',
  'SUCCEEDED',
  'UNCHANGED',
  'FAILED',
  'SKIPPED',
  'CANCELED',
  'ROLLING_BACK',
  'ROLLED_BACK',
  'ROLLBACK_FAILED',
] as const;
export type OperationState = (typeof operationStates)[number];

export const batchOperationSchema = z
  .object({
    id: z
      .string()
      .meta({ description: 'As the file has it, of a group’s member `<group>/<key>`; unique in its batch.' }),
    type: z.enum(batchOperationTypes),
    region: nameSchema.nullable(),
    provider: nameSchema.nullable(),
    dependsOn: z
      .array(z.string())
      .meta({ description: 'Every operation that it waits for, named or implied by what it refers to.' }),
    state: z.enum(operationStates),
    waitingFor: waitSchema
      .nullable()
      .meta({ description: 'Until it has ended: what has to happen before it goes on; null while it is at work.' }),
    jobId: idSchema.nullable(),
    resource: z.object({ id: idSchema, kind: z.enum(resourceKinds), name: nameSchema }).nullable(),
    outputs: z
      .record(z.string(), z.unknown())
      .nullable()
      .meta({ description: 'What the operation gives to those that refer to it.' }),
    error: errorInfoSchema.nullable(),
    startedAt: timeSchema.nullable(),
    endedAt: timeSchema.nullable(),
  })
  .meta({ id: 'BatchOperation' });
export type BatchOperationView = z.infer<typeof batchOperationSchema>;

export const batchSchema = z
  .object({
    id: idSchema,
    organizationId: idSchema,
    projectId: idSchema,
    name: nameSchema,
    version: z.int(),
    parallelLimit: z.int().meta({ description: 'How many operations run at once, at most.' }),
    onFailure: z.enum(failurePolicies),
    state: z.enum(jobStates).meta({ description: 'Its job’s.' }),
    rollback: z.enum(rollbackStates),
    jobId: idSchema,
    counts: z
      .partialRecord(z.enum(operationStates), z.int())
      .meta({ description: 'How many operations are in each state.' }),
    error: errorInfoSchema.nullable(),
    workflowId: z.string().nullable(),
    createdAt: timeSchema,
    startedAt: timeSchema.nullable(),
    endedAt: timeSchema.nullable(),
  })
  .meta({ id: 'Batch' });
export type BatchView = z.infer<typeof batchSchema>;

export const batchBasicSchema = batchSchema.extend({ progress: progressSchema }).meta({ id: 'BatchBasic' });
export type BatchBasic = z.infer<typeof batchBasicSchema>;

export const batchDetailSchema = batchBasicSchema
  .extend({ operations: z.array(batchOperationSchema).meta({ description: 'In the order of the file.' }) })
  .meta({ id: 'BatchDetail' });
export type BatchDetail = z.infer<typeof batchDetailSchema>;

/** What a batch file that has no fault holds. */
export const batchSummarySchema = z
  .object({
    name: nameSchema,
    version: z.int(),
    operations: z.int().meta({ description: 'How many there are, groups spread out.' }),
    types: z.record(z.string(), z.int()).meta({ description: 'How many there are of each type.' }),
    groups: z.int().meta({ description: 'How many `forEach` and nested batches.' }),
  })
  .meta({ id: 'BatchSummary' });
export type BatchSummary = z.infer<typeof batchSummarySchema>;

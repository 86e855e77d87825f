import { z } from 'zod';
import { errorCodes, providerErrorClasses } from '../errors.ts';
import { idSchema, nameSchema, timeSchema } from './common.ts';
import { type OperationType, operationTypes } from './kinds.ts';

/**
 * A job is one durable saga at work on one resource (or one batch).
 *
 * ```
 *  PENDING ──▶ RUNNING ◀──▶ RETRYING
 *                 │  ├──▶ SUCCEEDED
 *                 │  ├──▶ FAILED      rollback: complete | none
 *                 │  ├──▶ CANCELED    rollback: complete
 *                 └──┴──▶ HELD        rollback: stuck ── settle: retry ──▶ RUNNING
 * ```
 *
 * The accepting transaction sets PENDING; the job's own workflow, through `record`, sets all others.
 */
export const jobStates = ['PENDING', 'RUNNING', 'RETRYING', 'HELD', 'SUCCEEDED', 'FAILED', 'CANCELED'] as const;
export type JobState = (typeof jobStates)[number];

/** From each state, the states a job may go to. None: it has ended. */
export const jobMoves: Readonly<Record<JobState, readonly JobState[]>> = {
  PENDING: ['RUNNING', 'FAILED', 'CANCELED'],
  RUNNING: ['RUNNING', 'RETRYING', 'HELD', 'SUCCEEDED', 'FAILED', 'CANCELED'],
  RETRYING: ['RUNNING', 'RETRYING', 'HELD', 'SUCCEEDED', 'FAILED', 'CANCELED'],
  HELD: ['RUNNING', 'FAILED', 'CANCELED'],
  SUCCEEDED: [],
  FAILED: [],
  CANCELED: [],
};

export const hasEnded = (state: JobState): boolean => jobMoves[state].length === 0;

export const rollbackStates = ['none', 'running', 'complete', 'stuck'] as const;
export type RollbackState = (typeof rollbackStates)[number];

/** A step of a job. `UNDOING`, `UNDONE` and `UNDO_FAILED` are its life during a rollback. */
export const stepStates = ['RUNNING', 'RETRYING', 'SUCCEEDED', 'FAILED', 'UNDOING', 'UNDONE', 'UNDO_FAILED'] as const;
export type StepState = (typeof stepStates)[number];

export const settlements = ['retry'] as const;
export type Settlement = (typeof settlements)[number];

/** What each type of job hands its provider: names resolved, sizes filled in. `key` is what the provider knows a resource by. */
export interface VmSpec {
  readonly name: string;
  readonly vcpus: number;
  readonly memoryMib: number;
  readonly diskGib: number;
  readonly image: string;
  readonly sshKeys: readonly string[];
  readonly userData: string;
  readonly networks: readonly NamedKey[];
  readonly volumes: readonly NamedKey[];
}
export interface NetworkSpec {
  readonly name: string;
  readonly cidr: string;
}
export interface VolumeSpec {
  readonly name: string;
  readonly sizeGib: number;
}
interface NamedKey {
  readonly key: string;
  readonly name: string;
}
export interface SpecOf {
  readonly vm: VmSpec;
  readonly network: NetworkSpec;
  readonly volume: VolumeSpec;
}

/** How a step that fails transiently is tried again. A provider's own retry-after is honoured where it is longer. */
export interface RetryPolicy {
  readonly maximumAttempts: number;
  readonly initialSeconds: number;
  readonly maximumSeconds: number;
}

/** A job as its workflow gets it: everything it needs to decide, nothing to look up. */
export interface Job<Spec = unknown> {
  readonly id: string;
  readonly type: OperationType;
  readonly resourceId: string;
  readonly resourceName: string;
  /** What the provider knows the resource by, fixed when the resource was accepted. */
  readonly key: string;
  readonly organization: string;
  readonly project: string;
  readonly provider: string;
  readonly region: string;
  readonly spec: Spec;
  readonly retry: RetryPolicy;
  /** The last transition that the database has of this job; the next is one higher. */
  readonly sequence: number;
}

/** What a finished job leaves: shown by the job, kept by the resource, and the outputs of a batch's operation. */
export interface JobResult {
  readonly providerReference?: string;
  readonly addresses?: readonly { readonly network: string; readonly address: string }[];
}

export const errorInfoSchema = z
  .object({ code: z.enum(errorCodes), message: z.string(), providerClass: z.enum(providerErrorClasses).optional() })
  .meta({ id: 'ErrorInfo' });

const stepSchema = z
  .object({
    position: z.int(),
    name: z.string(),
    state: z.enum(stepStates),
    attempts: z.int(),
    error: errorInfoSchema.nullable(),
    nextAttemptAt: timeSchema.nullable(),
    providerReference: z.string().nullable(),
    startedAt: timeSchema,
    endedAt: timeSchema.nullable(),
  })
  .meta({ id: 'JobStep' });
export type Step = z.infer<typeof stepSchema>;

/** A batch's own job has the type `batch.apply`. */
const jobTypes: readonly JobType[] = [...operationTypes, 'batch.apply'];
export type JobType = OperationType | 'batch.apply';

export const jobSchema = z
  .object({
    id: idSchema,
    organizationId: idSchema,
    projectId: idSchema,
    type: z.enum(jobTypes),
    state: z.enum(jobStates),
    rollback: z.enum(rollbackStates),
    resource: z.object({ id: idSchema, kind: z.string(), name: nameSchema }),
    region: z.string().nullable(),
    batchId: idSchema.nullable().meta({ description: 'The batch that this job is an operation of, if any.' }),
    operationId: z.string().nullable(),
    error: errorInfoSchema.nullable(),
    nextAttemptAt: timeSchema.nullable(),
    waitingFor: z.string().nullable().meta({ description: 'What has to happen before it goes on, if it waits.' }),
    leftovers: z.array(z.string()).meta({ description: 'The steps whose undo failed, while rollback is stuck.' }),
    steps: z.array(stepSchema),
    workflowId: z.string(),
    temporalUiUrl: z.string().nullable(),
    createdAt: timeSchema,
    startedAt: timeSchema.nullable(),
    endedAt: timeSchema.nullable(),
  })
  .meta({ id: 'Job' });
export type JobView = z.infer<typeof jobSchema>;

/** One change of a job, as `GET /jobs/{id}/events` streams it. */
export const jobEventSchema = z
  .object({
    jobId: idSchema,
    type: z.string(),
    operationId: z.string().nullable(),
    resource: z.object({ kind: z.string(), name: z.string() }),
    state: z.enum(jobStates),
    rollback: z.enum(rollbackStates),
    step: z
      .object({ name: z.string(), state: z.enum(stepStates), attempts: z.int(), nextAttemptAt: timeSchema.nullable() })
      .nullable(),
    error: errorInfoSchema.nullable(),
    at: timeSchema,
  })
  .meta({ id: 'JobEvent' });
export type JobEvent = z.infer<typeof jobEventSchema>;

/** What one may ask of a job that is `HELD`. */
export const settleSchema = z
  .strictObject({ action: z.enum(settlements), reason: z.string().min(1).max(1000) })
  .meta({ id: 'Settle' });

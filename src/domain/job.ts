import { z } from 'zod';
import { type ErrorInfo, errorCodes, providerErrorClasses } from '../errors.ts';
import type { MachineGroup, NodeRole } from './cluster-machines.ts';
import { idSchema, nameSchema, timeSchema } from './common.ts';
import type { BootDevice } from './host-states.ts';
import {
  type FailurePolicy,
  failurePolicies,
  type JobState,
  type JobType,
  jobStates,
  type RollbackState,
  rollbackStates,
  settlements,
  stepStates,
} from './job-states.ts';
import { httpType, operationTypes, type SagaType } from './kinds.ts';
import type { PlacementWish } from './placement.ts';
import type { Trail } from './trail.ts';
import type { StepChange } from './transition.ts';

export * from './job-states.ts';

/** What each type of job hands its provider: names resolved, sizes filled in. `key` is what the provider knows a resource by. */
export interface VmSpec {
  readonly name: string;
  readonly vcpus: number;
  readonly memoryMib: number;
  readonly diskGib: number;
  readonly image: string;
  readonly sshKeys: readonly string[];
  readonly userData: string;
  readonly networks: readonly (NamedKey & {
    /** The address that it is to have there; the provider's own choice where it is left out. */
    readonly address?: string;
  })[];
  readonly volumes: readonly NamedKey[];
  /** Its addresses are ours to assign. Left out by releases that left them to the provider, and without networks. */
  readonly addresses?: 'assigned';
  /** It is to be placed on one of the region's compute hosts. Left out by releases that had none, and in regions without. */
  readonly placement?: PlacementWish;
  readonly gpus?: number;
  /** The compute host that it was placed on. */
  readonly host?: string;
}
/** The states in which a VM rests at its provider. */
export type VmRestState = 'running' | 'stopped' | 'suspended';
export interface VmSize {
  readonly vcpus: number;
  readonly memoryMib: number;
  readonly diskGib: number;
}
export interface VmRebuild {
  readonly name: string;
  readonly image: string;
  readonly sshKeys: readonly string[];
  readonly userData: string;
}
/** What the workflows of a VM's acts are told. */
export interface VmPowerSpec {
  readonly name: string;
  /** The state to be given back; null where nobody knows it. */
  readonly before: VmRestState | null;
}
export interface VmResizeSpec {
  readonly name: string;
  readonly before: VmSize;
  readonly after: VmSize;
  /** What it may have claimed of a compute host changes with it. Left out by releases that had none, and in regions without. */
  readonly claims?: true;
}
export interface NetworkSpec {
  readonly name: string;
  readonly cidr: string;
}
export interface VolumeSpec {
  readonly name: string;
  readonly sizeGib: number;
}
/** What the workflows of a volume's acts are told. */
export interface VolumeAttachSpec {
  readonly name: string;
  readonly vm: NamedKey;
}
/** A host of metal, as its operator enrolled it. */
export interface HostSpec {
  readonly name: string;
  readonly bmc: { readonly address: string; readonly systemId?: string | undefined; readonly credential: string };
}
export interface HostImageSpec extends HostSpec {
  readonly image: { readonly url: string; readonly until: 'powered-off' | 'booted' };
}
export interface HostMediaSpec extends HostSpec {
  readonly url: string;
}
export interface HostBootSpec extends HostSpec {
  readonly boot: BootDevice;
}
export interface SnapshotSpec {
  readonly name: string;
  readonly volume: NamedKey;
}
export interface VolumeRestoreSpec {
  readonly name: string;
  readonly snapshot: NamedKey;
}
export interface BucketSpec {
  readonly name: string;
}
/** What the workflow of a bucket's deletion is told. */
export interface BucketDeleteSpec extends BucketSpec {
  readonly force: boolean;
}
/** What the workflow of a new access key is told; the secret is sealed wherever this is kept. */
export interface BucketKeySpec extends BucketSpec {
  readonly key: string;
  readonly accessKey: string;
  readonly secret: string;
}
export type BucketKeyRevokeSpec = Omit<BucketKeySpec, 'secret'>;
/** What the workflows of a cluster are told; its machines are in the database. */
export interface ClusterSpec {
  readonly name: string;
  readonly version: string;
  readonly cni: string;
  readonly serviceMesh: string;
  readonly plugins: readonly string[];
}
/** What a provider makes a cluster of: VMs that are there. */
export interface BootstrapSpec extends ClusterSpec {
  readonly nodes: readonly (NamedKey & { readonly role: NodeRole })[];
}
/** What the workflow of a cluster's scaling is told. */
export interface ClusterScaleSpec {
  readonly name: string;
  readonly add: readonly MachineGroup[];
  readonly remove: readonly MachineGroup[];
}
/** Nodes that a cluster is to have. */
export interface JoinSpec {
  /** The cluster's. */
  readonly name: string;
  readonly nodes: BootstrapSpec['nodes'];
}
/** Nodes that a cluster is not to have any more, by their names. */
export interface LeaveSpec {
  /** The cluster's. */
  readonly name: string;
  readonly nodes: readonly string[];
}
export interface ClusterNode {
  readonly name: string;
  readonly status: string;
  readonly version: string;
}
export interface NamedKey {
  readonly key: string;
  readonly name: string;
}
export interface SpecOf {
  readonly vm: VmSpec;
  readonly network: NetworkSpec;
  readonly volume: VolumeSpec;
  readonly snapshot: SnapshotSpec;
  readonly bucket: BucketSpec;
  readonly 'bare-metal-host': HostSpec;
  readonly cluster: ClusterSpec;
}

/** A call to another system; its headers and body are secrets. */
export interface HttpCall {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Text as it is, anything else as JSON. */
  readonly body?: unknown;
  /** The status, or each, that means it is done; 200 to 299 where it is left out. */
  readonly expectStatus?: number | readonly number[] | undefined;
  /** It takes another call back. */
  readonly takesBack?: true;
}
export interface HttpSpec extends HttpCall {
  readonly undo?: HttpCall | undefined;
}

/** How a step that fails transiently is tried again. A provider's own retry-after is honoured where it is longer. */
export interface RetryPolicy {
  readonly maximumAttempts: number;
  readonly initialSeconds: number;
  readonly maximumSeconds: number;
}

/** How long a job may take. Undoing has no deadline of the job's: it goes on until it is done, or held. */
interface JobDeadlines {
  /** A step waits this long in all, tries, pauses and a region without a worker included, before it has failed. */
  readonly stepSeconds: number;
  /** An undo that no worker takes for so long has failed. Left out by releases in which it waited as long as a step. */
  readonly undoWaitSeconds?: number;
  /** A step that no worker takes for so long has failed: of a job that takes an operation of a batch back. */
  readonly workerWaitSeconds?: number;
  /** ISO 8601. A job with a step still to do after this has failed. */
  readonly jobAt: string;
}

/** The bounds that a process sets to the jobs it accepts. */
export interface JobLimits {
  readonly retry: RetryPolicy;
  readonly stepSeconds: number;
  readonly undoWaitSeconds: number;
  /** Where a request does not say how long its job may take. */
  readonly jobSeconds: number;
  /** A workflow of so many events hands its batch over to another. */
  readonly batchEvents: number;
}

/** A job as its workflow gets it: everything it needs to decide, nothing to look up. */
export interface Job<Spec = unknown> {
  readonly id: string;
  readonly type: SagaType;
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
  /** `rollback` where it is left out, as in jobs accepted before there was a choice. */
  readonly onFailure?: FailurePolicy;
  /** Left out in jobs accepted before there were any. */
  readonly deadlines?: JobDeadlines;
  /** The resource's status before the job was accepted, to be given back where the job ends before it has begun. */
  readonly statusBefore?: string;
  /** The request that it was accepted for. */
  readonly trail?: Trail;
  /** The last transition that the database has of this job; the next is one higher. */
  readonly sequence: number;
  /** Which of the job's workflows this is; 0, where it is left out, is the first. */
  readonly epoch?: number;
  /** Where an earlier workflow of this job was when it was lost. What it calls done is not done again. */
  readonly checkpoint?: Checkpoint;
}

/** How far a job has come, as the database has it. */
export interface Checkpoint {
  readonly state: JobState;
  readonly rollback: RollbackState;
  readonly error: ErrorInfo | null;
  readonly cancelRequested: boolean;
  readonly leftovers: readonly string[];
  readonly steps: readonly StepChange[];
}

/** What a finished job leaves: shown by the job, kept by the resource, and the outputs of a batch's operation. */
export interface JobResult {
  readonly providerReference?: string;
  readonly addresses?: readonly { readonly network: string; readonly address: string }[];
  /** The compute host that it was placed on. */
  readonly host?: string;
  /** What it learnt of the resource: columns of its kind's own table. */
  readonly row?: Readonly<Record<string, unknown>>;
  /** What an HTTP request gives to the operations that refer to it. */
  readonly outputs?: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: unknown;
  };
}

export const errorInfoSchema = z
  .object({ code: z.enum(errorCodes), message: z.string(), providerClass: z.enum(providerErrorClasses).optional() })
  .meta({ id: 'ErrorInfo' });

const stepSchema = z
  .object({
    position: z.int(),
    name: z.string(),
    state: z.enum(stepStates),
    attempts: z.int().meta({ description: 'How often it was tried, undoing included.' }),
    error: errorInfoSchema.nullable(),
    nextAttemptAt: timeSchema.nullable(),
    providerReference: z.string().nullable(),
    startedAt: timeSchema,
    endedAt: timeSchema.nullable(),
  })
  .meta({ id: 'JobStep' });
export type Step = z.infer<typeof stepSchema>;

const jobTypes: readonly JobType[] = [...operationTypes, httpType, 'batch.apply'];

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
    error: errorInfoSchema.nullable().meta({
      description: 'Why it failed, is held or is being undone; while it is RETRYING, why the last try failed.',
    }),
    onFailure: z.enum(failurePolicies),
    cancelRequested: z.boolean(),
    deadlineAt: timeSchema.nullable().meta({ description: 'After this no step is begun or waited for any more.' }),
    nextAttemptAt: timeSchema.nullable(),
    waitingFor: z.string().nullable().meta({ description: 'What has to happen before it goes on, if it waits.' }),
    settlements: z
      .array(z.enum(settlements))
      .meta({ description: 'While it is HELD: what `POST /jobs/{id}/settle` can be asked for.' }),
    leftovers: z.array(z.string()).meta({
      description: 'The steps that may have left something at the provider, because nothing or nobody undid them.',
    }),
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

const reasonSchema = z.string().trim().min(1).max(1000).meta({ description: 'Why, for the record.' });

/** What one may ask of a job that is `HELD`. */
export const settleSchema = z
  .strictObject({ action: z.enum(settlements), reason: reasonSchema })
  .meta({ id: 'Settle' });

/** What goes with the wish to cancel a job. */
export const cancelSchema = z.strictObject({ reason: reasonSchema }).meta({ id: 'Cancel' });

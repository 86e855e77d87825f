import type { Checkpoint, FailurePolicy, Job, JobType } from './job.ts';
import type { Trail } from './trail.ts';

/** What a batch's workflow is started with; what its operations are stays in the database. */
export interface BatchInput {
  readonly batchId: string;
  readonly jobId: string;
  readonly name: string;
  readonly organization: string;
  readonly project: string;
  readonly parallelLimit: number;
  /** `rollback` where it is left out. */
  readonly onFailure?: FailurePolicy;
  /** The request that it was accepted for. */
  readonly trail?: Trail;
  /** ISO 8601. What is not done by then has failed; none where it is left out. */
  readonly deadlines?: { readonly jobAt: string };
  /** A workflow of so many events hands the batch over to another. */
  readonly eventsAtMost?: number;
  /** Counts the workflows of the batch that followed each other; 1, where it is left out, is the first. */
  readonly generation?: number;
  /** Operations that earlier workflows of the batch host, and will tell the end of. */
  readonly underWay?: readonly HostedOperation[];
  /** The last transition that the database has of the batch's job. */
  readonly sequence: number;
  readonly epoch?: number;
  readonly checkpoint?: Checkpoint;
}

/** An operation that is under way, and the workflow that hosts it. */
export interface HostedOperation {
  readonly operationId: string;
  readonly workflowId: string;
}

type Progress = 'sequence' | 'epoch' | 'checkpoint';

/** A job as the start of its workflow needs it. */
export interface StartableJob {
  readonly id: string;
  readonly type: JobType;
  readonly workflowId: string;
  readonly sequence: number;
  readonly input: Omit<Job, Progress> | Omit<BatchInput, Progress>;
  /** Set where an earlier workflow of the job was lost. */
  readonly again?: {
    readonly epoch: number;
    readonly checkpoint: Checkpoint;
    readonly generation?: number;
    readonly underWay?: readonly HostedOperation[];
  };
}

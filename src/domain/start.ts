import type { Job, JobType } from './job.ts';

/** What a batch's workflow is started with; what its operations are stays in the database. */
export interface BatchInput {
  readonly batchId: string;
  readonly jobId: string;
  readonly name: string;
  readonly organization: string;
  readonly project: string;
  readonly parallelLimit: number;
  /** The last transition that the database has of the batch's job. */
  readonly sequence: number;
}

/** A job as the start of its workflow needs it. */
export interface StartableJob {
  readonly id: string;
  readonly type: JobType;
  readonly workflowId: string;
  readonly sequence: number;
  readonly input: Omit<Job, 'sequence'> | Omit<BatchInput, 'sequence'>;
}

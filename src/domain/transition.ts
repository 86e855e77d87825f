import type { ErrorInfo } from '../errors.ts';
import type { JobResult, JobState, RollbackState, StepState } from './job.ts';

/**
 * One change of a job, as its workflow reports it: the job as it now stands, the step that changed, and what becomes
 * of the resource. `sequence` counts a job's transitions from 1, so that recording one twice changes nothing.
 */
export interface Transition {
  readonly jobId: string;
  readonly sequence: number;
  /** Refused where the job is in another state by then. */
  readonly onlyFrom?: JobState;
  /** Which of the job's workflows reports; 0 where it is left out. */
  readonly epoch?: number;
  /** ISO 8601. */
  readonly at: string;
  readonly state: JobState;
  readonly rollback: RollbackState;
  readonly error: ErrorInfo | null;
  readonly nextAttemptAt: string | null;
  /** Someone has asked that the job be canceled. */
  readonly cancelRequested: boolean;
  /** The steps whose undo failed, or that nobody undid. */
  readonly leftovers: readonly string[];
  readonly step?: StepChange;
  /** Where the resource goes in its life (see `lives`), when this transition moves it. */
  readonly resource?: ResourceMove;
  readonly result?: JobResult;
}

/** `untouched`: the job ended before it did anything, and the resource is what it was before. */
type ResourceMove = 'done' | 'undone' | 'failed' | 'untouched';

export interface StepChange {
  /** From 1, in the order of first run. */
  readonly position: number;
  readonly name: string;
  readonly state: StepState;
  readonly attempts: number;
  readonly error: ErrorInfo | null;
  readonly nextAttemptAt: string | null;
  readonly providerReference: string | null;
  /** What it gave, once it has been done: a later workflow of the job goes on with it. */
  readonly result: JobResult | null;
  readonly startedAt: string;
  readonly endedAt: string | null;
}

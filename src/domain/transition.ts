import type { ErrorInfo } from '../errors.ts';
import type { JobResult, JobState, RollbackState, StepState } from './job.ts';

/**
 * One change of a job, as its workflow reports it: the job as it now stands, the step that changed, and what becomes
 * of the resource. `sequence` counts a job's transitions from 1, so that recording one twice changes nothing.
 */
export interface Transition {
  readonly jobId: string;
  readonly sequence: number;
  /** ISO 8601. */
  readonly at: string;
  readonly state: JobState;
  readonly rollback: RollbackState;
  readonly error: ErrorInfo | null;
  readonly nextAttemptAt: string | null;
  /** The steps whose undo failed. */
  readonly leftovers: readonly string[];
  readonly step?: StepChange;
  /** Where the resource goes in its life (see `lives`), when this transition moves it. */
  readonly resource?: 'done' | 'undone' | 'failed';
  readonly result?: JobResult;
}

export interface StepChange {
  /** From 1, in the order of first run. */
  readonly position: number;
  readonly name: string;
  readonly state: StepState;
  readonly attempts: number;
  readonly error: ErrorInfo | null;
  readonly nextAttemptAt: string | null;
  readonly providerReference: string | null;
  readonly startedAt: string;
  readonly endedAt: string | null;
}

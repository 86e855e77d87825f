import type { SagaType } from './kinds.ts';

// Without zod: workflows import this file. Everyone else finds it all in job.ts.

/** A batch's own job has the type `batch.apply`. */
export type JobType = SagaType | 'batch.apply';

/**
 * A job is one durable saga at work on one resource (or one batch).
 *
 * ```
 *  PENDING ──▶ RUNNING ◀──▶ RETRYING
 *                 │  ├──▶ SUCCEEDED
 *                 │  ├──▶ FAILED      rollback: complete | none | stuck (abandoned)
 *                 │  ├──▶ CANCELED    rollback: complete | none
 *                 └──┴──▶ HELD        rollback: none (a step failed) | stuck (an undo failed)
 *                          └── settle ──▶ RUNNING, or an end
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
  HELD: ['RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELED'],
  SUCCEEDED: [],
  FAILED: [],
  CANCELED: [],
};

export const hasEnded = (state: JobState): boolean => jobMoves[state].length === 0;

export const rollbackStates = ['none', 'running', 'complete', 'stuck'] as const;
export type RollbackState = (typeof rollbackStates)[number];

/** A step of a job. `SKIPPED` is an operator's word; `UNDOING`, `UNDONE` and `UNDO_FAILED` are its life during a rollback. */
export const stepStates = [
  'RUNNING',
  'RETRYING',
  'SUCCEEDED',
  'FAILED',
  'SKIPPED',
  'UNDOING',
  'UNDONE',
  'UNDO_FAILED',
] as const;
export type StepState = (typeof stepStates)[number];

/**
 * What a job does when one of its steps has failed for good: undo what it did, wait for a decision with everything as
 * it is, or end with everything as it is.
 */
export const failurePolicies = ['rollback', 'hold', 'keep'] as const;
export type FailurePolicy = (typeof failurePolicies)[number];

/**
 * The ways out of `HELD`. `retry` runs once more what failed, and only that; `skip` goes on as if the step had been
 * done; `rollback` undoes the job; `mark-done` ends it as done (or, of a rollback that is stuck, as undone), because
 * someone has seen to it by hand; `abandon` ends it as it is, its leftovers listed.
 */
export const settlements = ['retry', 'skip', 'rollback', 'mark-done', 'abandon'] as const;
export type Settlement = (typeof settlements)[number];

/** What an operator may decide of a job; a deletion has nothing to roll back to, a batch no step to skip. */
export function settlementsFor({
  type,
  state,
  rollback,
}: {
  readonly type: JobType;
  readonly state: JobState;
  readonly rollback: RollbackState;
}): readonly Settlement[] {
  if (state !== 'HELD') return [];
  if (rollback !== 'none') return ['retry', 'mark-done', 'abandon'];
  if (type === 'batch.apply') return ['retry', 'rollback', 'abandon'];
  return type.endsWith('.delete') ? ['retry', 'skip', 'mark-done', 'abandon'] : settlements;
}

/** A job may be canceled until it has ended or is being undone anyway. */
export const mayCancel = ({
  state,
  rollback,
}: {
  readonly state: JobState;
  readonly rollback: RollbackState;
}): boolean => !hasEnded(state) && rollback === 'none';

import { ActivityFailure, ApplicationFailure, isCancellation, TimeoutFailure } from '@temporalio/workflow';
import type { Job } from '../src/domain/job.ts';
import type { ErrorInfo } from '../src/errors.ts';

export const canceledError = (reason: string): ErrorInfo => ({
  code: 'conflict',
  message: reason ? `Canceled: ${reason}` : 'Canceled.',
});

export const unknownError: ErrorInfo = { code: 'internal', message: 'Failed.' };

/** What a job shows of whatever one of its steps threw. */
export function toErrorInfo(error: unknown, job: Pick<Job, 'region'>): ErrorInfo {
  if (isCancellation(error)) return canceledError('');
  const cause = error instanceof ActivityFailure ? error.cause : error;
  if (cause instanceof ApplicationFailure) {
    const [info] = cause.details ?? [];
    return isErrorInfo(info) ? info : { code: 'internal', message: cause.message };
  }
  if (cause instanceof TimeoutFailure && cause.timeoutType === 'SCHEDULE_TO_CLOSE') {
    const last = cause.cause instanceof ApplicationFailure ? ` The last try: ${cause.cause.message}` : '';
    return {
      code: 'unavailable',
      message: `This step was not done within the time it had: its worker in region ${job.region} was away, or the provider did not finish.${last}`,
    };
  }
  if (isUntaken(error)) {
    return {
      code: 'unavailable',
      message: `No worker of region ${job.region} took this for as long as an undo may wait. Start one with "millwright worker region --region ${job.region}", then settle what is held by "retry".`,
    };
  }
  if (cause instanceof TimeoutFailure) {
    return {
      code: 'unavailable',
      message: `No worker of region ${job.region} finished this step: contact was lost on every attempt. See that "millwright worker region --region ${job.region}" runs and reaches its provider, then ask again.`,
    };
  }
  return { code: 'internal', message: error instanceof Error ? error.message : String(error) };
}

/** What the database's part of a step gave. Throws what it refused, with its code. */
export function given<Result extends object>(answer: Result | { readonly refused: ErrorInfo }): Result {
  if (!('refused' in answer)) return answer;
  const { message, code } = answer.refused;
  throw ApplicationFailure.create({ message, type: code, nonRetryable: true, details: [answer.refused] });
}

/** No worker took it. */
export function isUntaken(error: unknown): boolean {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  return cause instanceof TimeoutFailure && cause.timeoutType === 'SCHEDULE_TO_START';
}

/** Region workers put an `ErrorInfo` in their failures' details; the shape is ours on both sides. */
function isErrorInfo(value: unknown): value is ErrorInfo {
  return typeof value === 'object' && value !== null && 'code' in value && 'message' in value;
}

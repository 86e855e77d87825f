import type { JobEvent } from '../../src/domain/job.ts';
import { clock, oneLine } from '../text.ts';

/** An event on one line: `12:03:04 db vm.create RETRYING step create attempt 3, next try 12:03:09: No answer.` */
export function eventLine({ at, operationId, resource, type, state, rollback, step, error }: JobEvent): string {
  const words = [clock(at), operationId ?? resource.name, type, state];
  if (rollback !== 'none') words.push(`rollback ${rollback}`);
  if (step) {
    words.push('step', step.name);
    if (step.state !== state) words.push(step.state);
    if (step.attempts > 1) words.push(`attempt ${step.attempts}`);
  }
  const next = step?.nextAttemptAt ? `, next try ${clock(step.nextAttemptAt)}` : '';
  return oneLine(`${words.join(' ')}${next}${error ? `: ${error.message}` : ''}`);
}

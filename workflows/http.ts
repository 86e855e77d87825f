import type { HttpSpec, Job } from '../src/domain/job.ts';
import { region } from './activities.ts';
import { none, type SagaEnd, saga } from './saga.ts';

export function requestHttp(job: Job<HttpSpec>): Promise<SagaEnd> {
  const { undo, ...call } = job.spec;
  return saga(job, (step) =>
    step('request', {
      do: () => region(job, 'request').requestHttp(call),
      undo: undo
        ? () => region(job, 'request').requestHttp({ ...undo, takesBack: true })
        : none('an HTTP request says no way back'),
    }),
  );
}

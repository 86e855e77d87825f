import type { Job, NetworkSpec } from '../src/domain/job.ts';
import { region } from './activities.ts';
import { none, type SagaEnd, saga } from './saga.ts';

export const createNetwork = (job: Job<NetworkSpec>): Promise<SagaEnd> =>
  saga(job, (step) =>
    step('create', {
      do: () => region(job, 'create').ensureNetwork(job.spec),
      undo: () => region(job, 'create').removeNetwork(),
    }),
  );

export const deleteNetwork = (job: Job): Promise<SagaEnd> =>
  saga(job, (step) =>
    step('delete', {
      do: () => region(job, 'delete').removeNetwork(),
      undo: none('what a deletion took cannot be given back'),
    }),
  );

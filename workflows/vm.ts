import type { Job, VmSpec } from '../src/domain/job.ts';
import { region } from './activities.ts';
import { none, type SagaEnd, saga } from './saga.ts';

export const createVm = (job: Job<VmSpec>): Promise<SagaEnd> =>
  saga(job, (step) =>
    step('create', {
      do: () => region(job, 'create').ensureVm(job.spec),
      undo: () => region(job, 'create').removeVm(),
    }),
  );

export const deleteVm = (job: Job): Promise<SagaEnd> =>
  saga(job, (step) =>
    step('delete', {
      do: () => region(job, 'delete').removeVm(),
      undo: none('what a deletion took cannot be given back'),
    }),
  );

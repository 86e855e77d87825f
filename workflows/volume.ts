import type { Job, VolumeSpec } from '../src/domain/job.ts';
import { region } from './activities.ts';
import { none, type SagaEnd, saga } from './saga.ts';

export const createVolume = (job: Job<VolumeSpec>): Promise<SagaEnd> =>
  saga(job, (step) =>
    step('create', {
      do: () => region(job, 'create').ensureVolume(job.spec),
      undo: () => region(job, 'create').removeVolume(),
    }),
  );

export const deleteVolume = (job: Job): Promise<SagaEnd> =>
  saga(job, (step) =>
    step('delete', {
      do: () => region(job, 'delete').removeVolume(),
      undo: none('what a deletion took cannot be given back'),
    }),
  );

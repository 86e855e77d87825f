import type { Job, VolumeAttachSpec, VolumeRestoreSpec, VolumeSpec } from '../src/domain/job.ts';
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

export const attachVolume = (job: Job<VolumeAttachSpec>): Promise<SagaEnd> =>
  saga(job, (step) =>
    step('attach', {
      do: () => region(job, 'attach').attachVolume(job.spec.vm),
      undo: () => region(job, 'attach').detachVolume(job.spec.vm),
    }),
  );

export const detachVolume = (job: Job<VolumeAttachSpec>): Promise<SagaEnd> =>
  saga(job, (step) =>
    step('detach', {
      do: () => region(job, 'detach').detachVolume(job.spec.vm),
      undo: () => region(job, 'detach').attachVolume(job.spec.vm),
    }),
  );

export const growVolume = (job: Job<VolumeSpec>): Promise<SagaEnd> =>
  saga(job, (step) =>
    step('grow', {
      do: () => region(job, 'grow').growVolume(job.spec.sizeGib),
      undo: none('a volume does not shrink'),
    }),
  );

export const restoreVolume = (job: Job<VolumeRestoreSpec>): Promise<SagaEnd> =>
  saga(job, (step) =>
    step('restore', {
      do: () => region(job, 'restore').restoreVolume(job.spec.snapshot, job.id),
      undo: none('what the volume held is overwritten'),
    }),
  );

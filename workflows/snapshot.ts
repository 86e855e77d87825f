import type { Job, SnapshotSpec } from '../src/domain/job.ts';
import { region } from './activities.ts';
import { none, type SagaEnd, saga } from './saga.ts';

export const createSnapshot = (job: Job<SnapshotSpec>): Promise<SagaEnd> =>
  saga(job, (step) =>
    step('create', {
      do: () => region(job, 'create').ensureSnapshot(job.spec),
      undo: () => region(job, 'create').removeSnapshot(),
    }),
  );

export const deleteSnapshot = (job: Job): Promise<SagaEnd> =>
  saga(job, (step) =>
    step('delete', {
      do: () => region(job, 'delete').removeSnapshot(),
      undo: none('what a deletion took cannot be given back'),
    }),
  );

import type { BucketDeleteSpec, BucketKeyRevokeSpec, BucketKeySpec, BucketSpec, Job } from '../src/domain/job.ts';
import { control, region } from './activities.ts';
import { given } from './failures.ts';
import { none, type SagaEnd, saga } from './saga.ts';

export const createBucket = (job: Job<BucketSpec>): Promise<SagaEnd> =>
  saga(job, (step) =>
    step('create', {
      do: () => region(job, 'create').ensureBucket(job.spec),
      undo: () => region(job, 'create').removeBucket({ force: true }),
    }),
  );

/** What was empty and had no keys is made anew, and is what it was. */
export const deleteBucket = (job: Job<BucketDeleteSpec>): Promise<SagaEnd> =>
  saga(job, async (step) => {
    const { name, force } = job.spec;
    const gone = await step('delete', {
      do: () => region(job, 'delete').removeBucket({ force }),
      undo: force ? none('what it held cannot be given back') : () => region(job, 'delete').ensureBucket({ name }),
    });
    if (!force) return gone;
    return step('forget-keys', {
      do: () => control.dropBucketKeys(job.resourceId),
      undo: none('they went with the bucket'),
    });
  });

/** On record before it is there, so that whatever is there can be revoked. */
export const createKeyBucket = (job: Job<BucketKeySpec>): Promise<SagaEnd> =>
  saga(job, async (step) => {
    const { key: name, accessKey, secret } = job.spec;
    await step('record', {
      do: async () => given(await control.keepBucketKey(job.resourceId, { name, accessKey })),
      undo: () => control.dropBucketKeys(job.resourceId, accessKey),
    });
    return step('create', {
      do: () => region(job, 'create').createBucketKey({ accessKey, secret }),
      undo: () => region(job, 'create').revokeBucketKey(accessKey),
    });
  });

export const revokeKeyBucket = (job: Job<BucketKeyRevokeSpec>): Promise<SagaEnd> =>
  saga(job, async (step) => {
    const { accessKey } = job.spec;
    await step('revoke', {
      do: () => region(job, 'revoke').revokeBucketKey(accessKey),
      undo: none('what somebody wants shut does not open again because a later step fails'),
    });
    return step('forget', {
      do: () => control.dropBucketKeys(job.resourceId, accessKey),
      undo: none('it opens nothing any more'),
    });
  });

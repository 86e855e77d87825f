import { deleteBucketKeys, insertBucketKey } from '../../src/db/queries/bucket-keys.ts';
import type { ControlActivities } from '../types.ts';
import type { ControlDependencies } from './index.ts';
import { orRefused } from './refusal.ts';

/** What a bucket's workflows ask of the database. */
export function bucketActivities({
  database: { sql },
}: Pick<ControlDependencies, 'database'>): Pick<ControlActivities, 'keepBucketKey' | 'dropBucketKeys'> {
  return {
    keepBucketKey: (bucketId, key) =>
      orRefused(
        ({ code }) => code === 'conflict',
        async () => {
          await insertBucketKey(sql, bucketId, key);
          return {};
        },
      ),
    async dropBucketKeys(bucketId, accessKey) {
      await deleteBucketKeys(sql, bucketId, accessKey);
      return {};
    },
  };
}

import { bucketCreateSchema, bucketSchema } from '../../src/domain/bucket.ts';
import type { ApiDependencies } from '../env.ts';
import { resourceRoutes } from './resource.ts';

export const bucketRoutes = (dependencies: ApiDependencies) =>
  resourceRoutes(dependencies, {
    kind: 'bucket',
    title: 'Bucket',
    createSchema: bucketCreateSchema.transform((body) => ({ kind: 'bucket' as const, body })),
    viewSchema: bucketSchema,
  });

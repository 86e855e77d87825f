import { snapshotCreateSchema, snapshotSchema } from '../../src/domain/snapshot.ts';
import type { ApiDependencies } from '../env.ts';
import { resourceRoutes } from './resource.ts';

export const snapshotRoutes = (dependencies: ApiDependencies) =>
  resourceRoutes(dependencies, {
    kind: 'snapshot',
    title: 'Snapshot',
    createSchema: snapshotCreateSchema.transform((body) => ({ kind: 'snapshot' as const, body })),
    viewSchema: snapshotSchema,
  });

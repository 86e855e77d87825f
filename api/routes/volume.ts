import { volumeCreateSchema, volumeSchema } from '../../src/domain/volume.ts';
import type { ApiDependencies } from '../env.ts';
import { resourceRoutes } from './resource.ts';

export const volumeRoutes = (dependencies: ApiDependencies) =>
  resourceRoutes(dependencies, {
    kind: 'volume',
    title: 'Volume',
    createSchema: volumeCreateSchema.transform((body) => ({ kind: 'volume' as const, body })),
    viewSchema: volumeSchema,
  });

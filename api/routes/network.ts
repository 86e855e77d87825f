import { networkCreateSchema, networkSchema } from '../../src/domain/network.ts';
import type { ApiDependencies } from '../env.ts';
import { resourceRoutes } from './resource.ts';

export const networkRoutes = (dependencies: ApiDependencies) =>
  resourceRoutes(dependencies, {
    kind: 'network',
    title: 'Network',
    createSchema: networkCreateSchema.transform((body) => ({ kind: 'network' as const, body })),
    viewSchema: networkSchema,
  });

import { vmCreateSchema, vmSchema } from '../../src/domain/vm.ts';
import type { ApiDependencies } from '../env.ts';
import { resourceRoutes } from './resource.ts';

export const vmRoutes = (dependencies: ApiDependencies) =>
  resourceRoutes(dependencies, {
    kind: 'vm',
    title: 'VM',
    createSchema: vmCreateSchema.transform((body) => ({ kind: 'vm' as const, body })),
    viewSchema: vmSchema,
  });

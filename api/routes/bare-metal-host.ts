import { bareMetalHostCreateSchema, bareMetalHostSchema } from '../../src/domain/bare-metal-host.ts';
import type { ApiDependencies } from '../env.ts';
import { resourceRoutes } from './resource.ts';

export const bareMetalHostRoutes = (dependencies: ApiDependencies) =>
  resourceRoutes(dependencies, {
    kind: 'bare-metal-host',
    title: 'Bare-metal host',
    createSchema: bareMetalHostCreateSchema.transform((body) => ({ kind: 'bare-metal-host' as const, body })),
    viewSchema: bareMetalHostSchema,
    write: 'bare-metal-host.write',
  });

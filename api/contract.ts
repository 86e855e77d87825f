// biome-ignore lint/style/noRestrictedImports: the one place that makes routes, for all others to make theirs with.
import { createRoute as createHonoRoute, type RouteConfig, z } from '@hono/zod-openapi';
import { jobSchema } from '../src/domain/job.ts';
import { type Access, authorize, type Target } from './middleware/authorize.ts';
import { inspect } from './middleware/inspect.ts';
import { bodyProblems } from './problem.ts';

/**
 * A route's contract, with the permission that whoever asks must have (or `public`). The route is thereby guarded: there
 * is no other way to make one, and none without it. `target: 'path'`: what the permission is about is the project or
 * organisation that the path itself names.
 */
export function createRoute<Path extends string, Contract extends Omit<RouteConfig, 'path'> & { readonly path: Path }>(
  access: Access,
  contract: Contract,
  target: Target = 'query',
) {
  return createHonoRoute({
    ...contract,
    'x-millwright-permission': access,
    security: access === 'public' ? [] : [{ bearer: [] }],
    // In this order: nobody learns what a route takes that they may not see.
    middleware: [authorize(access, target), inspect(contract.request)],
    responses: { ...contract.responses, ...(contract.request?.body ? bodyProblems : {}) },
  });
}

/** Parts that many contracts share. */
export const organizationQuery = z.object({
  organization: z
    .string()
    .optional()
    .meta({ description: 'The organization meant, by id or name; the token’s own where it is left out.' }),
});

export const projectQuery = organizationQuery.extend({
  project: z
    .string()
    .optional()
    .meta({ description: 'The project meant, by id or name; the token’s own where it is left out.' }),
});

export const pageQuery = projectQuery.extend({
  limit: z.coerce.number().int().min(1).max(500).default(100),
  cursor: z.string().optional().meta({ description: 'The nextCursor of the page before.' }),
});

/** Of a list that always fits into one page: what any list takes may be said of it as well. */
export const wholeListQuery = z.object({
  limit: z.coerce.number().int().min(1).max(500).optional().meta({ description: 'All fits into one page.' }),
  cursor: z.string().optional().meta({ description: 'There is no other page.' }),
});

export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.object({
    items: z.array(item),
    nextCursor: z.string().nullable().meta({
      description:
        'To be given back for the next page; null at the end. Where a filter leaves little, a page may be short or empty and still not be the last.',
    }),
  });

export const referenceParam = z.object({ id: z.string().min(1).max(63).meta({ description: 'An id or a name.' }) });
export const idParam = z.object({ id: z.uuid() });

export const idempotencyHeader = z.object({
  'idempotency-key': z.string().min(1).max(255).optional().meta({
    description:
      'The same key and body give the same resource and job, however often and however concurrently; another body is a 409.',
  }),
});

/** The answer to every request that begins a job. */
export const acceptedOf = <View extends z.ZodType>(resource: View) => z.object({ resource, job: jobSchema });

export const json = <Schema extends z.ZodType>(description: string, schema: Schema) => ({
  description,
  content: { 'application/json': { schema } },
});

/** The answer to a request that makes something at once. */
export const created = <Schema extends z.ZodType>(description: string, schema: Schema) => ({
  ...json(description, schema),
  headers: { Location: { description: 'What was made.', schema: { type: 'string' as const } } },
});

/** A body that a request must have. */
export const bodyOf = <Schema extends z.ZodType>(schema: Schema) => ({
  required: true,
  content: { 'application/json': { schema } },
});

export const gone = { description: 'Done.' };

/** What a mutating answer points at. */
export const locationHeader = { Location: { description: 'The job to follow.', schema: { type: 'string' as const } } };

import { z } from '@hono/zod-openapi';
import { jobSchema } from '../src/domain/job.ts';

/** Parts that many contracts share. */
export const projectQuery = z.object({
  project: z
    .string()
    .optional()
    .meta({ description: 'The project meant, by id or name; the token’s own where it is left out.' }),
});

export const pageQuery = projectQuery.extend({
  limit: z.coerce.number().int().min(1).max(500).default(100),
  cursor: z.string().optional().meta({ description: 'The nextCursor of the page before.' }),
});

export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.object({
    items: z.array(item),
    nextCursor: z.string().nullable().meta({ description: 'To be given back for the next page; null at the end.' }),
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

/** What a mutating answer points at. */
export const locationHeader = { Location: { description: 'The job to follow.', schema: { type: 'string' as const } } };

export const bearer = [{ bearer: [] }];

import { z } from '@hono/zod-openapi';
import { type ErrorCode, errorCodes } from '../src/errors.ts';

/** The HTTP status and title of every error code. */
export const statusOf = {
  invalid: [400, 'The request is not valid'],
  unauthenticated: [401, 'No valid token'],
  forbidden: [403, 'Not allowed'],
  not_found: [404, 'Not found'],
  conflict: [409, 'In conflict with the present state'],
  precondition: [412, 'Changed in between'],
  gone: [410, 'Not kept any more'],
  too_large: [413, 'The body is too large'],
  unsupported_media_type: [415, 'The body is of another media type'],
  quota: [403, 'The quota does not suffice'],
  capacity: [409, 'No capacity'],
  rate_limited: [429, 'Too many requests'],
  unavailable: [503, 'Not available now'],
  internal: [500, 'Internal error'],
} as const satisfies Record<ErrorCode, readonly [number, string]>;

/** What every answer that is not a success holds (RFC 9457). */
export const problemSchema = z
  .object({
    type: z.string().meta({ examples: ['urn:millwright:problem:invalid'] }),
    title: z.string(),
    status: z.int(),
    code: z.enum(errorCodes),
    detail: z.string(),
    requestId: z.string(),
    jobId: z.uuid().optional().meta({ description: 'The job in the way.' }),
    errors: z
      .array(
        z.object({
          pointer: z.string().meta({ description: 'RFC 6901; of the body, or the name of a parameter.' }),
          detail: z.string(),
          line: z.int().optional(),
          column: z.int().optional(),
          file: z.string().optional().meta({ description: 'Which file, where several were given.' }),
        }),
      )
      .optional()
      .meta({ description: 'Every fault of the request, at once.' }),
  })
  .meta({ id: 'Problem' });
export type Problem = z.infer<typeof problemSchema>;

const problemContent = { 'application/problem+json': { schema: problemSchema } };

/** For routes that go on from a cursor. */
export const notKept = {
  410: { description: 'What came after this cursor is not all kept any more.', content: problemContent },
} as const;

/** For routes that read a body. */
export const bodyProblems = {
  413: { description: 'The body is larger than 16 MiB.', content: problemContent },
  415: { description: 'The body is of a media type that is not taken here, or of none.', content: problemContent },
} as const;

/** The problems that any authenticated route may answer with, for its contract. */
export const problems = {
  400: { description: 'The request is not valid.', content: problemContent },
  401: { description: 'No valid token.', content: problemContent },
  403: { description: 'Not allowed, or the quota does not suffice.', content: problemContent },
  404: { description: 'There is no such thing here.', content: problemContent },
  409: { description: 'In conflict with the present state.', content: problemContent },
  429: { description: 'Too many requests; `Retry-After` says when to ask again.', content: problemContent },
  500: { description: 'Internal error.', content: problemContent },
  503: { description: 'Not available now.', content: problemContent },
} as const;

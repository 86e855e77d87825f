import type { Context, MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { z } from 'zod';
import { type ErrorCode, MillwrightError } from '../../errors.ts';
import { faultsOf } from '../../faults.ts';
import type { refusalSchema } from './wire.ts';

/** An answer before it is sent, so that a fault can hold it back. No body: 204. */
export interface Reply {
  readonly status: ContentfulStatusCode;
  readonly body: unknown;
  readonly headers?: Record<string, string>;
}

const statusOf = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  precondition: 422,
  gone: 410,
  too_large: 413,
  unsupported_media_type: 415,
  quota: 429,
  capacity: 409,
  rate_limited: 429,
  unavailable: 503,
  internal: 500,
} as const satisfies Record<ErrorCode, ContentfulStatusCode>;

/** What an error is answered with; what nobody foresaw is told to the log alone. */
export function refusal(error: unknown, status?: ContentfulStatusCode): Reply {
  const known =
    error instanceof MillwrightError
      ? error
      : new MillwrightError('internal', 'The simulator failed; its log has the cause.', { cause: error });
  const body: z.infer<typeof refusalSchema> = {
    code: known.code,
    message: known.message,
    ...(known.faults.length > 0 ? { faults: [...known.faults] } : {}),
  };
  return { status: status ?? statusOf[known.code], body };
}

export function send(context: Context, { status, body, headers }: Reply): Response {
  return body === undefined ? context.body(null, 204, headers) : context.json(body, status, headers);
}

/** Twice what the largest VM that the schema allows needs, so that the schema and not this limit says what is wrong. */
const maximumBytes = 4 * 1024 * 1024;

export const limitBody: MiddlewareHandler = bodyLimit({
  maxSize: maximumBytes,
  onError: (context) =>
    send(context, refusal(new MillwrightError('too_large', `The body is larger than ${maximumBytes} bytes.`))),
});

/** The body of a request, checked; every fault of it in one error. */
export async function readBody<Schema extends z.ZodType>(context: Context, schema: Schema): Promise<z.infer<Schema>> {
  return parse(schema, parseJson(await context.req.text()), 'The body is not valid');
}

/** Throws `invalid`, with `what` and all that is wrong. */
export function parse<Schema extends z.ZodType>(schema: Schema, value: unknown, what: string): z.infer<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const faults = faultsOf(parsed.error);
  const list = faults.map(({ pointer, detail }) => (pointer ? `${pointer}: ${detail}` : detail)).join(' ');
  throw new MillwrightError('invalid', `${what}. ${list}`, { faults });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new MillwrightError('invalid', `The body is not JSON: ${cause instanceof Error ? cause.message : cause}.`, {
      cause,
    });
  }
}

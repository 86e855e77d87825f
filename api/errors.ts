import type { Context, ErrorHandler, NotFoundHandler } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { isDatabaseAway, isDatabaseBusy, isUnstorableText } from '../src/db/client.ts';
import { type ErrorCode, MillwrightError } from '../src/errors.ts';
import { notJson } from './body.ts';
import type { ApiEnv } from './env.ts';
import { shownPath } from './middleware/request.ts';
import { type Problem, statusOf } from './problem.ts';

/** The one place where an error becomes an answer. Inner causes go to the log alone. */
export const handleError: ErrorHandler<ApiEnv> = async (error, context) => {
  const known =
    error instanceof HTTPException && error.status === 400
      ? notJson(await context.req.text())
      : toKnown(error, context.req.method);
  const log = context.get('log');
  if (known.code === 'internal' || known.code === 'unavailable') log.error({ err: error }, known.message);
  else log.info({ code: known.code, detail: known.message }, 'refused');
  return answer(context, known);
};

export const handleNotFound: NotFoundHandler<ApiEnv> = (context) =>
  answer(
    context,
    new MillwrightError(
      'not_found',
      `There is no ${context.req.method} ${shownPath(context.req.path)}. See /docs for what there is.`,
    ),
  );

/** A hostile file can have any number of faults; nobody reads more than these at once. */
const mostFaults = 1000;

function answer(context: Context<ApiEnv>, error: MillwrightError): Response {
  const [status, title] = statusOf[error.code];
  const problem: Problem = {
    type: `urn:millwright:problem:${error.code}`,
    title,
    status,
    code: error.code,
    detail: error.message,
    requestId: context.get('requestId'),
    ...(error.jobId ? { jobId: error.jobId } : {}),
    ...(error.faults.length > 0 ? { errors: error.faults.slice(0, mostFaults) } : {}),
  };
  if (error.code === 'unauthenticated') context.header('WWW-Authenticate', 'Bearer');
  if (error.retryAfterSeconds !== undefined) context.header('Retry-After', String(Math.ceil(error.retryAfterSeconds)));
  return context.json(problem, status, { 'content-type': 'application/problem+json' });
}

/** Where the database is away. */
const retryAfterSeconds = 2;

/** What changes nothing, whatever becomes of it. */
const reads: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

function toKnown(error: unknown, method: string): MillwrightError {
  if (error instanceof MillwrightError) return error;
  if (error instanceof HTTPException) return new MillwrightError(codeOf(error.status), error.message, { cause: error });
  if (isDatabaseAway(error)) {
    return new MillwrightError(
      'unavailable',
      reads.has(method)
        ? 'The database does not answer. Ask again in a few seconds.'
        : 'The database does not answer, so that nobody knows yet whether this was done. Ask again in a few seconds, under the same Idempotency-Key if it had one; or look first.',
      { cause: error, retryAfterSeconds },
    );
  }
  if (isDatabaseBusy(error)) {
    return new MillwrightError(
      'unavailable',
      'The database could not do this in time: something else holds what it needs, or keeps it busy. Ask again in a few seconds.',
      { cause: error, retryAfterSeconds },
    );
  }
  if (isUnstorableText(error)) {
    return new MillwrightError(
      'invalid',
      'The request holds a character that no text may have: NUL (U+0000), or half of a surrogate pair. Take it out.',
      { cause: error },
    );
  }
  return new MillwrightError(
    'internal',
    'Something went wrong on our side. The log has the cause under this requestId.',
    { cause: error },
  );
}

/** What Hono's own checks throw. */
function codeOf(status: number): ErrorCode {
  if (status === 415) return 'unsupported_media_type';
  return status >= 400 && status < 500 ? 'invalid' : 'internal';
}

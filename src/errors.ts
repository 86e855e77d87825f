/**
 * The one error type of Millwright. Every layer throws it; each edge (HTTP, Temporal, CLI) maps its
 * code exhaustively and nothing else.
 */
export const errorCodes = [
  'invalid',
  'unauthenticated',
  'forbidden',
  'not_found',
  'conflict',
  'precondition',
  'gone',
  'too_large',
  'unsupported_media_type',
  'quota',
  'capacity',
  'rate_limited',
  'unavailable',
  'internal',
] as const;
export type ErrorCode = (typeof errorCodes)[number];

/**
 * One thing wrong with an input: where (an RFC 6901 JSON pointer; in a file also line and column, from 1, and which file
 * where there are several) and what.
 */
export interface Fault {
  readonly pointer: string;
  readonly detail: string;
  readonly line?: number;
  readonly column?: number;
  readonly file?: string;
}

/** What is stored and shown of an error: no stack, no cause, no secret. */
export interface ErrorInfo {
  readonly code: ErrorCode;
  readonly message: string;
  /** How the provider's driver classed it, where a provider was involved. */
  readonly providerClass?: ProviderErrorClass;
}

interface MillwrightErrorOptions {
  /** Every fault of the input at once, for `invalid`. */
  readonly faults?: readonly Fault[];
  /** The job in the way, for `conflict`. */
  readonly jobId?: string;
  /** When to ask again, for `rate_limited`. */
  readonly retryAfterSeconds?: number;
  /** The inner error: for the log only, never for an answer. */
  readonly cause?: unknown;
}

/** `message` says what is wrong, with which thing, and what to do next. */
export class MillwrightError extends Error {
  readonly code: ErrorCode;
  readonly faults: readonly Fault[];
  readonly jobId: string | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ErrorCode, message: string, options: MillwrightErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.name = 'MillwrightError';
    this.code = code;
    this.faults = options.faults ?? [];
    this.jobId = options.jobId;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

/** An input that is refused for all of its faults at once, its message their sentences. */
export const refusedFor = (code: ErrorCode, faults: readonly Fault[]): MillwrightError =>
  new MillwrightError(code, faults.map(({ detail }) => detail).join(' '), { faults });

/**
 * How an error of a provider is to be treated (decided in its driver, nowhere else):
 * `transient` is tried again after a pause; `permanent` fails on the first try; `ambiguous` may have
 * worked, so the next try looks the resource up by its key before it asks again.
 */
export const providerErrorClasses = ['transient', 'permanent', 'ambiguous'] as const;
export type ProviderErrorClass = (typeof providerErrorClasses)[number];

interface ProviderErrorOptions {
  /** The provider's own wish, from `Retry-After` or its like. */
  readonly retryAfterSeconds?: number | undefined;
  readonly cause?: unknown;
}

/** What a driver throws. */
export class ProviderError extends MillwrightError {
  readonly providerClass: ProviderErrorClass;

  constructor(providerClass: ProviderErrorClass, code: ErrorCode, message: string, options: ProviderErrorOptions = {}) {
    super(code, message, {
      cause: options.cause,
      ...(options.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: options.retryAfterSeconds }),
    });
    this.name = 'ProviderError';
    this.providerClass = providerClass;
  }
}

/** What may be stored and shown of anything that was thrown. */
export function toErrorInfo(error: unknown): ErrorInfo {
  if (error instanceof ProviderError) {
    return { code: error.code, message: error.message, providerClass: error.providerClass };
  }
  if (error instanceof MillwrightError) return { code: error.code, message: error.message };
  return { code: 'internal', message: 'Internal error; the log of the role that ran this step has the cause.' };
}

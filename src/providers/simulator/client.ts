import { SpanKind } from '@opentelemetry/api';
import type { z } from 'zod';
import { MillwrightError, ProviderError } from '../../errors.ts';
import { inSpan, traceHeaders } from '../../telemetry/tracing.ts';
import type { CallContext, DriverSettings } from '../types.ts';
import { type Operation, refusalSchema } from './wire.ts';

interface ProviderCall<Answer extends z.ZodType> {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Below the region. */
  readonly path: string;
  readonly operation: Operation;
  /** What is meant, as an error shall name it. */
  readonly subject: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** What it may answer; `undefined`, where the schema takes that, for what is not there, or no longer. */
  readonly answer: Answer;
}

/** One call to the simulator. Throws `ProviderError`, or why the caller aborted. */
export type Client = <Answer extends z.ZodType>(
  call: ProviderCall<Answer>,
  context: CallContext,
) => Promise<z.infer<Answer>>;

type Asked = Pick<ProviderCall<z.ZodType>, 'method' | 'operation' | 'subject'>;

export function openClient({ endpoint, region, timeoutMs }: DriverSettings): Client {
  if (!URL.canParse(endpoint) || !/^https?:/.test(endpoint)) {
    throw new MillwrightError(
      'invalid',
      `The simulator's endpoint "${endpoint}" is not a URL like http://127.0.0.1:7404.`,
    );
  }
  const base = `${endpoint.replace(/\/+$/, '')}/v1/regions/${encodeURIComponent(region)}`;

  return async ({ path, body, headers, answer, ...asked }, { signal, stillMine }) => {
    if (asked.method !== 'GET') await stillMine();
    const send = () =>
      fetch(`${base}${path}`, {
        method: asked.method,
        redirect: 'manual',
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
        headers: {
          ...traceHeaders(),
          ...headers,
          ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    const attributes = { 'http.request.method': asked.method, 'server.address': new URL(base).hostname };
    const called = { kind: SpanKind.CLIENT, attributes };
    const { status, text, retryAfter } = await inSpan(`simulator ${asked.operation}`, called, async (span) => {
      const answer = await exchange(asked, signal, send);
      span.setAttribute('http.response.status_code', answer.status);
      return answer;
    });
    const json = jsonOf(text);
    const refusal = refusalSchema.safeParse(json).data;
    const isAbsent = status === 204 || (status === 404 && refusal?.code === 'not_found');
    const parsed = answer.safeParse(isAbsent ? undefined : json);
    if (parsed.success && (isAbsent || isSuccess(status))) return parsed.data;
    if (isSuccess(status)) throw unsure(asked, 'gave an answer that cannot be read', parsed.error);
    const said = refusal?.message ?? `HTTP status ${status}, without a reason that can be read`;
    if (status === 429 || status === 503) {
      throw new ProviderError('transient', 'unavailable', `The simulator put off ${nameOf(asked)}: ${said}`, {
        retryAfterSeconds: secondsOf(retryAfter),
      });
    }
    if (status >= 500) throw unsure(asked, `failed: ${said}`);
    throw new ProviderError(
      'permanent',
      refusal?.code ?? 'internal',
      `The simulator refused ${nameOf(asked)}: ${said}`,
    );
  };
}

/** Sends and reads to the end; whatever goes wrong on the way is classed by whether the call may have been done. */
async function exchange(asked: Asked, signal: AbortSignal, send: () => Promise<Response>) {
  signal.throwIfAborted();
  try {
    const response = await send();
    return { status: response.status, text: await response.text(), retryAfter: response.headers.get('retry-after') };
  } catch (cause) {
    signal.throwIfAborted();
    const code = systemCodeOf(cause);
    if (code !== undefined && neverSent.has(code)) {
      throw new ProviderError(
        'transient',
        'unavailable',
        `The simulator cannot be reached for ${nameOf(asked)} (${code}). Check that it runs, and its endpoint.`,
        { cause },
      );
    }
    throw unsure(asked, `gave no answer (${code ?? (cause instanceof Error ? cause.name : 'unknown')})`, cause);
  }
}

/** No connection came about, so that nothing can have been done. */
const neverSent: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** `fetch` wraps what the system said. */
function systemCodeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  return 'code' in error && typeof error.code === 'string' ? error.code : systemCodeOf(error.cause);
}

/** A call that only reads may simply be made again; one that changes something may have done so already. */
function unsure(asked: Asked, what: string, cause?: unknown): ProviderError {
  const message = `The simulator ${what}, asked for ${nameOf(asked)}.`;
  return asked.method === 'GET'
    ? new ProviderError('transient', 'unavailable', message, { cause })
    : new ProviderError('ambiguous', 'unavailable', `${message} It may have been done.`, { cause });
}

const isSuccess = (status: number): boolean => status >= 200 && status < 300;

const nameOf = ({ operation, subject }: Asked): string => `${operation} of ${subject}`;

/** `null` for what is no JSON, which no schema of an answer takes. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** RFC 9110, 10.2.3; the simulator gives seconds, never a date. */
const secondsOf = (retryAfter: string | null): number | undefined =>
  retryAfter !== null && /^\d{1,9}$/.test(retryAfter) ? Number(retryAfter) : undefined;

import { setTimeout as pause } from 'node:timers/promises';
import type { z } from 'zod';
import { MillwrightError } from '../src/errors.ts';
import { faultsOf } from '../src/faults.ts';
import { version } from '../src/version.ts';
import type { Patience } from './context.ts';
import { ConnectionError } from './errors.ts';
import type { Credential, Platform } from './platform.ts';
import { toProblem } from './problem.ts';

/** One question to the API. */
export interface Ask {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below the API's base, without a slash at its beginning. */
  readonly path: string;
  /** A list stands for the same name several times. */
  readonly query?: Readonly<Record<string, string | number | readonly string[] | undefined>>;
  readonly body?: string | FormData;
  readonly contentType?: string;
  /** Makes it safe to ask again when the answer was lost. */
  readonly idempotencyKey?: string;
  /** What the user calls the body, for the faults in it. */
  readonly file?: string | undefined;
}

export interface HttpOptions {
  readonly platform: Platform;
  readonly project: string | undefined;
  readonly organization: string | undefined;
  readonly patience: Patience;
  /** A command as the user would have to type it to reach the same platform. */
  readonly command: (words: string) => string;
}

/** Between one try and the next. */
export const longestPauseMs = 1000;
/** Accepting the largest batch takes seconds; an API that is silent for longer than this has lost us. */
const answerTimeoutMs = 60_000;
/** A stream is never quiet for longer than 15 s, so that one which is has been cut off. */
const quietMs = 45_000;

/** Errors after which the request cannot have arrived. */
const refusals = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT']);
/** No such host, or one whose certificate is not trusted: asking again would not mend it. */
const hopeless = /^(ENOTFOUND|ERR_TLS_|ERR_SSL_|UNABLE_TO_)|CERT/;

/** Asks the API; asks again while it is away, where that cannot do anything twice. */
export class Http {
  readonly #options: HttpOptions;

  constructor(options: HttpOptions) {
    this.#options = options;
  }

  /** The answer as it came, once it has the form of the schema: fields that a newer API adds stay in it. */
  json<Answer>(schema: z.ZodType<Answer>, ask: Ask): Promise<Answer> {
    const { platform } = this.#options;
    return this.#patiently(ask, (text) => {
      const answer = parseJson(text, platform);
      assertForm(schema, answer, platform);
      return answer;
    });
  }

  /** The answer as it came. */
  text(ask: Ask): Promise<string> {
    return this.#patiently(ask, (text) => text);
  }

  /** Asks for something whose answer has nothing to tell. */
  send(ask: Ask): Promise<void> {
    return this.#patiently(ask, () => undefined);
  }

  async #patiently<Answer>(ask: Ask, read: (text: string) => Answer): Promise<Answer> {
    const { patience } = this.#options;
    const deadline = Date.now() + patience.requestMs;
    for (let pauseMs = patience.firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      try {
        return read(await (await this.#fetch(ask, AbortSignal.timeout(answerTimeoutMs))).text().catch(this.#lost));
      } catch (error) {
        if (!mayAskAgain(error, ask) || Date.now() + pauseMs > deadline) throw error;
        await pause(pauseMs);
      }
    }
  }

  /** The answer's body as it comes, asked for once. Aborted by the signal, and when it is quiet for too long. */
  async *stream(ask: Ask & { readonly lastEventId: string | undefined }, signal: AbortSignal): AsyncGenerator<string> {
    const quiet = new AbortController();
    const timer = setTimeout(() => quiet.abort(new Error(`nothing for ${quietMs / 1000} s`)), quietMs);
    try {
      const headers = ask.lastEventId === undefined ? {} : { 'last-event-id': ask.lastEventId };
      const response = await this.#fetch(ask, AbortSignal.any([signal, quiet.signal]), {
        accept: 'text/event-stream',
        ...headers,
      });
      const decoder = new TextDecoder();
      for await (const chunk of response.body ?? []) {
        timer.refresh();
        yield decoder.decode(chunk, { stream: true });
      }
    } catch (error) {
      throw error instanceof MillwrightError ? error : this.#unreachable(error);
    } finally {
      clearTimeout(timer);
    }
  }

  async #fetch(ask: Ask, signal: AbortSignal, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
    const { platform, project, organization, command } = this.#options;
    const url = new URL(ask.path, platform.url);
    for (const [name, value] of Object.entries({ ...ask.query, project, organization })) {
      for (const one of typeof value === 'object' ? value : [value]) {
        if (one !== undefined) url.searchParams.append(name, String(one));
      }
    }
    const send = async (authorization: Readonly<Record<string, string>>): Promise<Response> =>
      fetch(url, {
        method: ask.method ?? 'GET',
        body: ask.body ?? null,
        signal,
        headers: {
          accept: 'application/json',
          ...authorization,
          'user-agent': `millwright/${version}`,
          ...(ask.contentType ? { 'content-type': ask.contentType } : {}),
          ...(ask.idempotencyKey ? { 'idempotency-key': ask.idempotencyKey } : {}),
          ...headers,
        },
      }).catch(this.#lost);
    const response = await withToken(platform.credential, send);
    if (response.ok) return response;
    const text = await response.text().catch(this.#lost);
    throw await toProblem(response.status, text, { platform, file: ask.file, command });
  }

  #lost = (error: unknown): never => {
    throw this.#unreachable(error);
  };

  #unreachable(error: unknown): ConnectionError {
    const code = codeOf(error);
    const { url, remedy } = this.#options.platform;
    const kind = refusals.has(code) ? 'refused' : hopeless.test(code) ? 'hopeless' : 'lost';
    const what = `${kind === 'lost' ? 'gave no answer' : 'cannot be reached'} (${code})`;
    return new ConnectionError(`The API at ${url.origin} ${what}. ${remedy}`, kind, error);
  }
}

/** Sends with the token; and once more with a new one where that is refused and there is a newer to be had. */
async function withToken(
  credential: Credential | undefined,
  send: (headers: Readonly<Record<string, string>>) => Promise<Response>,
): Promise<Response> {
  if (!credential) return send({});
  const token = await credential.token();
  const response = await send({ authorization: `Bearer ${token}` });
  const newer = response.status === 401 ? await credential.renewed?.(token) : undefined;
  if (newer === undefined) return response;
  await response.body?.cancel();
  return send({ authorization: `Bearer ${newer}` });
}

function mayAskAgain(error: unknown, { method = 'GET', idempotencyKey }: Ask): boolean {
  // Refused before it was looked at.
  if (error instanceof MillwrightError && error.code === 'rate_limited') return true;
  if (!(error instanceof MillwrightError) || error.code !== 'unavailable') return false;
  if (error instanceof ConnectionError && error.kind !== 'lost') return error.kind === 'refused';
  return method === 'GET' || idempotencyKey !== undefined;
}

/** What the network says of it: fetch hides the reason one or two causes deep. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ('code' in error && typeof error.code === 'string') return error.code;
  return error.cause === undefined ? error.message : codeOf(error.cause);
}

function parseJson(text: string, { url, remedy }: Platform): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const message = `What answers at ${url.origin} is not Millwright's API. ${remedy}`;
    throw new MillwrightError('internal', message, { cause });
  }
}

/** Checks without copying, so that the answer stays as it came. */
export function assertForm<Answer>(
  schema: z.ZodType<Answer>,
  answer: unknown,
  { url }: Platform,
): asserts answer is Answer {
  const { error } = schema.safeParse(answer);
  if (!error) return;
  const faults = faultsOf(error).map(({ pointer, detail }) => `${pointer}: ${detail}`);
  throw new MillwrightError(
    'internal',
    `The API at ${url.origin} answers in a form that millwright ${version} does not know (${faults[0]}). Use the version that the platform runs.`,
  );
}

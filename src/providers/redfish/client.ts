import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { type ErrorCode, ProviderError } from '../../errors.ts';
import type { CallContext } from '../types.ts';
import { type Answer, exchange, type Question } from './exchange.ts';
import type { Access } from './settings.ts';

/** One controller, for the time of one call. Throws `ProviderError`, or why the caller aborted. */
export interface Client {
  readonly host: string;
  /** The resource at a path, or undefined where there is none. */
  find(path: string): Promise<Found | undefined>;
  get(path: string): Promise<Found>;
  /** Each member of a collection; none where there is no such collection. */
  members(path: string | undefined): Promise<unknown[]>;
  /** A change, its task waited for. `ambiguous` where it may have been made. */
  post(path: string, body: unknown): Promise<void>;
  /** Whatever a controller makes of ETags. */
  patch(path: string, body: unknown): Promise<void>;
}
interface Found {
  readonly json: unknown;
  readonly etag: string | undefined;
}

/** So often is asked, within one call, what the controller puts off or a read does not answer. */
const tries = 4;
const longestPauseMs = 30_000;
const taskPauseMs = 1000;

export function openClient(access: Access, timeoutMs: number, call: CallContext): Client {
  const { host } = access.base;

  async function send(question: Question): Promise<Answer> {
    call.signal.throwIfAborted();
    try {
      return await exchange(access, question, AbortSignal.any([call.signal, AbortSignal.timeout(timeoutMs)]));
    } catch (cause) {
      call.signal.throwIfAborted();
      throw noAnswer(host, question, cause);
    }
  }

  /** Asks again what was surely not done: what is put off, and a read. */
  async function ask(question: Question): Promise<Answer> {
    for (let left = tries - 1; ; left -= 1) {
      if (question.method !== 'GET') await call.stillMine();
      const pauseMs = await send(question).then(
        (answer) => (isPutOff(answer) && left > 0 ? pauseOf(answer) : answer),
        (error: unknown) => {
          if (left === 0 || !(error instanceof ProviderError) || error.providerClass !== 'transient') throw error;
          return 250;
        },
      );
      if (typeof pauseMs !== 'number') return pauseMs;
      call.progress(`${host} puts it off, ${Math.ceil(pauseMs / 1000)} s`);
      await pause(pauseMs, call);
    }
  }

  async function find(path: string): Promise<Found | undefined> {
    const question: Question = { method: 'GET', path: within(path, access.base) };
    const answer = await ask(question);
    if (answer.status === 404) return undefined;
    if (!isSuccess(answer) || answer.json === undefined) throw refusalOf(host, question, answer);
    return { json: answer.json, etag: answer.headers.etag ?? etagSchema.parse(answer.json)['@odata.etag'] };
  }

  async function get(path: string): Promise<Found> {
    const found = await find(path);
    if (found) return found;
    throw new ProviderError('permanent', 'not_found', `The controller ${host} has no ${path}.`);
  }

  async function settle(question: Question, answer: Answer): Promise<void> {
    if (!isSuccess(answer)) throw refusalOf(host, question, answer);
    const monitor = answer.headers.location;
    if (answer.status === 202 && monitor) await waitForTask(monitor, question);
  }

  async function waitForTask(location: string, question: Question): Promise<void> {
    // Some give the whole address of their task.
    const path = within(URL.canParse(location) ? new URL(location).pathname : location, access.base);
    for (;;) {
      const answer = await ask({ method: 'GET', path });
      const { TaskState: state, PercentComplete: percent, Messages: messages } = taskSchema.parse(answer.json ?? {});
      // A task that is gone has been done: controllers forget them, some at once.
      if (answer.status === 404 || answer.status === 410) return;
      if (!isSuccess(answer)) throw refusalOf(host, question, answer);
      if (state !== null && failedTasks.has(state)) {
        const said = messages?.flatMap(({ Message }) => Message ?? []).join(' ');
        throw new ProviderError(
          'permanent',
          'precondition',
          `The controller ${host} gave up ${path}: ${state}. ${said ?? ''}`.trim(),
        );
      }
      if (state === 'Completed' || (state === null && answer.status !== 202)) return;
      call.progress(`${host}: ${state ?? 'under way'}${percent === null ? '' : `, ${percent} %`}`);
      await pause(taskPauseMs, call);
    }
  }

  return {
    host,
    find,
    get,

    members: async (path) => {
      const all: unknown[] = [];
      for (let next = path; next; ) {
        const page = collectionSchema.parse((await find(next))?.json ?? {});
        for (const { '@odata.id': id } of page.Members ?? []) all.push((await get(id)).json);
        next = page['Members@odata.nextLink'] ?? undefined;
      }
      return all;
    },

    post: async (path, body) => {
      const question: Question = { method: 'POST', path: within(path, access.base), body };
      await settle(question, await ask(question));
    },

    patch: async (path, body) => {
      const question: Question = { method: 'PATCH', path: within(path, access.base), body };
      for (const match of ifMatches) {
        const value = match((await get(path)).etag);
        const answer = await ask(value === undefined ? question : { ...question, headers: { 'If-Match': value } });
        if (answer.status === 412 || answer.status === 428) continue;
        await settle(question, answer);
        return;
      }
      throw new ProviderError(
        'transient',
        'conflict',
        `The controller ${host} takes no ETag of ${path}, not even its own.`,
      );
    },
  };
}

/** What to try in turn: the ETag, one read anew, its strong form (some mark it weak and refuse it so), any, and none. */
const ifMatches: readonly ((etag: string | undefined) => string | undefined)[] = [
  (etag) => etag,
  (etag) => etag,
  (etag) => etag?.replace(/^W\//, ''),
  () => '*',
  () => undefined,
];

const etagSchema = z.object({ '@odata.etag': z.string().optional().catch(undefined) }).catch({});
const collectionSchema = z.object({
  Members: z.array(z.object({ '@odata.id': z.string() })).nullish(),
  'Members@odata.nextLink': z.string().nullish(),
});
const taskSchema = z.object({
  TaskState: z
    .string()
    .nullish()
    .transform((state) => state ?? null),
  PercentComplete: z
    .number()
    .nullish()
    .transform((percent) => percent ?? null),
  Messages: z.array(z.object({ Message: z.string().nullish() })).nullish(),
});
const failedTasks: ReadonlySet<string> = new Set(['Exception', 'Killed', 'Cancelled', 'Interrupted']);

const isSuccess = ({ status }: Answer): boolean => status >= 200 && status < 300;
const isPutOff = ({ status }: Answer): boolean => status === 503 || status === 429;

/** RFC 9110, 10.2.3: seconds, or a date. */
function retryAfterOf({ headers }: Answer): number | undefined {
  const value = headers['retry-after'];
  if (value === undefined) return undefined;
  const seconds = /^\d{1,9}$/.test(value) ? Number(value) : (Date.parse(value) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, Math.ceil(seconds)) : undefined;
}
const pauseOf = (answer: Answer): number => Math.min((retryAfterOf(answer) ?? 1) * 1000, longestPauseMs);

export async function pause(ms: number, { signal }: CallContext): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => signal.throwIfAborted());
}

/** A link must stay on the controller: the credential goes with every request. */
function within(path: string, base: URL): string {
  if (path.startsWith('/') && URL.canParse(path, base.href) && new URL(path, base).origin === base.origin) return path;
  throw new ProviderError(
    'permanent',
    'internal',
    `The controller ${base.host} links to "${path}", which is not on it.`,
  );
}

/** No connection came about, so that nothing can have been done. */
const neverSent: ReadonlySet<string> = new Set([
  ...['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN'],
]);
const isCertificate = (code: string): boolean => /CERT|_TLS_|_SIGNATURE|SELF_SIGNED/.test(code);

function noAnswer(host: string, { method, path }: Question, cause: unknown): ProviderError {
  const code = cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined;
  if (code && isCertificate(code)) {
    const message = `The certificate of the controller ${host} is not valid (${code}). Give it one that this worker trusts, or let its credential say "insecure": true.`;
    return new ProviderError('permanent', 'precondition', message, { cause });
  }
  if (code && neverSent.has(code)) {
    return new ProviderError('transient', 'unavailable', `The controller ${host} cannot be reached (${code}).`, {
      cause,
    });
  }
  const what = `The controller ${host} gave no answer to ${method} ${path}`;
  return method === 'GET'
    ? new ProviderError('transient', 'unavailable', `${what}.`, { cause })
    : new ProviderError('ambiguous', 'unavailable', `${what}. It may have been done.`, { cause });
}

const refusalSchema = z
  .object({
    error: z.object({
      message: z.string().optional(),
      '@Message.ExtendedInfo': z.array(z.object({ Message: z.string().nullish() })).nullish(),
    }),
  })
  .transform(({ error }) => {
    const details = (error['@Message.ExtendedInfo'] ?? []).flatMap(({ Message }) => Message ?? []);
    return (details.length > 0 ? details.join(' ') : error.message)?.slice(0, 500);
  });

/** What a refusal means (DSP0266, 8.6); 409 is what controllers say while they are busy with something else. */
function refusalOf(host: string, { method, path }: Question, answer: Answer): ProviderError {
  const { status } = answer;
  const said = refusalSchema.safeParse(answer.json).data ?? 'no reason that can be read';
  const message = `The controller ${host} answered ${status} to ${method} ${path}: ${said}`;
  if (isPutOff(answer)) {
    return new ProviderError('transient', 'unavailable', message, { retryAfterSeconds: retryAfterOf(answer) });
  }
  if (status === 409 || status === 408) return new ProviderError('transient', 'conflict', message);
  if (status === 401) return new ProviderError('permanent', 'unauthenticated', `${message}. Check its credential.`);
  if (status >= 500 || isSuccess(answer)) {
    return new ProviderError(method === 'GET' ? 'transient' : 'ambiguous', 'unavailable', message);
  }
  return new ProviderError('permanent', codeOf[status] ?? 'invalid', message);
}
const codeOf: Readonly<Record<number, ErrorCode>> = {
  403: 'forbidden',
  404: 'not_found',
  405: 'precondition',
  412: 'precondition',
};

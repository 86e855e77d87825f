import { setTimeout as pause } from 'node:timers/promises';
import type { z } from 'zod';
import { MillwrightError } from '../src/errors.ts';
import { ConnectionError } from './errors.ts';
import { assertForm, type Http, type HttpOptions, longestPauseMs } from './http.ts';
import { readEvents } from './sse.ts';

interface Following<Event> {
  readonly http: Http;
  readonly options: HttpOptions;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly schema: z.ZodType<Event>;
  readonly signal: AbortSignal;
  /** Nothing comes after this one. */
  readonly isLast: (event: Event) => boolean;
  /** Asked when a stream ends without a word: the last event may be what came last before the connection dropped. */
  readonly hasEndedSince: () => Promise<boolean>;
  readonly sayAway: (why: string) => void;
}

/**
 * The events of a stream from the first to the last, each once. Goes on where it was when the connection drops, as when
 * the API restarts, and says so once. Ends with the last event, or with the signal.
 */
export async function* followEvents<Event>(following: Following<Event>): AsyncGenerator<Event> {
  const { http, options, path, query = {}, schema, signal, isLast, hasEndedSince, sayAway } = following;
  const { patience, platform } = options;
  let lastEventId: string | undefined;
  let away = { since: Date.now(), said: false, pauseMs: patience.firstPauseMs };
  while (!signal.aborted) {
    let came = false;
    try {
      const asked = lastEventId === undefined ? { path, query } : { path, query: { ...query, since: undefined } };
      for await (const { id, data } of readEvents(http.stream({ ...asked, lastEventId }, signal))) {
        lastEventId = id ?? lastEventId;
        away = { since: Date.now(), said: false, pauseMs: patience.firstPauseMs };
        if (data === undefined) continue;
        came = true;
        const event: unknown = JSON.parse(data);
        assertForm(schema, event, platform);
        yield event;
        if (isLast(event)) return;
      }
      if (!came && (await hasEndedSince())) return;
      away.since = Date.now();
    } catch (error) {
      if (signal.aborted) return;
      if (!isPassing(error) || Date.now() - away.since > patience.followMs) throw error;
      if (!away.said) sayAway(error.message);
      away.said = true;
    }
    await pause(away.pauseMs, undefined, { signal }).catch(() => undefined);
    away.pauseMs = Math.min(away.pauseMs * 2, longestPauseMs);
  }
}

/** The API is away, and may be back in a moment. */
function isPassing(error: unknown): error is MillwrightError {
  if (error instanceof ConnectionError) return error.kind !== 'hopeless';
  return error instanceof MillwrightError && error.code === 'unavailable';
}

import { setTimeout as pause } from 'node:timers/promises';
import { hasEnded, type JobEvent, jobEventSchema } from '../src/domain/job.ts';
import { MillwrightError } from '../src/errors.ts';
import { ConnectionError } from './errors.ts';
import { assertForm, type Http, type HttpOptions, longestPauseMs } from './http.ts';
import { readEvents } from './sse.ts';

interface Following {
  readonly http: Http;
  readonly options: HttpOptions;
  readonly path: string;
  readonly jobId: string;
  readonly signal: AbortSignal;
  /** Asked when a stream ends without a word: the job's last event may be what came last before the connection dropped. */
  readonly hasEndedSince: () => Promise<boolean>;
  readonly sayAway: (why: string) => void;
}

/**
 * Every event of a job, and of its operations if it is a batch's, from the first to the last. Goes on where it was when
 * the connection drops, as when the API restarts, and says so once. Ends with the job, or with the signal.
 */
export async function* jobEvents(following: Following): AsyncGenerator<JobEvent> {
  const { http, options, path, jobId, signal, hasEndedSince, sayAway } = following;
  const { patience, platform } = options;
  let lastEventId: string | undefined;
  let away = { since: Date.now(), said: false, pauseMs: patience.firstPauseMs };
  while (!signal.aborted) {
    const before = lastEventId;
    try {
      for await (const { id, data } of readEvents(http.stream({ path, lastEventId }, signal))) {
        lastEventId = id ?? lastEventId;
        away = { since: Date.now(), said: false, pauseMs: patience.firstPauseMs };
        const event: unknown = JSON.parse(data);
        assertForm(jobEventSchema, event, platform);
        yield event;
        if (event.jobId === jobId && hasEnded(event.state)) return;
      }
      if (lastEventId === before && (await hasEndedSince())) return;
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

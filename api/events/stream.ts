import type { Context } from 'hono';
import { streamSSE } from 'hono/streaming';
import { assertKept, lastEventOf } from '../../src/db/queries/events.ts';
import { cursorText, type Event, type EventCursor, type EventFilter, isAfter } from '../../src/domain/event.ts';
import type { ApiDependencies, ApiEnv } from '../env.ts';
import { watchEvents } from './watch.ts';

/** A token that was revoked or has expired is seen after this long at the latest. */
const lookAtRightsEveryMs = 2000;
/** A reader that takes nothing for this long is let go; it comes back where it was, if it lives. */
const writeTimeoutMs = 30_000;
/** How long a watcher is to wait before it comes back, unless it knows better (WHATWG HTML, 9.2). */
const comeBackAfterMs = 500;

interface Streaming {
  readonly filter: EventFilter;
  readonly after: EventCursor;
  /** What is shown of an event; the event itself, where it is left out. */
  readonly show?: (event: Event) => object;
  /** Nothing comes after this one. */
  readonly isLast?: (event: Event) => boolean;
  /** What is watched, where it has ended by now. */
  readonly ended?: { readonly jobId: string } | { readonly resourceId: string } | undefined;
}

/**
 * Server-sent events until the last one, until the reader goes, may not read any more or takes nothing, or until the API
 * stops. Whatever ends it, whoever comes back with `Last-Event-ID` misses nothing and gets nothing twice.
 */
export async function streamEvents(
  context: Context<ApiEnv>,
  { database, tail, draining, log }: Pick<ApiDependencies, 'database' | 'tail' | 'draining' | 'log'>,
  { filter, after, show = (event) => event, isLast = () => false, ended }: Streaming,
): Promise<Response> {
  await assertKept(database.sql, after);
  const last = ended && (await lastEventOf(database.sql, ended));
  const over = ended !== undefined && (last === undefined || !isAfter(last, after));
  const stillAllowed = context.get('stillAllowed');
  context.header('X-Accel-Buffering', 'no');
  return streamSSE(context, async (stream) => {
    const gone = new AbortController();
    const signal = AbortSignal.any([gone.signal, draining]);
    stream.onAbort(() => gone.abort());
    const rights = setInterval(() => {
      stillAllowed().then(
        (allowed) => allowed || gone.abort(),
        (error: unknown) => log.debug({ err: error }, 'the rights of a watcher cannot be read'),
      );
    }, lookAtRightsEveryMs);

    /** Waits until the reader has taken it: what it has not is not kept here. */
    async function write(text: string): Promise<void> {
      const late = setTimeout(() => {
        gone.abort();
        stream.abort();
      }, writeTimeoutMs);
      await stream.write(text);
      clearTimeout(late);
    }

    try {
      await write(`retry: ${comeBackAfterMs}\nid: ${cursorText(after)}\n\n`);
      if (over) return await write(': it has ended, and you have seen its last event\n\n');
      for await (const news of watchEvents(database.sql, tail, filter, after, signal)) {
        if ('transaction' in news) await write(`: still here\nid: ${cursorText(news)}\n\n`);
        else await write(`id: ${news.id}\nevent: ${news.type}\ndata: ${JSON.stringify(show(news))}\n\n`);
        if (signal.aborted || ('type' in news && isLast(news))) break;
      }
      if (draining.aborted) await write(': this server stops; come back with Last-Event-ID\n\n');
    } catch (error) {
      log.warn({ err: error }, 'a stream of events ended early; its watcher comes back');
    } finally {
      clearInterval(rights);
    }
  });
}

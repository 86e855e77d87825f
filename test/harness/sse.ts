import type { Event } from '../../src/domain/event.ts';
import type { JobEvent } from '../../src/domain/job.ts';
import type { Api } from './api.ts';

export interface SentEvent {
  readonly id: string;
  readonly event: string;
  readonly data: JobEvent;
}

const headersOf = (api: Api, lastEventId: string | undefined): Record<string, string> => ({
  authorization: `Bearer ${api.token}`,
  ...(lastEventId ? { 'last-event-id': lastEventId } : {}),
});

/** A stream of server-sent events, read to its end. */
export async function readEvents(api: Api, path: string, lastEventId?: string): Promise<SentEvent[]> {
  const answer = await fetch(api.url + path, {
    headers: headersOf(api, lastEventId),
  });
  const text = await answer.text();
  return text
    .split('\n\n')
    .filter((block) => block.includes('data:'))
    .map((block) => {
      const fields = new Map(
        block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
      );
      return {
        id: fields.get('id') ?? '',
        event: fields.get('event') ?? '',
        data: JSON.parse(fields.get('data') ?? ''),
      };
    });
}

/** Somebody who watches a stream and keeps what comes. */
export interface Watcher {
  readonly seen: Event[];
  /** The last id that the stream gave, with an event or without one. */
  lastId(): string | undefined;
  /** Resolves when the server has ended the stream. */
  readonly ended: Promise<void>;
  leave(): Promise<void>;
}

/** Opens a stream; resolves once it is open, so that whatever happens from then on is seen. */
export async function watch(api: Api, path: string, lastEventId?: string): Promise<Watcher> {
  const left = new AbortController();
  const answer = await fetch(api.url + path, { headers: headersOf(api, lastEventId), signal: left.signal });
  if (!answer.ok || !answer.body) throw new Error(`GET ${path}: ${answer.status} ${await answer.text()}`);
  const seen: Event[] = [];
  const opened = Promise.withResolvers<void>();
  let lastId: string | undefined;
  async function read(body: AsyncIterable<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    let rest = '';
    for await (const chunk of body) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (line.startsWith('id: ')) lastId = line.slice(4);
        if (line.startsWith('data: ')) seen.push(JSON.parse(line.slice(6)));
      }
      opened.resolve();
    }
  }
  const ended = read(answer.body).catch(() => undefined);
  await Promise.race([opened.promise, ended]);
  return {
    seen,
    lastId: () => lastId,
    ended,
    leave: async () => {
      left.abort();
      await ended;
    },
  };
}

import type { JobEvent } from '../../src/domain/job.ts';
import type { Api } from './api.ts';

export interface SentEvent {
  readonly id: string;
  readonly event: string;
  readonly data: JobEvent;
}

/** A stream of server-sent events, read to its end. */
export async function readEvents(api: Api, path: string, lastEventId?: string): Promise<SentEvent[]> {
  const answer = await fetch(api.url + path, {
    headers: { authorization: `Bearer ${api.token}`, ...(lastEventId ? { 'last-event-id': lastEventId } : {}) },
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

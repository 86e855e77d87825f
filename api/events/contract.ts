import { z } from '@hono/zod-openapi';
import { beginning, type EventCursor } from '../../src/domain/event.ts';
import { cursorOf } from './watch.ts';

/** Where a stream goes on (WHATWG HTML, 9.2.4). */
export const lastEventIdHeader = z.object({
  'last-event-id': z.string().max(100).optional().meta({ description: 'The id of the last event that was seen.' }),
});

/** The place that `Last-Event-ID` means; the very beginning, where it is left out. */
export const afterOf = ({ 'last-event-id': id }: z.infer<typeof lastEventIdHeader>): EventCursor =>
  id === undefined || id === '' ? beginning : cursorOf(id, '/last-event-id');

export const eventStream = <Schema extends z.ZodType>(schema: Schema) => ({
  description:
    'The stream, a message for each event: `id` is the event’s, `event` its type, `data` what this schema says. Lines that begin with a colon say that nothing has come.',
  content: { 'text/event-stream': { schema } },
});

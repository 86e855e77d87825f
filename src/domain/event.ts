import { z } from 'zod';
import { idSchema, timeSchema } from './common.ts';

/** A place in the outbox. Everything after it is read by going on from it; see src/db/schema/events.ts for the order. */
export interface EventCursor {
  readonly transaction: bigint;
  readonly position: bigint;
}

/** Before every event that there is. */
export const beginning: EventCursor = { transaction: 0n, position: 0n };

/** The form in which a cursor is given out: that of an event's id. No full stop in it: webhooks sign it between two. */
export const cursorText = ({ transaction, position }: EventCursor): string => `${transaction}-${position}`;

/** Undefined for what is no cursor. A full stop in the middle is how the release before wrote it. */
export function parseCursor(text: string): EventCursor | undefined {
  const [, transaction, position] = /^(\d{1,18})[-.](\d{1,18})$/.exec(text) ?? [];
  if (!transaction || !position) return undefined;
  return { transaction: BigInt(transaction), position: BigInt(position) };
}

export const isAfter = (one: EventCursor, other: EventCursor): boolean =>
  one.transaction === other.transaction ? one.position > other.position : one.transaction > other.transaction;

/** A type, or all that begin alike: `job.ended`, `job.*`. */
export const typePattern = /^[a-z][a-z-]*(\.[a-z-]+)*(\.\*)?$/;
export const kindPattern = /^[a-z][a-z-]*$/;

/** Which events are meant; what is left out does not matter. */
export interface EventFilter {
  readonly projectId?: string;
  readonly resourceId?: string;
  /** The events of a job, and of its operations if it is a batch's. */
  readonly jobId?: string;
  readonly types?: readonly string[];
  readonly kinds?: readonly string[];
}

/** The same as the conditions of `eventsAfter` (src/db/queries/events.ts), for an event that has been read. */
export function matches({ projectId, resourceId, jobId, types, kinds }: EventFilter, event: Event): boolean {
  return (
    (projectId === undefined || event.projectId === projectId) &&
    (resourceId === undefined || event.resource?.id === resourceId) &&
    (jobId === undefined || event.jobId === jobId || event.parentJobId === jobId) &&
    (types === undefined || types.some((type) => isOfType(event.type, type))) &&
    (kinds === undefined || (event.resource !== null && kinds.includes(event.resource.kind)))
  );
}

const isOfType = (type: string, pattern: string): boolean =>
  pattern.endsWith('.*') ? type.startsWith(pattern.slice(0, -1)) : type === pattern;

export const eventSchema = z
  .object({
    id: z.string().meta({
      description: 'Its place in the order of events, which is also the cursor to go on from: `Last-Event-ID`.',
      examples: ['1042-7713'],
    }),
    type: z.string().meta({ examples: ['job.ended'] }),
    at: timeSchema,
    organizationId: idSchema,
    projectId: idSchema,
    resource: z
      .object({
        id: idSchema,
        kind: z.string(),
        name: z.string(),
        status: z
          .string()
          .nullable()
          .meta({ description: 'Its status after this event; null where it did not change.' }),
      })
      .nullable(),
    jobId: idSchema.nullable(),
    parentJobId: idSchema.nullable().meta({ description: 'The batch’s job, for the job of one of its operations.' }),
    data: z
      .record(z.string(), z.unknown())
      .meta({ description: 'What more there is to tell: for `job.*` a JobEvent less its time.' }),
  })
  .meta({ id: 'Event' });
export type Event = z.infer<typeof eventSchema>;

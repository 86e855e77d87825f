import { z } from '@hono/zod-openapi';
import { cursorSince, eventsAfter, presentEnd } from '../../src/db/queries/events.ts';
import { timeSchema } from '../../src/domain/common.ts';
import {
  beginning,
  cursorText,
  type EventCursor,
  type EventFilter,
  eventSchema,
  kindPattern,
  typePattern,
} from '../../src/domain/event.ts';
import { MillwrightError } from '../../src/errors.ts';
import { createRoute, json, pageOf, projectQuery } from '../contract.ts';
import type { ApiDependencies } from '../env.ts';
import { eventStream, lastEventIdHeader } from '../events/contract.ts';
import { streamEvents } from '../events/stream.ts';
import { cursorOf } from '../events/watch.ts';
import { notKept, problems } from '../problem.ts';
import { createRouter } from '../router.ts';

const listOf = (pattern: RegExp, what: string, example: string) =>
  z
    .string()
    .max(1000)
    .transform((text) => text.split(','))
    .pipe(z.array(z.string().regex(pattern, `Expected ${what}, or several with commas between`)).max(50))
    .optional()
    .meta({ type: 'string', description: `Only of these, with commas between: \`${example}\`.` });

/** Which events are meant, as a query says it. */
const filterFields = {
  type: listOf(typePattern, 'a type like "job.ended", or all that begin alike like "job.*"', 'job.ended,resource.*'),
  kind: listOf(kindPattern, 'a kind like "vm"', 'vm,volume'),
  resource: z.uuid().optional().meta({ description: 'Only what is about the resource (or batch) of this id.' }),
  job: z
    .uuid()
    .optional()
    .meta({ description: 'Only the events of this job, and of its operations if it is a batch’s.' }),
};
const filterSchema = z.object(filterFields);

const placeFields = {
  cursor: z
    .string()
    .max(100)
    .optional()
    .meta({ description: 'After this event or cursor. Without it and `since`: from the oldest that is kept.' }),
  since: timeSchema.optional().meta({ description: 'From the first event at or after this time (ISO 8601, UTC).' }),
};

/** What there is to read, and where to go on. */
const eventPageSchema = pageOf(eventSchema).extend({
  cursor: z.string().meta({
    description:
      'The place after this page, also where it is the last one: ask again from there for what has happened since, or watch from there with `Last-Event-ID`.',
  }),
});

const filterOf = (projectId: string, { type, kind, resource, job }: z.output<typeof filterSchema>): EventFilter => ({
  projectId,
  ...(type ? { types: type } : {}),
  ...(kind ? { kinds: kind } : {}),
  ...(resource ? { resourceId: resource } : {}),
  ...(job ? { jobId: job } : {}),
});

export function eventRoutes(dependencies: ApiDependencies) {
  const { sql } = dependencies.database;
  const common = { tags: ['Events'] };
  const router = createRouter();

  /** Where to begin; undefined where the request does not say. */
  async function placeOf(projectId: string, cursor?: string, since?: string): Promise<EventCursor | undefined> {
    if (cursor !== undefined && since !== undefined) {
      const detail = 'Give a cursor or a time, not both.';
      throw new MillwrightError('invalid', detail, { faults: [{ pointer: '/since', detail }] });
    }
    if (cursor !== undefined) return cursorOf(cursor, '/cursor');
    return since === undefined ? undefined : await cursorSince(sql, projectId, since);
  }

  router.openapi(
    createRoute('event.read', {
      ...common,
      method: 'get',
      path: '/events',
      summary: 'List events',
      description:
        'Every change of state in the project, oldest first, and in the order in which it happened to any one resource. To follow what happens, keep `cursor` and ask again from there.',
      operationId: 'list-events',
      request: {
        query: projectQuery
          .extend({ limit: z.coerce.number().int().min(1).max(500).default(100) })
          .extend(placeFields)
          .extend(filterFields),
      },
      responses: { 200: json('A page, oldest first.', eventPageSchema), ...problems, ...notKept },
    }),
    async (context) => {
      const { limit, cursor, since, ...filter } = context.req.valid('query');
      const { project } = context.get('caller');
      const after = (await placeOf(project.id, cursor, since)) ?? beginning;
      const { events, end, isLast } = await eventsAfter(sql, filterOf(project.id, filter), after, limit);
      const next = cursorText(end);
      return context.json({ items: [...events], nextCursor: isLast ? null : next, cursor: next }, 200);
    },
  );

  router.openapi(
    createRoute('event.read', {
      ...common,
      method: 'get',
      path: '/events/watch',
      summary: 'Watch a project',
      description:
        'Server-sent events: every change of state in the project as it happens, from now on, or after `Last-Event-ID`, `cursor` or `since`. The stream has no end; whoever is cut off comes back with the last id and misses nothing.',
      operationId: 'watch-events',
      request: { query: projectQuery.extend(placeFields).extend(filterFields), headers: lastEventIdHeader },
      responses: { 200: eventStream(eventSchema), ...problems, ...notKept },
    }),
    async (context) => {
      const { cursor, since, ...filter } = context.req.valid('query');
      const { project } = context.get('caller');
      const id = context.req.valid('header')['last-event-id'];
      const asked = id ? cursorOf(id, '/last-event-id') : await placeOf(project.id, cursor, since);
      const after = asked ?? (await presentEnd(sql));
      return await streamEvents(context, dependencies, { filter: filterOf(project.id, filter), after });
    },
  );
  return router;
}

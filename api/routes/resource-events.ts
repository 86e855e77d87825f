import { findWatched } from '../../src/db/queries/resources.ts';
import { eventSchema } from '../../src/domain/event.ts';
import { plural, type ResourceKind } from '../../src/domain/kinds.ts';
import { notFound } from '../../src/requests/target.ts';
import { createRoute, projectQuery, referenceParam } from '../contract.ts';
import type { ApiDependencies } from '../env.ts';
import { afterOf, eventStream, lastEventIdHeader } from '../events/contract.ts';
import { streamEvents } from '../events/stream.ts';
import { notKept, problems } from '../problem.ts';
import { createRouter } from '../router.ts';

/** Watching one resource, the same for every kind. `noun` is what a person calls it, `tag` where its routes stand. */
export function resourceEventRoutes(
  dependencies: ApiDependencies,
  { kind, noun, tag }: { readonly kind: ResourceKind; readonly noun: string; readonly tag: string },
) {
  const router = createRouter();
  router.openapi(
    createRoute('event.read', {
      tags: [tag],
      method: 'get',
      path: `/${plural[kind]}/{id}/events`,
      summary: `Watch a ${noun}`,
      description:
        'Server-sent events: each change of the resource and of its jobs, from the oldest that is kept or after `Last-Event-ID`. The stream ends when the resource is deleted.',
      operationId: `watch-${kind}`,
      request: { params: referenceParam, query: projectQuery, headers: lastEventIdHeader },
      responses: { 200: eventStream(eventSchema), ...problems, ...notKept },
    }),
    async (context) => {
      const { id: reference } = context.req.valid('param');
      const after = afterOf(context.req.valid('header'));
      const found = await findWatched(dependencies.database.sql, context.get('caller').project.id, kind, reference);
      if (!found) throw notFound(kind, reference);
      return await streamEvents(context, dependencies, {
        filter: { resourceId: found.id },
        after,
        isLast: ({ resource }) => resource?.status === 'deleted',
        ended: found.deleted ? { resourceId: found.id } : undefined,
      });
    },
  );
  return router;
}

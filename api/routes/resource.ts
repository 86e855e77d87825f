import { type OpenAPIHono, z } from '@hono/zod-openapi';
import { acceptTogether } from '../../src/db/queries/accept-together.ts';
import { findJob } from '../../src/db/queries/jobs.ts';
import { findResource, listResources, type ResourceView, resourceById } from '../../src/db/queries/resources.ts';
import type { Permission } from '../../src/domain/access.ts';
import { type ActRequest, actSchemas, actTitles, endsAsItIs, isReversible } from '../../src/domain/acts.ts';
import { shownKeySchema } from '../../src/domain/bucket.ts';
import { jobFields, labelFilterSchema, longestJobSeconds, resourceUpdateSchema } from '../../src/domain/common.ts';
import type { JobView } from '../../src/domain/job.ts';
import { actsOf, isActType, plural, type ResourceKind, typeOf } from '../../src/domain/kinds.ts';
import { asBefore, listedStates, moveFor } from '../../src/domain/life.ts';
import { maintainerNameSchema } from '../../src/domain/maintainer.ts';
import { acceptAct } from '../../src/requests/act.ts';
import { shownKey } from '../../src/requests/bucket-keys.ts';
import type { Accepted } from '../../src/requests/caller.ts';
import { acceptCreate } from '../../src/requests/create.ts';
import { idempotencyOf } from '../../src/requests/idempotency.ts';
import { maintainerIn } from '../../src/requests/maintainers.ts';
import type { CreateBody } from '../../src/requests/prepare.ts';
import { acceptDelete } from '../../src/requests/remove.ts';
import { notFound } from '../../src/requests/target.ts';
import { acceptUpdate } from '../../src/requests/update.ts';
import { veiled } from '../../src/secrets/specs.ts';
import {
  acceptedOf,
  createRoute,
  idempotencyHeader,
  json,
  locationHeader,
  pageOf,
  pageQuery,
  projectQuery,
  referenceParam,
} from '../contract.ts';
import type { ApiDependencies, ApiEnv } from '../env.ts';
import { problems } from '../problem.ts';
import { createRouter } from '../router.ts';
import { workflowUrl } from '../workflow-url.ts';
import { resourceEventRoutes } from './resource-events.ts';

/** Which resources of a kind are listed. */
const listQueryOf = (kind: ResourceKind) =>
  pageQuery.extend({
    status: z.enum(listedStates(kind)).optional(),
    region: z.string().max(63).optional().meta({ description: 'Only those in this region.' }),
    maintainer: maintainerNameSchema
      .optional()
      .meta({ description: 'Only those of this maintainer group, or of the member with this e-mail address.' }),
    label: labelFilterSchema.optional().meta({
      type: 'array',
      items: { type: 'string' },
      description: 'Only those with this label, `key=value`; given again, with all of them.',
    }),
  });

const deleteQuery = projectQuery.extend({
  onFailure: jobFields.onFailure,
  timeoutSeconds: z.coerce.number().int().min(1).max(longestJobSeconds).optional(),
});

/** Of a bucket, which may hold something. */
const bucketDeleteQuery = deleteQuery.extend({
  force: z
    .enum(['true', 'false'])
    .optional()
    .meta({ description: 'With everything that it holds. Without, one that holds anything is not deleted.' }),
});
const deleteQueryOf = (kind: ResourceKind) => (kind === 'bucket' ? bucketDeleteQuery : deleteQuery);

interface KindRoutes {
  readonly kind: ResourceKind;
  /** As a person says it, for the contract. */
  readonly title: string;
  readonly createSchema: z.ZodType<CreateBody>;
  readonly viewSchema: z.ZodType<ResourceView>;
  /** What whoever changes it must have, where that is more than for other kinds. */
  readonly write?: Permission;
}

/** Create, list, get, update, delete and the kind's acts: written once for every kind of resource. */
export function resourceRoutes(
  dependencies: ApiDependencies,
  { kind, title, createSchema, viewSchema, write = 'resource.write' }: KindRoutes,
): OpenAPIHono<ApiEnv> {
  const { database, catalog, limits, sealer, start } = dependencies;
  const urlOf = workflowUrl(dependencies);
  const accept = acceptTogether(database.sql);
  const path = `/${plural[kind]}`;
  const lower = title === 'VM' ? title : title.toLowerCase();
  const common = { tags: [`${title}s`] };
  const acceptedKey = {
    ...json(
      'Accepted: follow the job. The secret of the key is shown here, and nowhere else.',
      acceptedOf(viewSchema).extend({ key: shownKeySchema }),
    ),
    headers: locationHeader,
  };
  const accepted = { ...json('Accepted: follow the job.', acceptedOf(viewSchema)), headers: locationHeader };

  /** What a mutating request answers with: what was written, read again only where it is not known. */
  async function show(
    projectId: string,
    { jobId, resourceId, views }: Accepted<ResourceView>,
  ): Promise<{ resource: ResourceView; job: JobView }> {
    if (views) return { resource: views.resource, job: { ...views.job, temporalUiUrl: urlOf(views.job.workflowId) } };
    const [resource, job] = await Promise.all([
      resourceById(database.sql, kind, resourceId),
      findJob(database.sql, projectId, jobId, urlOf),
    ]);
    if (!resource || !job) throw notFound(kind, resourceId);
    return { resource, job };
  }

  const router = createRouter();
  router.openapi(
    createRoute(write, {
      ...common,
      method: 'post',
      path,
      summary: `Create a ${lower}`,
      operationId: `create-${kind}`,
      request: {
        query: projectQuery,
        headers: idempotencyHeader,
        body: { required: true, content: { 'application/json': { schema: createSchema } } },
      },
      responses: { 202: accepted, ...problems },
    }),
    async (context) => {
      const create = context.req.valid('json');
      const caller = context.get('caller');
      const key = context.req.valid('header')['idempotency-key'];
      const idempotency = await idempotencyOf(key, `create ${kind}`, () => veiled(sealer, kind, create.body));
      const done = await acceptCreate(database.sql, caller, await catalog(), create, {
        limits,
        sealer,
        accept,
        idempotency,
      });
      if (done.start) start(done.start);
      return context.json(await show(caller.project.id, done), 202, { Location: `/api/tenant/v1/jobs/${done.jobId}` });
    },
  );

  router.openapi(
    createRoute('resource.read', {
      ...common,
      method: 'get',
      path,
      summary: `List ${lower}s`,
      operationId: `list-${plural[kind]}`,
      request: { query: listQueryOf(kind) },
      responses: { 200: json('A page, oldest first.', pageOf(viewSchema)), ...problems },
    }),
    async (context) => {
      const { limit, cursor, status, region, maintainer, label } = context.req.valid('query');
      const { organization, project } = context.get('caller');
      const maintainerId = maintainer && (await maintainerIn(database.sql, organization, maintainer)).id;
      const filter = { status, region, maintainerId, labels: label };
      return context.json(await listResources(database.sql, project.id, kind, filter, { limit, cursor }), 200);
    },
  );

  router.openapi(
    createRoute('resource.read', {
      ...common,
      method: 'get',
      path: `${path}/{id}`,
      summary: `Get a ${lower}`,
      operationId: `get-${kind}`,
      request: { params: referenceParam, query: projectQuery },
      responses: { 200: json(`The ${lower}.`, viewSchema), ...problems },
    }),
    async (context) => {
      const { id } = context.req.valid('param');
      const resource = await findResource(database.sql, context.get('caller').project.id, kind, id);
      if (!resource) throw notFound(kind, id);
      return context.json(resource, 200);
    },
  );

  router.openapi(
    createRoute(write, {
      ...common,
      method: 'patch',
      path: `${path}/{id}`,
      summary: `Change a ${lower}'s labels, deletion protection or maintainer`,
      description: 'What Millwright alone keeps of it: the provider is not asked, and the change is made at once.',
      operationId: `update-${kind}`,
      request: {
        params: referenceParam,
        query: projectQuery,
        body: { required: true, content: { 'application/json': { schema: resourceUpdateSchema } } },
      },
      responses: { 200: json(`The ${lower} as it now is.`, viewSchema), ...problems },
    }),
    async (context) => {
      const { id: reference } = context.req.valid('param');
      const id = await acceptUpdate(database.sql, context.get('caller'), kind, reference, context.req.valid('json'));
      const resource = await resourceById(database.sql, kind, id);
      if (!resource) throw notFound(kind, reference);
      return context.json(resource, 200);
    },
  );

  router.openapi(
    createRoute(write, {
      ...common,
      method: 'delete',
      path: `${path}/{id}`,
      summary: `Delete a ${lower}`,
      operationId: `delete-${kind}`,
      request: { params: referenceParam, query: deleteQueryOf(kind), headers: idempotencyHeader },
      responses: { 202: accepted, ...problems },
    }),
    async (context) => {
      const { id } = context.req.valid('param');
      const caller = context.get('caller');
      const { onFailure, timeoutSeconds, ...how } = context.req.valid('query');
      const force = 'force' in how && how.force === 'true';
      const key = context.req.valid('header')['idempotency-key'];
      const asked = { id, onFailure, timeoutSeconds, ...(force ? { force } : {}) };
      const idempotency = await idempotencyOf(key, `delete ${kind}`, () => asked);
      const options = { limits, sealer, idempotency, onFailure, timeoutSeconds, force };
      const done = await acceptDelete(database.sql, caller, kind, id, options);
      if (done.start) start(done.start);
      return context.json(await show(caller.project.id, done), 202, { Location: `/api/tenant/v1/jobs/${done.jobId}` });
    },
  );
  for (const act of actsOf(kind)) {
    const type = typeOf(kind, act);
    if (!isActType(type)) continue;
    router.openapi(
      createRoute(write, {
        ...common,
        method: 'post',
        path: `${path}/{id}/${act}`,
        summary: actTitles[type],
        description: `For one that is ${moveFor(kind, act).from.join(' or ')}; else 409. ${
          isReversible(type)
            ? 'Undone where it fails.'
            : endsAsItIs(type)
              ? `Where it fails it is ${moveFor(kind, act).failed === asBefore ? 'as it was' : moveFor(kind, act).failed}.`
              : 'It cannot be undone: where it fails it is held.'
        }`,
        operationId: `${act}-${kind}`,
        request: {
          params: referenceParam,
          query: projectQuery,
          headers: idempotencyHeader,
          body: {
            required: !actSchemas[type].safeParse({}).success,
            content: { 'application/json': { schema: actSchemas[type] } },
          },
        },
        responses: { 202: type === 'bucket.create-key' ? acceptedKey : accepted, ...problems },
      }),
      async (context) => {
        const { id } = context.req.valid('param');
        const caller = context.get('caller');
        // A request without a body, of one that needs none, is not validated.
        const body = actSchemas[type].parse(context.req.valid('json'));
        const asked = context.req.valid('header')['idempotency-key'];
        const idempotency = await idempotencyOf(asked, type, () => veiled(sealer, kind, { id, ...body }));
        const { onFailure, timeoutSeconds } = body;
        const options = { limits, sealer, idempotency, onFailure, timeoutSeconds };
        const request = { type, body } as ActRequest;
        const done = await acceptAct(database.sql, caller, await catalog(), request, id, options);
        const key = type === 'bucket.create-key' ? { key: await shownKey(database.sql, sealer, done) } : {};
        if (done.start) start(done.start);
        return context.json({ ...(await show(caller.project.id, done)), ...key }, 202, {
          Location: `/api/tenant/v1/jobs/${done.jobId}`,
        });
      },
    );
  }
  router.route('/', resourceEventRoutes(dependencies, { kind, noun: lower, tag: `${title}s` }));
  return router;
}

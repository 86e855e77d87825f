import { listOrganizations, listProjects, projectById } from '../../src/db/queries/organizations.ts';
import { organizationSchema, projectCreateSchema, projectSchema } from '../../src/domain/tenancy.ts';
import { MillwrightError } from '../../src/errors.ts';
import { createProject, deleteProject } from '../../src/requests/organizations.ts';
import { created, createRoute, gone, json, organizationQuery, pageOf, pageQuery, referenceParam } from '../contract.ts';
import type { ApiDependencies } from '../env.ts';
import { problems } from '../problem.ts';
import { createRouter } from '../router.ts';

/** The organisations and projects that a caller holds anything in. */
export function projectRoutes({ database: { sql } }: ApiDependencies) {
  const common = { tags: ['Projects'] };
  const router = createRouter();

  router.openapi(
    createRoute('own.read', {
      ...common,
      method: 'get',
      path: '/organizations',
      summary: 'List the organizations in which one has a role',
      operationId: 'list-organizations',
      request: { query: pageQuery.pick({ limit: true, cursor: true }) },
      responses: { 200: json('A page, oldest first.', pageOf(organizationSchema)), ...problems },
    }),
    async (context) =>
      context.json(await listOrganizations(sql, context.get('principal').rights, context.req.valid('query')), 200),
  );

  router.openapi(
    createRoute('own.read', {
      ...common,
      method: 'get',
      path: '/projects',
      summary: 'List the projects in which one has a role',
      operationId: 'list-projects',
      request: { query: pageQuery.omit({ project: true }) },
      responses: { 200: json('A page, oldest first.', pageOf(projectSchema)), ...problems },
    }),
    async (context) => {
      const { organization, ...page } = context.req.valid('query');
      const principal = context.get('principal');
      const within = organization && (await context.get('places').organization(principal, organization));
      return context.json(await listProjects(sql, principal.rights, within ? within.id : undefined, page), 200);
    },
  );

  router.openapi(
    createRoute('project.create', {
      ...common,
      method: 'post',
      path: '/projects',
      summary: 'Create a project',
      operationId: 'create-project',
      request: {
        query: organizationQuery,
        body: { required: true, content: { 'application/json': { schema: projectCreateSchema } } },
      },
      responses: { 201: created('The project.', projectSchema), ...problems },
    }),
    async (context) => {
      const { name } = context.req.valid('json');
      const project = await createProject(sql, context.get('actor'), context.get('place'), name);
      return context.json(project, 201, { Location: `/api/tenant/v1/projects/${project.id}` });
    },
  );

  router.openapi(
    createRoute(
      'project.read',
      {
        ...common,
        method: 'get',
        path: '/projects/{id}',
        summary: 'Get a project',
        operationId: 'get-project',
        request: { params: referenceParam, query: organizationQuery },
        responses: { 200: json('The project.', projectSchema), ...problems },
      },
      'path',
    ),
    async (context) => {
      const project = await projectById(sql, context.get('caller').project.id);
      if (!project) throw notFound(context.req.valid('param').id);
      return context.json(project, 200);
    },
  );

  router.openapi(
    createRoute(
      'project.delete',
      {
        ...common,
        method: 'delete',
        path: '/projects/{id}',
        summary: 'Delete a project that holds nothing any more',
        operationId: 'delete-project',
        request: { params: referenceParam, query: organizationQuery },
        responses: { 204: gone, ...problems },
      },
      'path',
    ),
    async (context) => {
      const { organization, project } = context.get('caller');
      await deleteProject(sql, context.get('actor'), organization, project);
      return context.body(null, 204);
    },
  );
  return router;
}

const notFound = (reference: string): MillwrightError =>
  new MillwrightError('not_found', `There is no project "${reference}".`);

import { listTokens } from '../../src/db/queries/tokens.ts';
import { newTokenSchema, tokenCreateSchema, tokenSchema } from '../../src/domain/tenancy.ts';
import { createOwnToken, ownerOf, revokeOwnToken } from '../../src/requests/tokens.ts';
import { createRoute, gone, idParam, json, organizationQuery, pageOf, pageQuery } from '../contract.ts';
import type { ApiDependencies } from '../env.ts';
import { problems } from '../problem.ts';
import { createRouter } from '../router.ts';

/** One's own tokens. */
export function tokenRoutes({ database: { sql }, tokens }: ApiDependencies) {
  const common = { tags: ['Tokens'] };
  const router = createRouter();

  router.openapi(
    createRoute('own.read', {
      ...common,
      method: 'get',
      path: '/tokens',
      summary: 'List one’s own tokens',
      operationId: 'list-tokens',
      request: { query: pageQuery.pick({ limit: true, cursor: true }) },
      responses: { 200: json('A page, oldest first.', pageOf(tokenSchema)), ...problems },
    }),
    async (context) =>
      context.json(await listTokens(sql, ownerOf(context.get('principal')), context.req.valid('query')), 200),
  );

  router.openapi(
    createRoute('own.write', {
      ...common,
      method: 'post',
      path: '/tokens',
      summary: 'Create a token for oneself',
      description:
        'The token is shown this once. It lets through no more than the token that asks for it, and does not outlive that one. Which project it is for is said in the body: `project` in the query, as everywhere, says no more than where the caller is at work.',
      operationId: 'create-token',
      request: {
        query: organizationQuery,
        body: { required: true, content: { 'application/json': { schema: tokenCreateSchema } } },
      },
      responses: { 201: json('The token.', newTokenSchema), ...problems },
    }),
    async (context) => {
      const body = context.req.valid('json');
      const { organization } = context.req.valid('query');
      const places = context.get('places');
      if (organization) await places.organization(context.get('principal'), organization);
      const meant = { project: body.project, organization };
      const project = body.project ? await places.project(context.get('principal'), meant) : undefined;
      return context.json(await createOwnToken(sql, context.get('actor'), body, project, tokens), 201);
    },
  );

  router.openapi(
    createRoute('own.write', {
      ...common,
      method: 'delete',
      path: '/tokens/{id}',
      summary: 'Revoke one’s own token',
      description:
        'The next request with it is refused. A token ends itself, and those that let through no more than it does.',
      operationId: 'delete-token',
      request: { params: idParam },
      responses: { 204: gone, ...problems },
    }),
    async (context) => {
      await revokeOwnToken(sql, context.get('actor'), context.req.valid('param').id);
      return context.body(null, 204);
    },
  );
  return router;
}

import { z } from '@hono/zod-openapi';
import { batchSchema } from '../../src/batch/schema.ts';
import type { Principal } from '../../src/domain/principal.ts';
import { loginSchema, type Whoami, whoamiSchema } from '../../src/domain/tenancy.ts';
import { MillwrightError } from '../../src/errors.ts';
import { stateOf } from '../../src/telemetry/readiness.ts';
import { version } from '../../src/version.ts';
import { createRoute, json } from '../contract.ts';
import type { ApiDependencies } from '../env.ts';
import { problems } from '../problem.ts';
import { createRouter } from '../router.ts';

const partSchema = z.enum(['ok', 'away']);
const readySchema = z.object({ ready: z.boolean(), database: partSchema, temporal: partSchema }).meta({ id: 'Ready' });

/** What anyone may ask, without a token. */
export function commonRoutes({ database, temporal, draining, oidc }: ApiDependencies) {
  const common = { tags: ['Common'] };
  const router = createRouter();

  router.openapi(
    createRoute('public', {
      ...common,
      method: 'get',
      path: '/health',
      summary: 'Whether this process lives',
      operationId: 'get-health',
      responses: { 200: json('It does.', z.object({ status: z.literal('ok') })), 429: problems[429] },
    }),
    (context) => context.json({ status: 'ok' as const }, 200),
  );

  router.openapi(
    createRoute('public', {
      ...common,
      method: 'get',
      path: '/ready',
      summary: 'Whether requests can be taken',
      description:
        'Requests are taken while the database answers, and this process is not about to end. Without Temporal they are accepted and wait.',
      operationId: 'get-ready',
      responses: { 200: json('They can.', readySchema), 503: json('They cannot.', readySchema), 429: problems[429] },
    }),
    async (context) => {
      const [databaseState, temporalState] = await Promise.all([
        stateOf(() => database.sql`SELECT 1`),
        stateOf(() => temporal.workflowService.getSystemInfo({})),
      ]);
      const ready = databaseState === 'ok' && !draining.aborted;
      return context.json({ ready, database: databaseState, temporal: temporalState }, ready ? 200 : 503);
    },
  );

  router.openapi(
    createRoute('public', {
      ...common,
      method: 'get',
      path: '/login',
      summary: 'Where people log in from the command line',
      description: 'By the device authorization grant (RFC 8628) of the OpenID Connect issuer whose tokens are taken.',
      operationId: 'get-login',
      responses: { 200: json('There.', loginSchema), 404: problems[404], 429: problems[429] },
    }),
    (context) => {
      if (!oidc?.clientId) throw noLogin();
      const { issuer, clientId, scopes, audience } = oidc;
      return context.json({ issuer, clientId, scopes, audience }, 200);
    },
  );

  const schema = batchSchema();
  router.openapi(
    createRoute('public', {
      ...common,
      method: 'get',
      path: '/batch-schema',
      summary: 'The JSON Schema of batch files',
      description: 'For editors, which complete and check by it what is written.',
      operationId: 'get-batch-schema',
      responses: { 200: json('The schema.', z.record(z.string(), z.unknown())), 429: problems[429] },
    }),
    (context) => context.json(schema, 200),
  );

  router.openapi(
    createRoute('own.read', {
      ...common,
      method: 'get',
      path: '/version',
      summary: 'Which Millwright this is',
      operationId: 'get-version',
      responses: { 200: json('Its version.', z.object({ version: z.string(), node: z.string() })), ...problems },
    }),
    (context) => context.json({ version, node: process.version }, 200),
  );
  router.openapi(
    createRoute('own.read', {
      ...common,
      method: 'get',
      path: '/whoami',
      summary: 'Who asks, and what they may',
      operationId: 'whoami',
      responses: { 200: json('Whose token this is.', whoamiSchema), ...problems },
    }),
    (context) => context.json(whoami(context.get('principal')), 200),
  );
  return router;
}

const noLogin = (): MillwrightError =>
  new MillwrightError(
    'not_found',
    'Nobody logs in to this platform: MILLWRIGHT_OIDC_ISSUER and MILLWRIGHT_OIDC_CLIENT_ID are not both set on its API. Use a token: MILLWRIGHT_TOKEN.',
  );

const whoami = ({ kind, id, name, rights, organization, project, expiresAt }: Principal): Whoami => ({
  principal: { kind, id, name },
  role: rights.atMost,
  roles: [...rights.grants],
  organization,
  project: project && { id: project.id, name: project.name },
  projectOnly: rights.onlyProjectId !== null,
  expiresAt,
});

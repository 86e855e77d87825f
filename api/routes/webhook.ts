import { z } from '@hono/zod-openapi';
import { listDeliveries, listWebhooks } from '../../src/db/queries/webhooks.ts';
import {
  deliverySchema,
  deliveryStates,
  newWebhookSchema,
  rotateSchema,
  webhookCreateSchema,
  webhookSchema,
  webhookUpdateSchema,
} from '../../src/domain/webhook.ts';
import {
  changeWebhook,
  createWebhook,
  pingWebhook,
  redeliverTo,
  removeWebhook,
  rotateSecret,
  webhookIn,
} from '../../src/requests/webhooks.ts';
import {
  bodyOf,
  created,
  createRoute,
  gone,
  json,
  pageOf,
  pageQuery,
  projectQuery,
  referenceParam,
} from '../contract.ts';
import type { ApiDependencies } from '../env.ts';
import { notKept, problems } from '../problem.ts';
import { createRouter } from '../router.ts';

const redeliveredSchema = z.object({ redelivered: z.int().meta({ description: 'How many are on their way again.' }) });

/** Where a project's events are sent. */
export function webhookRoutes({ database: { sql }, sealer, webhookRules }: ApiDependencies) {
  const dependencies = { sql, sealer, rules: webhookRules };
  const common = { tags: ['Webhooks'] };
  const router = createRouter();

  router.openapi(
    createRoute('webhook.write', {
      ...common,
      method: 'post',
      path: '/webhooks',
      summary: 'Create a webhook',
      description:
        'Events that happen from now on are sent there, signed as Standard Webhooks has it. The secret is shown this once.',
      operationId: 'create-webhook',
      request: { query: projectQuery, body: bodyOf(webhookCreateSchema) },
      responses: { 201: created('The webhook, with its secret.', newWebhookSchema), ...problems },
    }),
    async (context) => {
      const webhook = await createWebhook(dependencies, context.get('caller'), context.req.valid('json'));
      return context.json(webhook, 201, { Location: `/api/tenant/v1/webhooks/${webhook.id}` });
    },
  );

  router.openapi(
    createRoute('webhook.read', {
      ...common,
      method: 'get',
      path: '/webhooks',
      summary: 'List webhooks',
      operationId: 'list-webhooks',
      request: { query: pageQuery },
      responses: { 200: json('A page, oldest first.', pageOf(webhookSchema)), ...problems },
    }),
    async (context) =>
      context.json(await listWebhooks(sql, context.get('caller').project.id, context.req.valid('query')), 200),
  );

  router.openapi(
    createRoute('webhook.read', {
      ...common,
      method: 'get',
      path: '/webhooks/{id}',
      summary: 'Get a webhook',
      operationId: 'get-webhook',
      request: { params: referenceParam, query: projectQuery },
      responses: { 200: json('The webhook.', webhookSchema), ...problems },
    }),
    async (context) => context.json(await webhookIn(sql, context.get('caller'), context.req.valid('param').id), 200),
  );

  router.openapi(
    createRoute('webhook.write', {
      ...common,
      method: 'patch',
      path: '/webhooks/{id}',
      summary: 'Change a webhook',
      operationId: 'update-webhook',
      request: { params: referenceParam, query: projectQuery, body: bodyOf(webhookUpdateSchema) },
      responses: { 200: json('The webhook.', webhookSchema), ...problems, ...notKept },
    }),
    async (context) => {
      const { id } = context.req.valid('param');
      return context.json(await changeWebhook(dependencies, context.get('caller'), id, context.req.valid('json')), 200);
    },
  );

  router.openapi(
    createRoute('webhook.write', {
      ...common,
      method: 'delete',
      path: '/webhooks/{id}',
      summary: 'Delete a webhook',
      description: 'What is on its way to it is not sent any more.',
      operationId: 'delete-webhook',
      request: { params: referenceParam, query: projectQuery },
      responses: { 204: gone, ...problems },
    }),
    async (context) => {
      await removeWebhook(dependencies, context.get('caller'), context.req.valid('param').id);
      return context.body(null, 204);
    },
  );

  router.openapi(
    createRoute('webhook.write', {
      ...common,
      method: 'post',
      path: '/webhooks/{id}/rotate',
      summary: 'Give a webhook a new secret',
      description: 'Deliveries are signed with both secrets until the grace is over. The new one is shown this once.',
      operationId: 'rotate-webhook',
      request: { params: referenceParam, query: projectQuery, body: bodyOf(rotateSchema) },
      responses: { 200: json('The webhook, with its new secret.', newWebhookSchema), ...problems },
    }),
    async (context) => {
      const { graceSeconds } = context.req.valid('json');
      const { id } = context.req.valid('param');
      return context.json(await rotateSecret(dependencies, context.get('caller'), id, graceSeconds), 200);
    },
  );

  router.openapi(
    createRoute('webhook.write', {
      ...common,
      method: 'post',
      path: '/webhooks/{id}/ping',
      summary: 'Send a webhook a test event',
      description: 'An event `webhook.ping`, sent in its turn, whatever types the webhook wants. See its deliveries.',
      operationId: 'ping-webhook',
      request: { params: referenceParam, query: projectQuery },
      responses: { 202: json('The webhook.', webhookSchema), ...problems },
    }),
    async (context) =>
      context.json(await pingWebhook(dependencies, context.get('caller'), context.req.valid('param').id), 202),
  );

  router.openapi(
    createRoute('webhook.read', {
      ...common,
      method: 'get',
      path: '/webhooks/{id}/deliveries',
      summary: 'List a webhook’s deliveries',
      description: '`state=dead` are those that were given up.',
      operationId: 'list-webhook-deliveries',
      request: { params: referenceParam, query: pageQuery.extend({ state: z.enum(deliveryStates).optional() }) },
      responses: { 200: json('A page, newest first.', pageOf(deliverySchema)), ...problems },
    }),
    async (context) => {
      const { id } = await webhookIn(sql, context.get('caller'), context.req.valid('param').id);
      const { state, ...page } = context.req.valid('query');
      return context.json(await listDeliveries(sql, id, state, page), 200);
    },
  );

  router.openapi(
    createRoute('webhook.write', {
      ...common,
      method: 'post',
      path: '/webhooks/{id}/redeliver',
      summary: 'Send once more all that was given up',
      operationId: 'redeliver-webhook',
      request: { params: referenceParam, query: projectQuery },
      responses: { 202: json('They are on their way.', redeliveredSchema), ...problems },
    }),
    async (context) => {
      const { id } = context.req.valid('param');
      return context.json({ redelivered: await redeliverTo(dependencies, context.get('caller'), id, null) }, 202);
    },
  );

  router.openapi(
    createRoute('webhook.write', {
      ...common,
      method: 'post',
      path: '/webhooks/{id}/deliveries/{deliveryId}/redeliver',
      summary: 'Send one delivery once more',
      description: 'One that was given up or delivered; one that waits for its next attempt is sent now.',
      operationId: 'redeliver-webhook-delivery',
      request: { params: referenceParam.extend({ deliveryId: z.uuid() }), query: projectQuery },
      responses: { 202: json('It is on its way.', redeliveredSchema), ...problems },
    }),
    async (context) => {
      const { id, deliveryId } = context.req.valid('param');
      return context.json({ redelivered: await redeliverTo(dependencies, context.get('caller'), id, deliveryId) }, 202);
    },
  );
  return router;
}

import { z } from 'zod';
import {
  type Delivery,
  deliverySchema,
  type NewWebhook,
  newWebhookSchema,
  type Webhook,
  type WebhookUpdate,
  webhookSchema,
} from '../src/domain/webhook.ts';
import type { Ask, Http } from './http.ts';

type List = <Item>(item: z.ZodType<Item>, ask: Ask, limit: number) => Promise<Item[]>;

const base = 'api/tenant/v1/webhooks';
const pathOf = (reference: string): string => `${base}/${encodeURIComponent(reference)}`;
const redeliveredSchema = z.object({ redelivered: z.number() });

/** The webhooks of a project, as the API has them. */
export class WebhookClient {
  readonly #http: Http;
  readonly #list: List;

  constructor(http: Http, list: List) {
    this.#http = http;
    this.#list = list;
  }

  list = (limit: number): Promise<Webhook[]> => this.#list(webhookSchema, { path: base }, limit);

  get = (reference: string): Promise<Webhook> => this.#http.json(webhookSchema, { path: pathOf(reference) });

  create = (body: object): Promise<NewWebhook> => this.#send(newWebhookSchema, 'POST', base, body);

  update = (reference: string, change: WebhookUpdate): Promise<Webhook> =>
    this.#send(webhookSchema, 'PATCH', pathOf(reference), change);

  rotate = (reference: string, graceSeconds: number | undefined): Promise<NewWebhook> =>
    this.#send(newWebhookSchema, 'POST', `${pathOf(reference)}/rotate`, { graceSeconds });

  ping = (reference: string): Promise<Webhook> => this.#send(webhookSchema, 'POST', `${pathOf(reference)}/ping`);

  delete = (reference: string): Promise<void> => this.#http.send({ method: 'DELETE', path: pathOf(reference) });

  deliveries = (reference: string, state: string | undefined, limit: number): Promise<Delivery[]> =>
    this.#list(deliverySchema, { path: `${pathOf(reference)}/deliveries`, query: { state } }, limit);

  /** One delivery, or all that was given up; gives how many are on their way. */
  async redeliver(reference: string, deliveryId: string | undefined): Promise<number> {
    const one = deliveryId === undefined ? '' : `/deliveries/${encodeURIComponent(deliveryId)}`;
    return (await this.#send(redeliveredSchema, 'POST', `${pathOf(reference)}${one}/redeliver`)).redelivered;
  }

  #send<Answer>(schema: z.ZodType<Answer>, method: 'POST' | 'PATCH', path: string, body?: object): Promise<Answer> {
    const content = body === undefined ? {} : { body: JSON.stringify(body), contentType: 'application/json' };
    return this.#http.json(schema, { method, path, ...content });
  }
}

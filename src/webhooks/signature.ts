import { randomBytes } from 'node:crypto';
import { Webhook } from 'standardwebhooks';

/** Of 256 bits, in the form of Standard Webhooks. */
export const newSecret = (): string => `whsec_${randomBytes(32).toString('base64')}`;

/** The headers of one attempt (Standard Webhooks 1.0.0): signed with every secret that is valid, the newest first. */
export function signedHeaders(
  id: string,
  at: Date,
  body: string,
  secrets: readonly string[],
): Readonly<Record<'webhook-id' | 'webhook-timestamp' | 'webhook-signature', string>> {
  return {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': secrets.map((secret) => new Webhook(secret).sign(id, at, body)).join(' '),
  };
}

/** Where a webhook's secrets are sealed for. */
export const secretPlace = (webhookId: string): string => `webhooks.secret/${webhookId}`;

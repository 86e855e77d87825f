import { createHmac } from 'node:crypto';
import { MillwrightError } from '../errors.ts';
import { decrypt, encrypt } from './cipher.ts';
import type { DataKeys } from './data-keys.ts';

/**
 * Encrypts what the database keeps and must not show. `context` says where a value belongs, as
 * `webhooks.secret/<row id>`: it is bound to the value, which opens in no other place.
 */
export interface Sealer {
  /** Gives `mws1.<data key id>.<base64url of iv, cipher text, tag>`. */
  seal(text: string, context: string): Promise<string>;
  /** Throws `internal` for what was not sealed here, or was sealed for another place. */
  unseal(sealed: string, context: string): Promise<string>;
  /** Tells equal texts from different ones, and nothing more: an HMAC under a key that only we have. */
  fingerprint(text: string): Promise<string>;
}

const version = 'mws1';

export function createSealer(keys: DataKeys): Sealer {
  return {
    async seal(text, context) {
      const { id, key } = await keys.forSealing();
      return `${version}.${id}.${encrypt(key, Buffer.from(text), context).toString('base64url')}`;
    },
    async unseal(sealed, context) {
      const [form, id, data, ...rest] = sealed.split('.');
      if (form !== version || !id || !data || rest.length > 0) throw unreadable(context);
      const { key } = await keys.find(id);
      try {
        return decrypt(key, Buffer.from(data, 'base64url'), context).toString('utf8');
      } catch (cause) {
        throw unreadable(context, cause);
      }
    },
    async fingerprint(text) {
      const { key } = await keys.forFingerprints();
      return createHmac('sha256', key).update(text).digest('base64url');
    },
  };
}

const unreadable = (context: string, cause?: unknown): MillwrightError =>
  new MillwrightError('internal', `The secret of ${context} cannot be opened: it was not sealed for this place.`, {
    cause,
  });

import { MillwrightError } from '../errors.ts';
import { decrypt, encrypt } from './cipher.ts';
import { type KeyRing, openKeyRing } from './key-ring.ts';

/** A data key as it is stored: encrypted with the key-encryption key of this id. */
interface WrappedKey {
  readonly keyId: string;
  readonly wrapped: string;
}

/**
 * Holds the keys that encrypt data keys, and never gives them out: a key file here, a KMS elsewhere. `context` (the
 * data key's id) is bound, so that a wrapped key opens in its own place alone.
 */
export interface KeyManagement {
  /** The key that wraps now. */
  activeKeyId(): string;
  wrap(dataKey: Buffer, context: string): Promise<WrappedKey>;
  unwrap(key: WrappedKey, context: string): Promise<Buffer>;
}

/** The one implementation so far: the keys of the file that MILLWRIGHT_SECRET_KEY_FILE names. */
export const openKeyManagement = ({ secretKeyFile }: { readonly secretKeyFile: string }): KeyManagement =>
  keyFileManagement(openKeyRing(secretKeyFile));

function keyFileManagement(ring: KeyRing): KeyManagement {
  return {
    activeKeyId: () => ring.active().id,
    async wrap(dataKey, context) {
      const { id, key } = ring.active();
      return { keyId: id, wrapped: encrypt(key, dataKey, context).toString('base64') };
    },
    async unwrap({ keyId, wrapped }, context) {
      const found = ring.find(keyId);
      if (!found) {
        throw new MillwrightError(
          'unavailable',
          `A secret was sealed under the key "${keyId}", which the secret key file does not hold. Put that key back into it.`,
        );
      }
      return decrypt(found.key, Buffer.from(wrapped, 'base64'), context);
    },
  };
}

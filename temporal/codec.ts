import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { DataConverter, Payload, PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';
import { MillwrightError } from '../src/errors.ts';
import type { PayloadKey } from './payload-keys.ts';

const encoding = 'binary/encrypted';
const ivBytes = 12;
const tagBytes = 16;
const text = new TextEncoder();
const fromBytes = (bytes: Uint8Array | null | undefined): string => new TextDecoder().decode(bytes ?? new Uint8Array());

/**
 * Encrypts every payload that Temporal sees with AES-256-GCM (NIST SP 800-38D, random 96-bit IV). The id of the key
 * travels in the metadata, so that older histories stay readable after a key is added in front.
 */
export class EncryptionCodec implements PayloadCodec {
  readonly #active: PayloadKey;
  readonly #keys: ReadonlyMap<string, PayloadKey>;

  constructor(keys: readonly PayloadKey[]) {
    const [active] = keys;
    if (!active) throw new MillwrightError('invalid', 'The payload key file holds no key.');
    this.#active = active;
    this.#keys = new Map(keys.map((key) => [key.id, key]));
  }

  async encode(payloads: Payload[]): Promise<Payload[]> {
    return payloads.map((payload) => {
      const iv = randomBytes(ivBytes);
      const cipher = createCipheriv('aes-256-gcm', this.#active.key, iv);
      const plain = proto.temporal.api.common.v1.Payload.encode(payload).finish();
      const data = Buffer.concat([iv, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
      return { metadata: { encoding: text.encode(encoding), 'encryption-key-id': text.encode(this.#active.id) }, data };
    });
  }

  async decode(payloads: Payload[]): Promise<Payload[]> {
    return payloads.map((payload) => {
      if (fromBytes(payload.metadata?.encoding) !== encoding) return payload;
      const id = fromBytes(payload.metadata?.['encryption-key-id']);
      const key = this.#keys.get(id);
      if (!key)
        throw new MillwrightError(
          'internal',
          `A payload was encrypted with the key "${id}", which the key file does not hold.`,
        );
      const data = payload.data ?? new Uint8Array();
      const decipher = createDecipheriv('aes-256-gcm', key.key, data.subarray(0, ivBytes));
      decipher.setAuthTag(data.subarray(data.length - tagBytes));
      const plain = Buffer.concat([decipher.update(data.subarray(ivBytes, data.length - tagBytes)), decipher.final()]);
      return proto.temporal.api.common.v1.Payload.decode(plain);
    });
  }
}

/** For clients and workers: payloads encrypted, and the messages and stacks of failures with them. */
export function dataConverter(keys: readonly PayloadKey[]): DataConverter {
  return {
    payloadCodecs: [new EncryptionCodec(keys)],
    failureConverterPath: new URL('./failure-converter.ts', import.meta.url).pathname,
  };
}

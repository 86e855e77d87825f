import type { DataConverter, Payload, PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';
import { MillwrightError } from '../src/errors.ts';
import { decrypt, encrypt } from '../src/secrets/cipher.ts';
import type { KeyRing } from '../src/secrets/key-ring.ts';

const encoding = 'binary/encrypted';
const text = new TextEncoder();
const fromBytes = (bytes: Uint8Array | null | undefined): string => new TextDecoder().decode(bytes ?? new Uint8Array());

/**
 * Encrypts every payload that Temporal sees. The id of the key travels in the metadata, so that older histories stay
 * readable after another key has been promoted.
 */
export class EncryptionCodec implements PayloadCodec {
  readonly #keys: KeyRing;

  constructor(keys: KeyRing) {
    this.#keys = keys;
  }

  async encode(payloads: Payload[]): Promise<Payload[]> {
    const { id, key } = this.#keys.active();
    return payloads.map((payload) => ({
      metadata: { encoding: text.encode(encoding), 'encryption-key-id': text.encode(id) },
      data: encrypt(key, proto.temporal.api.common.v1.Payload.encode(payload).finish()),
    }));
  }

  async decode(payloads: Payload[]): Promise<Payload[]> {
    return payloads.map((payload) => {
      if (fromBytes(payload.metadata?.encoding) !== encoding) return payload;
      const id = fromBytes(payload.metadata?.['encryption-key-id']);
      const key = this.#keys.find(id);
      if (!key)
        throw new MillwrightError(
          'internal',
          `A payload was encrypted with the key "${id}", which the key file does not hold.`,
        );
      return proto.temporal.api.common.v1.Payload.decode(decrypt(key.key, payload.data ?? new Uint8Array()));
    });
  }
}

/** For clients and workers: payloads encrypted, and the messages and stacks of failures with them. */
export function dataConverter(keys: KeyRing): DataConverter {
  return {
    payloadCodecs: [new EncryptionCodec(keys)],
    failureConverterPath: new URL('./failure-converter.ts', import.meta.url).pathname,
  };
}

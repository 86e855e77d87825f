import { timingSafeEqual } from 'node:crypto';
import type { Payload } from '@temporalio/common';
import proto from '@temporalio/proto';
import { Hono } from 'hono';
import { cors } from 'hono/cors';
import { MillwrightError } from '../../src/errors.ts';
import { EncryptionCodec } from '../../temporal/codec.ts';
import { codecSecrets } from '../../temporal/payload-keys.ts';
import { readJson } from '../body.ts';
import type { ApiDependencies, ApiEnv } from '../env.ts';

const Payloads = proto.temporal.api.common.v1.Payloads;

/**
 * Lets the Temporal Web UI show what is encrypted (Temporal's remote codec protocol). The UI's browser page cannot
 * send our token, so the address itself is the secret: it is derived from a payload key, given to the UI alone, and
 * answered to pages of the UI's own origin. Each key that is held has its address, so that a rotation closes none.
 */
export function codecRoutes({ payloadKeys, temporalUiUrl }: ApiDependencies): Hono<ApiEnv> {
  const codec = new EncryptionCodec(payloadKeys);
  const router = new Hono<ApiEnv>();
  const origin = temporalUiUrl ? new URL(temporalUiUrl).origin : '';
  router.use('/:secret/*', cors({ origin, allowHeaders: ['content-type', 'x-namespace'], allowMethods: ['POST'] }));
  router.post('/:secret/:way{encode|decode}', async (context) => {
    const given = Buffer.from(context.req.param('secret'));
    const matches = (secret: Buffer): boolean => secret.length === given.length && timingSafeEqual(secret, given);
    if (
      !codecSecrets(payloadKeys)
        .map((secret) => Buffer.from(secret))
        .some(matches)
    ) {
      throw new MillwrightError('not_found', 'There is no such codec.');
    }
    const payloads = parsePayloads(await readJson(context));
    const coded = await (context.req.param('way') === 'encode' ? codec.encode(payloads) : decoded(codec, payloads));
    return context.json(Payloads.toObject(Payloads.create({ payloads: coded }), { bytes: String }));
  });
  return router;
}

async function decoded(codec: EncryptionCodec, payloads: Payload[]): Promise<Payload[]> {
  try {
    return await codec.decode(payloads);
  } catch (error) {
    if (error instanceof MillwrightError) throw error;
    throw new MillwrightError('invalid', 'A payload cannot be decrypted: it was changed, or is not whole.');
  }
}

function parsePayloads(body: unknown): Payload[] {
  try {
    if (typeof body === 'object' && body !== null) return Payloads.fromObject(body).payloads;
  } catch {
    // Its message may quote the body.
  }
  throw new MillwrightError(
    'invalid',
    'Expected a Payloads message as JSON: {"payloads": [{"metadata": {…}, "data": "…"}]}.',
  );
}

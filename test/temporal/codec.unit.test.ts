import { randomBytes } from 'node:crypto';
import { defaultPayloadConverter } from '@temporalio/common';
import { expect, test } from 'vitest';
import { fixedKeyRing } from '../../src/secrets/key-ring.ts';
import { EncryptionCodec } from '../../temporal/codec.ts';

const key = (id: string) => ({ id, key: randomBytes(32) });
const payload = defaultPayloadConverter.toPayload({ password: 'correct horse' });

test('what is encoded shows nothing, and is read again', async () => {
  const codec = new EncryptionCodec(fixedKeyRing([key('one')]));
  const [encoded] = await codec.encode([payload]);
  expect(Buffer.from(encoded?.data ?? []).toString('latin1')).not.toContain('correct horse');
  const [decoded] = await codec.decode(encoded ? [encoded] : []);
  expect(defaultPayloadConverter.fromPayload(decoded ?? {})).toEqual({ password: 'correct horse' });
});

test('the same payload twice is never the same cipher text', async () => {
  const codec = new EncryptionCodec(fixedKeyRing([key('one')]));
  const [first, second] = await codec.encode([payload, payload]);
  expect(first?.data).not.toEqual(second?.data);
});

test('a key added in front encrypts from then on, and the older one is still read', async () => {
  const [older, newer] = [key('older'), key('newer')];
  const [before] = await new EncryptionCodec(fixedKeyRing([older])).encode([payload]);
  const after = new EncryptionCodec(fixedKeyRing([newer, older]));
  const [read] = await after.decode(before ? [before] : []);
  expect(defaultPayloadConverter.fromPayload(read ?? {})).toEqual({ password: 'correct horse' });
  const [now] = await after.encode([payload]);
  await expect(new EncryptionCodec(fixedKeyRing([older])).decode(now ? [now] : [])).rejects.toThrow('"newer"');
});

test('a payload that was changed on its way is refused', async () => {
  const codec = new EncryptionCodec(fixedKeyRing([key('one')]));
  const [encoded] = await codec.encode([payload]);
  const data = Buffer.from(encoded?.data ?? []);
  data[20] = (data[20] ?? 0) ^ 1;
  await expect(codec.decode([{ ...encoded, data }])).rejects.toThrow();
});

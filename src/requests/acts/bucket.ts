import { randomBytes, randomInt } from 'node:crypto';
import type { ActRequest } from '../../domain/acts.ts';
import { mostKeys } from '../../domain/bucket.ts';
import { MillwrightError } from '../../errors.ts';
import type { Acting, nothingToDo, PreparedAct } from './index.ts';

const same: typeof nothingToDo = 'nothing-to-do';

export function prepareBucketAct(
  { type, body }: ActRequest,
  { there }: Pick<Acting<'bucket'>, 'there'>,
): PreparedAct | typeof nothingToDo {
  const { name, keys } = there;
  switch (type) {
    case 'bucket.create-key': {
      const { key, secret = newSecret() } = body;
      if (keys.some((known) => known.name === key)) return same;
      if (keys.length >= mostKeys)
        throw new MillwrightError(
          'conflict',
          `The bucket "${name}" has ${keys.length} access keys, and may have ${mostKeys}. Revoke one first.`,
        );
      return {
        spec: { name, key, accessKey: newAccessKey(), secret },
        change: { back: { verb: 'revoke-key', body: { key } } },
      };
    }
    case 'bucket.revoke-key': {
      const known = keys.find((candidate) => candidate.name === body.key);
      return known ? { spec: { name, key: body.key, accessKey: known.accessKey } } : same;
    }
    default:
      throw new MillwrightError('internal', `A bucket has no ${type}.`);
  }
}

/** As S3's are: 20 capitals and digits. */
const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const newAccessKey = (): string => `MW${Array.from({ length: 18 }, () => letters[randomInt(letters.length)]).join('')}`;
/** 240 bits in 40 characters. */
const newSecret = (): string => randomBytes(30).toString('base64url');

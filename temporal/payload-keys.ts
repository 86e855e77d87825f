import { createHmac } from 'node:crypto';
import type { SecretKey } from '../src/secrets/key-file.ts';
import type { KeyRing } from '../src/secrets/key-ring.ts';

/** Ends the path at which Temporal's Web UI has payloads decoded; only who has the keys can know it. */
export const codecSecret = (keys: KeyRing): string => secretFrom(keys.active());

/** Every address that is answered: one made from an older key is good for as long as that key is held. */
export const codecSecrets = (keys: KeyRing): string[] => keys.all().map(secretFrom);

const secretFrom = ({ key }: SecretKey): string =>
  createHmac('sha256', key).update('codec endpoint').digest('base64url');

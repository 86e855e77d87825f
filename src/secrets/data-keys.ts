import { randomBytes } from 'node:crypto';
import type { Sql } from 'postgres';
import { v7 as newId } from 'uuid';
import { type DataKeyRow, dataKey, fingerprintKey, insertDataKey, newestDataKey } from '../db/queries/data-keys.ts';
import { MillwrightError } from '../errors.ts';
import type { KeyManagement } from './key-management.ts';

interface DataKey {
  readonly id: string;
  readonly key: Buffer;
}

/** The keys that secrets are sealed with, opened once and remembered. */
export interface DataKeys {
  /** Seals now. All processes share one, and a new one a day: nothing is written while nothing is sealed. */
  forSealing(): Promise<DataKey>;
  forFingerprints(): Promise<DataKey>;
  /** The one that a sealed value names. */
  find(id: string): Promise<DataKey>;
}

/** With a random IV for each value, a key may seal 2^32 of them (NIST SP 800-38D, 8.3); a day's stay far below. */
const hoursInUse = 24;
const keyBytes = 32;

export function openDataKeys(sql: Sql, management: KeyManagement): DataKeys {
  const opened = new Map<string, Promise<DataKey>>();
  let sealing: { readonly keyId: string; readonly until: number; readonly key: Promise<DataKey> } | undefined;
  let fingerprints: Promise<DataKey> | undefined;

  /** Remembers what comes about, and forgets what fails. */
  function remember(id: string, open: () => Promise<Buffer>): Promise<DataKey> {
    const known = opened.get(id);
    if (known) return known;
    const opening = open().then((key) => ({ id, key }));
    opened.set(id, opening);
    opening.catch(() => opened.delete(id));
    return opening;
  }

  const open = (row: DataKeyRow): Promise<DataKey> => remember(row.id, () => management.unwrap(row, row.id));

  async function make(purpose: 'seal' | 'fingerprint'): Promise<DataKey> {
    const [id, key] = [newId(), randomBytes(keyBytes)];
    await insertDataKey(sql, purpose, { id, ...(await management.wrap(key, id)) });
    return remember(id, async () => key);
  }

  async function openSealing(keyId: string): Promise<DataKey> {
    const newest = await newestDataKey(sql, keyId, hoursInUse);
    return await (newest ? open(newest) : make('seal'));
  }

  async function openFingerprints(): Promise<DataKey> {
    if (!(await fingerprintKey(sql))) await make('fingerprint');
    const row = await fingerprintKey(sql);
    if (!row) throw new MillwrightError('internal', 'The key for fingerprints was not there after it had been made.');
    return await open(row);
  }

  return {
    forSealing() {
      const keyId = management.activeKeyId();
      if (!sealing || sealing.keyId !== keyId || Date.now() > sealing.until) {
        const key = openSealing(keyId);
        sealing = { keyId, until: Date.now() + (hoursInUse * 3_600_000) / 2, key };
        key.catch(() => {
          sealing = undefined;
        });
      }
      return sealing.key;
    },
    forFingerprints() {
      if (!fingerprints) {
        fingerprints = openFingerprints();
        fingerprints.catch(() => {
          fingerprints = undefined;
        });
      }
      return fingerprints;
    },
    find: (id) =>
      remember(id, async () => {
        const row = await dataKey(sql, id);
        if (!row) throw new MillwrightError('internal', `A secret names the data key ${id}, which is not there.`);
        return management.unwrap(row, id);
      }),
  };
}

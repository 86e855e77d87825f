import type { Sql } from 'postgres';
import { dataKeysNotUnder, rewrapDataKey } from '../db/queries/data-keys.ts';
import type { KeyManagement } from './key-management.ts';

const atOnce = 100;

/**
 * Wraps every data key with the active key-encryption key, a few at a time, while the platform runs: sealed values stay
 * as they are, and processes that hold the data keys notice nothing. Cut short, it goes on where it was. Gives how many.
 */
export async function rewrapDataKeys(sql: Sql, management: KeyManagement): Promise<number> {
  for (let rewrapped = 0; ; ) {
    const rows = await dataKeysNotUnder(sql, management.activeKeyId(), atOnce);
    if (rows.length === 0) return rewrapped;
    for (const row of rows) {
      const key = await management.unwrap(row, row.id);
      await rewrapDataKey(sql, row, await management.wrap(key, row.id));
    }
    rewrapped += rows.length;
  }
}

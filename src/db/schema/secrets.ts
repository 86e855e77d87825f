import { sql } from 'drizzle-orm';
import { index, pgTable, text, uniqueIndex } from 'drizzle-orm/pg-core';
import { id, now } from './columns.ts';

/** What a data key is for: sealing what is read again, or fingerprints of what is only compared. */
export const dataKeyPurposes = ['seal', 'fingerprint'] as const;

/**
 * The keys that seal secrets, each encrypted with a key-encryption key that the database never holds. Sealed values
 * name their data key, so that rotating the key-encryption key rewrites these few rows and no secret.
 */
export const dataKeys = pgTable(
  'data_keys',
  {
    id: id(),
    purpose: text('purpose', { enum: dataKeyPurposes }).notNull(),
    /** The key-encryption key that `wrapped` is encrypted with. */
    keyId: text('key_id').notNull(),
    wrapped: text('wrapped').notNull(),
    createdAt: now('created_at'),
  },
  (table) => [
    index('data_keys_newest').on(table.purpose, table.createdAt),
    // One for good: fingerprints under another key would compare as different.
    uniqueIndex('data_keys_fingerprint').on(table.purpose).where(sql`purpose = 'fingerprint'`),
  ],
);

import type { Sql } from 'postgres';
import type { dataKeyPurposes } from '../schema/secrets.ts';

type Purpose = (typeof dataKeyPurposes)[number];

/** A data key, wrapped. */
export interface DataKeyRow {
  readonly id: string;
  readonly keyId: string;
  readonly wrapped: string;
}

/** The newest key of a purpose under this key-encryption key that is younger than so many hours. */
export async function newestDataKey(
  sql: Sql,
  keyId: string,
  youngerThanHours: number,
): Promise<DataKeyRow | undefined> {
  const [row] = await sql<DataKeyRow[]>`
    SELECT id, key_id AS "keyId", wrapped FROM data_keys
    WHERE purpose = 'seal' AND key_id = ${keyId} AND created_at > now() - make_interval(hours => ${youngerThanHours})
    ORDER BY created_at DESC LIMIT 1`;
  return row;
}

export async function fingerprintKey(sql: Sql): Promise<DataKeyRow | undefined> {
  const [row] = await sql<DataKeyRow[]>`
    SELECT id, key_id AS "keyId", wrapped FROM data_keys WHERE purpose = 'fingerprint'`;
  return row;
}

export async function dataKey(sql: Sql, id: string): Promise<DataKeyRow | undefined> {
  const [row] = await sql<DataKeyRow[]>`SELECT id, key_id AS "keyId", wrapped FROM data_keys WHERE id = ${id}`;
  return row;
}

/** Of two fingerprint keys that are made at once the first one's stays. */
export async function insertDataKey(sql: Sql, purpose: Purpose, { id, keyId, wrapped }: DataKeyRow): Promise<void> {
  await sql`
    INSERT INTO data_keys (id, purpose, key_id, wrapped) VALUES (${id}, ${purpose}, ${keyId}, ${wrapped})
    ON CONFLICT (purpose) WHERE purpose = 'fingerprint' DO NOTHING`;
}

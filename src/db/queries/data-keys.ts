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

/** How many data keys each key-encryption key wraps. */
export async function dataKeysByKey(sql: Sql): Promise<ReadonlyMap<string, number>> {
  const rows = await sql<{ keyId: string; count: number }[]>`
    SELECT key_id AS "keyId", count(*)::int AS count FROM data_keys GROUP BY key_id`;
  return new Map(rows.map(({ keyId, count }) => [keyId, count]));
}

/** Data keys that another key than this wraps, a page of them. */
export async function dataKeysNotUnder(sql: Sql, keyId: string, limit: number): Promise<readonly DataKeyRow[]> {
  return await sql<DataKeyRow[]>`
    SELECT id, key_id AS "keyId", wrapped FROM data_keys WHERE key_id <> ${keyId} ORDER BY id LIMIT ${limit}`;
}

/** Changes nothing where another has done it in between. */
export async function rewrapDataKey(sql: Sql, before: DataKeyRow, after: Omit<DataKeyRow, 'id'>): Promise<void> {
  await sql`
    UPDATE data_keys SET key_id = ${after.keyId}, wrapped = ${after.wrapped}
    WHERE id = ${before.id} AND key_id = ${before.keyId}`;
}

import type { Sql } from 'postgres';
import type { StartableJob } from '../../domain/start.ts';
import { MillwrightError } from '../../errors.ts';

/** What an access key is listed as: its name, which is its bucket's alone, and what it is known by at its provider. */
export interface NamedAccess {
  readonly name: string;
  readonly accessKey: string;
}

/** Lists an access key of a bucket, or finds it listed. Throws `conflict` where its name, or what it is known by, is another's. */
export async function insertBucketKey(sql: Sql, bucketId: string, { name, accessKey }: NamedAccess): Promise<void> {
  await sql`
    INSERT INTO bucket_keys (bucket_id, name, access_key) VALUES (${bucketId}, ${name}, ${accessKey}) ON CONFLICT DO NOTHING`;
  const [named] = await sql<{ accessKey: string }[]>`
    SELECT access_key AS "accessKey" FROM bucket_keys WHERE bucket_id = ${bucketId} AND name = ${name}`;
  if (named?.accessKey === accessKey) return;
  throw new MillwrightError(
    'conflict',
    named
      ? `The bucket has another access key "${name}". Choose another name, or revoke that one first.`
      : `The access key ${accessKey} is in use already. Ask again: another is made.`,
  );
}

/** An access key of a bucket, or, where none is named, all that it has. Another bucket's stays as it is. */
export async function deleteBucketKeys(sql: Sql, bucketId: string, accessKey?: string): Promise<void> {
  const which = accessKey === undefined ? sql`` : sql`AND access_key = ${accessKey}`;
  await sql`DELETE FROM bucket_keys WHERE bucket_id = ${bucketId} ${which}`;
}

/** What a job was told, as it is kept, and whether it has ended. */
export async function toldOf(
  sql: Sql,
  jobId: string,
): Promise<{ readonly input: StartableJob['input']; readonly hasEnded: boolean } | undefined> {
  const [row] = await sql<{ input: StartableJob['input']; hasEnded: boolean }[]>`
    SELECT input, ended_at IS NOT NULL AS "hasEnded" FROM jobs WHERE id = ${jobId}`;
  return row;
}

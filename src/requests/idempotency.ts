import { createHash } from 'node:crypto';
import type { Sql } from 'postgres';
import { MillwrightError } from '../errors.ts';
import type { Accepted, Idempotency } from './caller.ts';

/**
 * The key and the hash of what it stands for, as it was understood, so that spelling does not matter. `body` is veiled:
 * a hash of a secret could be searched for.
 */
export async function idempotencyOf(
  key: string | undefined,
  action: string,
  body: () => unknown,
): Promise<Idempotency | undefined> {
  if (key === undefined) return undefined;
  return {
    key,
    requestHash: createHash('sha256')
      .update(`${action}\n${JSON.stringify(await body())}`)
      .digest('hex'),
  };
}

/**
 * Accepts once for each key. Whatever keeps a request from being accepted (its own key among it), one that came before
 * under the same key is what answers: the same body gives the same job, another body is a conflict.
 */
export async function acceptOnce<View>(
  sql: Sql,
  projectId: string,
  idempotency: Idempotency | undefined,
  accept: () => Promise<Accepted<View>>,
): Promise<Accepted<View>> {
  try {
    return await accept();
  } catch (error) {
    const before = idempotency && (await acceptedBefore(sql, projectId, idempotency));
    if (before) return before;
    throw error;
  }
}

async function acceptedBefore(
  sql: Sql,
  projectId: string,
  { key, requestHash }: Idempotency,
): Promise<Accepted<never> | undefined> {
  const [row] = await sql<{ requestHash: string; jobId: string; resourceId: string }[]>`
    SELECT k.request_hash AS "requestHash", j.id AS "jobId", j.resource_id AS "resourceId"
    FROM idempotency_keys k JOIN jobs j ON j.id = k.job_id WHERE k.project_id = ${projectId} AND k.key = ${key}`;
  if (!row) return undefined;
  if (row.requestHash !== requestHash) {
    throw new MillwrightError(
      'conflict',
      `The Idempotency-Key "${key}" was used before for another request (job ${row.jobId}). Use a new key for a new request.`,
      { jobId: row.jobId },
    );
  }
  return { jobId: row.jobId, resourceId: row.resourceId };
}

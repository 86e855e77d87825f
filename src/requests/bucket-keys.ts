import type { Sql } from 'postgres';
import { z } from 'zod';
import { toldOf } from '../db/queries/bucket-keys.ts';
import type { ShownKey } from '../domain/bucket.ts';
import type { Sealer } from '../secrets/sealer.ts';
import { openInput } from '../secrets/specs.ts';
import type { Accepted } from './caller.ts';

const toldSchema = z.object({ spec: z.object({ accessKey: z.string(), secret: z.string() }) });

/**
 * The access key that a request has just made. Repeated under its Idempotency-Key, it gives the same while the job is
 * under way, for who lost the first answer; afterwards the secret is shown to nobody any more.
 */
export async function shownKey(
  sql: Sql,
  sealer: Sealer,
  { jobId, start }: Pick<Accepted<never>, 'jobId' | 'start'>,
): Promise<ShownKey> {
  const told = await toldOf(sql, jobId);
  if (!told) throw new Error(`the job ${jobId} was not there after it had been accepted`);
  const { spec } = toldSchema.parse(await openInput(sealer, jobId, told.input));
  return { accessKey: spec.accessKey, secret: start || !told.hasEnded ? spec.secret : null };
}

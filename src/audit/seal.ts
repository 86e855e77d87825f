import type { Sql, TransactionSql } from 'postgres';
import { type ChainedEntry, entryColumns, noHash, sealHash } from './chain.ts';

/** Any number that no one else uses; one session seals, the others leave it to that. */
const sealLock = 7_400_002;
const atOnce = 1000;

/**
 * Seals the entries that are settled: gives each its place in the chain and its hash. Accepting a request computes
 * nothing of it, since a chain is one thing after the other and would make all tenants wait for each other. Gives how
 * many were sealed; none where another session is at it.
 */
export async function sealEntries(sql: Sql): Promise<number> {
  let sealed = 0;
  for (;;) {
    const count = await sql.begin(sealSome);
    sealed += count;
    if (count < atOnce) return sealed;
  }
}

interface Head {
  readonly sequence: number;
  readonly hash: string;
  readonly transactionId: string;
  readonly position: string;
  /** The database was restored into a cluster whose transaction ids are behind: the head tells nothing of what is new. */
  readonly isForeign: boolean;
}

async function sealSome(sql: TransactionSql): Promise<number> {
  const [lock] = await sql<{ held: boolean }[]>`SELECT pg_try_advisory_xact_lock(${sealLock}) AS held`;
  if (!lock?.held) return 0;
  const [head] = await sql<Head[]>`
    SELECT sequence::float8, hash, transaction_id::text AS "transactionId", position::text,
      transaction_id >= pg_snapshot_xmin(pg_current_snapshot()) AS "isForeign"
    FROM audit_seals ORDER BY sequence DESC LIMIT 1`;
  const entries = await settledAfter(sql, head && !head.isForeign ? head : { transactionId: '0', position: '0' });
  let { sequence, hash } = head ?? { sequence: 0, hash: noHash };
  const seals = entries.map((entry) => {
    sequence += 1;
    hash = sealHash(sequence, hash, entry);
    return { sequence, transaction_id: entry.transaction_id, position: entry.position, hash };
  });
  if (seals.length > 0) {
    await sql`
      INSERT INTO audit_seals (sequence, transaction_id, position, hash)
      SELECT * FROM jsonb_to_recordset(${JSON.stringify(seals)}::text::jsonb) AS t(sequence bigint, transaction_id xid8, position bigint, hash text)`;
  }
  return seals.length;
}

/**
 * What is not sealed yet and that nothing can come before any more: entries of transactions older than any that still
 * runs. One that is newer than any that has begun came with a restore; such ones go first.
 */
async function settledAfter(
  sql: TransactionSql,
  after: { readonly transactionId: string; readonly position: string },
): Promise<readonly ChainedEntry[]> {
  return await sql.unsafe<ChainedEntry[]>(
    `SELECT ${entryColumns} FROM audit_entries e, pg_current_snapshot() AS s
    WHERE (e.transaction_id, e.position) > ($1::xid8, $2::bigint)
      AND (e.transaction_id < pg_snapshot_xmin(s) OR e.transaction_id >= pg_snapshot_xmax(s))
      AND NOT EXISTS (SELECT FROM audit_seals x WHERE x.transaction_id = e.transaction_id AND x.position = e.position)
    ORDER BY e.transaction_id >= pg_snapshot_xmax(s) DESC, e.transaction_id, e.position LIMIT ${atOnce}`,
    [after.transactionId, after.position],
    { prepare: true },
  );
}

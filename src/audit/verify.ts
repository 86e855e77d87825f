import type { Sql, TransactionSql } from 'postgres';
import type { AuditFault, AuditHead, AuditReport } from '../domain/audit.ts';
import { type ChainedEntry, entryColumns, noHash, sealHash } from './chain.ts';

const atOnce = 5000;
const faultsAtMost = 100;
/** The sealer comes by every few seconds; a longer transaction may hold it up for as long as it lasts. */
const unsealedSeconds = 600;

type Row = ChainedEntry & { readonly sequence: number; readonly hash: string; readonly there: boolean };

/**
 * Computes the whole chain anew in one snapshot of the database and tells of every entry that was changed, taken out or
 * put in, of every gap, and of jobs that nobody is on record for. With a head that was kept elsewhere: whether the
 * chain still holds it, and so everything before it.
 */
export async function verifyAudit(sql: Sql, kept?: AuditHead): Promise<AuditReport> {
  let report: AuditReport | undefined;
  await sql.begin('ISOLATION LEVEL REPEATABLE READ READ ONLY', async (transaction) => {
    const chain = await verifyChain(transaction, kept);
    const others = [...(await unsealed(transaction)), ...(await unrecorded(transaction))];
    const faults = [...chain.faults, ...others].slice(0, faultsAtMost);
    const [rights] = await transaction<{ may: boolean }[]>`
      SELECT has_table_privilege('audit_entries', 'UPDATE, DELETE, TRUNCATE') OR has_table_privilege('audit_seals', 'UPDATE, DELETE, TRUNCATE') AS may`;
    report = { sealed: chain.sealed, head: chain.head, faults, appendOnly: rights?.may === false };
  });
  if (!report) throw new Error('the audit log was read without a report');
  return report;
}

async function verifyChain(
  sql: TransactionSql,
  kept: AuditHead | undefined,
): Promise<Pick<AuditReport, 'sealed' | 'head' | 'faults'>> {
  const faults: AuditFault[] = [];
  let head: AuditHead | null = null;
  let sealed = 0;
  let keptSeen = kept === undefined;
  for (;;) {
    const after: number = head?.sequence ?? 0;
    const rows: readonly Row[] = await sealsAfter(sql, after);
    for (const row of rows) {
      const due: number = (head?.sequence ?? 0) + 1;
      if (row.sequence !== due)
        faults.push({ kind: 'gap', sequence: due, detail: `Seals ${due} to ${row.sequence - 1} are missing.` });
      if (!row.there)
        faults.push({
          kind: 'missing',
          sequence: row.sequence,
          detail: `The entry of seal ${row.sequence} is missing.`,
        });
      else if (row.sequence === due && sealHash(row.sequence, head?.hash ?? noHash, row) !== row.hash)
        faults.push({ kind: 'changed', sequence: row.sequence, detail: describe(row) });
      if (row.sequence === kept?.sequence) keptSeen = row.hash === kept.hash;
      head = { sequence: row.sequence, hash: row.hash };
      sealed += 1;
    }
    if (rows.length < atOnce || faults.length >= faultsAtMost) break;
  }
  if (kept && !keptSeen && faults.length < faultsAtMost) {
    const detail = `The chain does not hold the head that was kept: sequence ${kept.sequence} with hash ${kept.hash}.`;
    faults.push({ kind: 'head', sequence: kept.sequence, detail });
  }
  return { sealed, head, faults };
}

const describe = ({ sequence, phase, act_id, action, at }: Row): string =>
  `Entry ${sequence} (${phase} ${action ?? ''} of act ${act_id}, ${at}), or its seal or the one before, was changed.`;

async function sealsAfter(sql: TransactionSql, sequence: number): Promise<readonly Row[]> {
  return await sql.unsafe<Row[]>(
    `SELECT s.sequence::float8, s.hash, e.position IS NOT NULL AS there, ${entryColumns}
    FROM audit_seals s LEFT JOIN audit_entries e ON e.transaction_id = s.transaction_id AND e.position = s.position
    WHERE s.sequence > $1 ORDER BY s.sequence LIMIT ${atOnce}`,
    [sequence],
    { prepare: true },
  );
}

async function unsealed(sql: TransactionSql): Promise<AuditFault[]> {
  const rows = await sql<{ position: string; actId: string; at: Date }[]>`
    SELECT e.position::text, e.act_id AS "actId", e.at FROM audit_entries e
    WHERE e.at < now() - make_interval(secs => ${unsealedSeconds})
      AND NOT EXISTS (SELECT FROM audit_seals s WHERE s.transaction_id = e.transaction_id AND s.position = e.position)
    ORDER BY e.at LIMIT ${faultsAtMost}`;
  return rows.map(({ position, actId, at }) => ({
    kind: 'unsealed',
    sequence: null,
    detail: `The entry at position ${position} (act ${actId}, ${at.toISOString()}) is not sealed: it was put in later, or no control worker seals.`,
  }));
}

async function unrecorded(sql: TransactionSql): Promise<AuditFault[]> {
  const rows = await sql<{ id: string; type: string }[]>`
    SELECT j.id, j.type FROM jobs j
    WHERE NOT EXISTS (SELECT FROM audit_entries e WHERE e.act_id = j.id AND e.phase = 'opened') LIMIT ${faultsAtMost}`;
  return rows.map(({ id, type }) => ({
    kind: 'unrecorded',
    sequence: null,
    detail: `Nobody is on record for job ${id} (${type}).`,
  }));
}

import type { TransactionSql } from 'postgres';
import type { QuotaUse } from '../../domain/quota.ts';
import { isQuotaShort } from '../client.ts';
import { quotaRow, quotaSql } from './quota.ts';

const asQuota = `jsonb_to_record($2::text::jsonb) AS w(${quotaSql.record})`;

/** Takes so much more of a project's quota; false where it does not suffice. */
export async function takeQuota(sql: TransactionSql, projectId: string, more: QuotaUse): Promise<boolean> {
  // What the organisation's trigger raises would end the transaction, in which is still to be said what is short.
  await sql`SAVEPOINT quota`;
  try {
    const taken = await sql.unsafe(
      `UPDATE quotas q SET ${quotaSql.moved('+', 'w')} FROM ${asQuota} WHERE q.project_id = $1 AND ${quotaSql.fits('w')}
      RETURNING q.project_id`,
      [projectId, JSON.stringify(quotaRow(more))],
    );
    return taken.length > 0;
  } catch (error) {
    if (!isQuotaShort(error)) throw error;
    await sql`ROLLBACK TO SAVEPOINT quota`;
    return false;
  }
}

/** Gives back so much of a project's quota: to be called once, in the transaction that ends what took it. */
export async function giveQuota(sql: TransactionSql, projectId: string, less: QuotaUse): Promise<void> {
  await sql.unsafe(`UPDATE quotas q SET ${quotaSql.moved('-', 'w')} FROM ${asQuota} WHERE q.project_id = $1`, [
    projectId,
    JSON.stringify(quotaRow(less)),
  ]);
}

import type { TransactionSql } from 'postgres';
import { MillwrightError } from '../errors.ts';

type Leaving = { readonly userId: string } | { readonly serviceAccountId: string } | { readonly bindingId: string };

/**
 * Refuses to take the last administrator from an organisation. The organisations concerned are locked, so that of two
 * administrators who leave at once the second is the last.
 */
export async function refuseToOrphan(transaction: TransactionSql, leaving: Leaving): Promise<void> {
  const going =
    'userId' in leaving
      ? transaction`b.user_id = ${leaving.userId}`
      : 'serviceAccountId' in leaving
        ? transaction`b.service_account_id = ${leaving.serviceAccountId}`
        : transaction`b.id = ${leaving.bindingId}`;
  await transaction`
    SELECT o.id FROM organizations o WHERE o.deleted_at IS NULL AND o.id IN (
      SELECT b.organization_id FROM role_bindings b WHERE ${going} AND b.role = 'admin' AND b.project_id IS NULL)
    ORDER BY o.id FOR UPDATE`;
  const orphans = await transaction<{ name: string }[]>`
    SELECT DISTINCT o.name FROM role_bindings b JOIN organizations o ON o.id = b.organization_id
    WHERE ${going} AND b.role = 'admin' AND b.project_id IS NULL AND NOT EXISTS (
      SELECT 1 FROM role_bindings other WHERE other.organization_id = b.organization_id AND other.project_id IS NULL AND other.role = 'admin'
        AND (other.user_id, other.service_account_id) IS DISTINCT FROM (b.user_id, b.service_account_id))`;
  if (orphans.length === 0) return;
  const list = orphans.map(({ name }) => `"${name}"`).join(', ');
  throw new MillwrightError(
    'conflict',
    `This is the last administrator of the organization ${list}. Make another one first.`,
  );
}

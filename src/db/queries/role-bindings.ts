import type { Sql, TransactionSql } from 'postgres';
import type { RoleBinding } from '../../domain/tenancy.ts';
import { iso } from './iso.ts';
import { afterOf, type Page, type PageRequest, toPage } from './pages.ts';

/** Both null: the platform. */
interface Where {
  readonly organizationId: string | null;
  /** Null: the organisation itself and all its projects. */
  readonly projectId: string | null;
}

const select = `SELECT b.id, b.role, b.organization_id AS "organizationId", b.project_id AS "projectId", ${iso('b.created_at')} AS "createdAt",
    jsonb_build_object('kind', CASE WHEN b.user_id IS NULL THEN 'service-account' ELSE 'user' END,
      'id', coalesce(b.user_id, b.service_account_id), 'name', coalesce(u.email, u.name, s.name)) AS principal
  FROM role_bindings b LEFT JOIN users u ON u.id = b.user_id LEFT JOIN service_accounts s ON s.id = b.service_account_id
  WHERE b.organization_id IS NOT DISTINCT FROM $1::uuid AND ($2::uuid IS NULL OR b.project_id = $2)`;

/** Who holds which role there, oldest first. */
export async function listRoleBindings(sql: Sql, where: Where, page: PageRequest): Promise<Page<RoleBinding>> {
  const rows = await sql.unsafe<RoleBinding[]>(
    `${select} AND ($3::uuid IS NULL OR b.id > $3) ORDER BY b.id LIMIT $4`,
    [where.organizationId, where.projectId, afterOf(page.cursor), page.limit + 1],
    { prepare: true },
  );
  return toPage(rows, page.limit, (row) => row);
}

export async function findRoleBinding(
  sql: Sql | TransactionSql,
  where: Where,
  id: string,
): Promise<RoleBinding | undefined> {
  const [row] = await sql.unsafe<RoleBinding[]>(
    `${select} AND b.id = $3::uuid`,
    [where.organizationId, where.projectId, id],
    { prepare: true },
  );
  return row;
}

import type { Sql, TransactionSql } from 'postgres';
import { isId } from '../../domain/common.ts';
import type { ServiceAccount } from '../../domain/tenancy.ts';
import { iso } from './iso.ts';
import { afterOf, type Page, type PageRequest, toPage } from './pages.ts';

interface Where {
  readonly organizationId: string;
  /** Null: the organisation itself and all its projects. */
  readonly projectId: string | null;
}

const select = `SELECT s.id, s.name, s.organization_id AS "organizationId", s.project_id AS "projectId", ${iso('s.created_at')} AS "createdAt"
  FROM service_accounts s WHERE s.organization_id = $1 AND ($2::uuid IS NULL OR s.project_id = $2)`;

/** Those of a project, or of an organisation with all its projects; oldest first. */
export async function listServiceAccounts(sql: Sql, where: Where, page: PageRequest): Promise<Page<ServiceAccount>> {
  const rows = await sql.unsafe<ServiceAccount[]>(
    `${select} AND ($3::uuid IS NULL OR s.id > $3) ORDER BY s.id LIMIT $4`,
    [where.organizationId, where.projectId, afterOf(page.cursor), page.limit + 1],
    { prepare: true },
  );
  return toPage(rows, page.limit, (row) => row);
}

/** One by id or name; in an organisation, a name means the organisation's own. */
export async function findServiceAccount(
  sql: Sql | TransactionSql,
  where: Where,
  reference: string,
): Promise<ServiceAccount | undefined> {
  const by = isId(reference) ? 's.id = $3::uuid' : 's.name = $3::text AND s.project_id IS NOT DISTINCT FROM $2';
  const [row] = await sql.unsafe<ServiceAccount[]>(
    `${select} AND ${by}`,
    [where.organizationId, where.projectId, reference],
    {
      prepare: true,
    },
  );
  return row;
}

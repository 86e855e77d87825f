import type { Sql, TransactionSql } from 'postgres';
import type { Token } from '../../domain/tenancy.ts';
import { iso } from './iso.ts';
import { afterOf, type Page, type PageRequest, toPage } from './pages.ts';

/** Whose tokens: a user's, a service account's, or the platform's own (one of them, or all). */
export type TokenOwner =
  | { readonly userId: string }
  | { readonly serviceAccountId: string }
  | { readonly tokenId: string | null }
  | 'everyone';

const select = `SELECT t.id, t.name, t.role, t.organization_id AS "organizationId", t.project_id AS "projectId", t.project_only AS "projectOnly",
    ${iso('t.created_at')} AS "createdAt", ${iso('t.expires_at')} AS "expiresAt",
    jsonb_build_object('kind', CASE WHEN t.user_id IS NOT NULL THEN 'user' WHEN t.service_account_id IS NOT NULL THEN 'service-account' ELSE 'platform' END,
      'id', coalesce(t.user_id, t.service_account_id), 'name', coalesce(u.email, u.name, s.name, t.name)) AS principal
  FROM api_tokens t LEFT JOIN users u ON u.id = t.user_id LEFT JOIN service_accounts s ON s.id = t.service_account_id
  WHERE t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > now())`;

/** A condition on table `t`, and its parameter, $1. */
function ownedBy(owner: TokenOwner): [string, string | null] {
  if (owner === 'everyone') return ['$1::uuid IS NULL', null];
  if ('userId' in owner) return ['t.user_id = $1::uuid', owner.userId];
  if ('serviceAccountId' in owner) return ['t.service_account_id = $1::uuid', owner.serviceAccountId];
  return ['t.user_id IS NULL AND t.service_account_id IS NULL AND ($1::uuid IS NULL OR t.id = $1)', owner.tokenId];
}

/** Tokens that are valid, oldest first; never their text, which nobody has. */
export async function listTokens(sql: Sql, owner: TokenOwner, page: PageRequest): Promise<Page<Token>> {
  const [condition, parameter] = ownedBy(owner);
  const rows = await sql.unsafe<Token[]>(
    `${select} AND ${condition} AND ($2::uuid IS NULL OR t.id > $2) ORDER BY t.id LIMIT $3`,
    [parameter, afterOf(page.cursor), page.limit + 1],
    { prepare: true },
  );
  return toPage(rows, page.limit, (row) => row);
}

export async function findToken(sql: Sql | TransactionSql, owner: TokenOwner, id: string): Promise<Token | undefined> {
  const [condition, parameter] = ownedBy(owner);
  const [row] = await sql.unsafe<Token[]>(`${select} AND ${condition} AND t.id = $2::uuid`, [parameter, id], {
    prepare: true,
  });
  return row;
}

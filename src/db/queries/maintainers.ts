import type { Sql, TransactionSql } from 'postgres';
import { isId, type Maintainer } from '../../domain/common.ts';
import type { MaintainerGroup } from '../../domain/maintainer.ts';
import { iso } from './iso.ts';
import { afterOf, type Page, type PageRequest, toPage } from './pages.ts';

/** The maintainer of `resources r`, as it is shown; null where there is none, or no such user any more. */
export const maintainerOfResource = `CASE WHEN r.maintainer_id IS NOT NULL THEN coalesce(
    (SELECT jsonb_build_object('kind', 'maintainer-group', 'id', g.id, 'name', g.name) FROM maintainer_groups g WHERE g.id = r.maintainer_id),
    (SELECT jsonb_build_object('kind', 'user', 'id', u.id, 'name', coalesce(u.email, u.name)) FROM users u WHERE u.id = r.maintainer_id)
  ) END`;

const groups = `SELECT g.id, g.organization_id AS "organizationId", g.name, g.description, ${iso('g.created_at')} AS "createdAt",
    coalesce((SELECT jsonb_agg(jsonb_build_object('id', u.id, 'email', coalesce(u.email, u.name)) ORDER BY u.email, u.id)
      FROM maintainer_group_members m JOIN users u ON u.id = m.user_id WHERE m.group_id = g.id), '[]') AS members
  FROM maintainer_groups g WHERE g.organization_id = $1`;

/** Those of an organisation, oldest first. */
export async function listMaintainerGroups(
  sql: Sql,
  organizationId: string,
  { limit, cursor }: PageRequest,
): Promise<Page<MaintainerGroup>> {
  const rows = await sql.unsafe<MaintainerGroup[]>(
    `${groups} AND ($2::uuid IS NULL OR g.id > $2) ORDER BY g.id LIMIT $3`,
    [organizationId, afterOf(cursor), limit + 1],
    { prepare: true },
  );
  return toPage(rows, limit, (row) => row);
}

/** By name or id. */
export async function findMaintainerGroup(
  sql: Sql,
  organizationId: string,
  reference: string,
): Promise<MaintainerGroup | undefined> {
  const by = isId(reference) ? 'g.id = $2::uuid' : 'g.name = $2::text';
  const [group] = await sql.unsafe<MaintainerGroup[]>(`${groups} AND ${by}`, [organizationId, reference]);
  return group;
}

/** A user who holds a role in the organisation, or in a project of it. */
export async function memberByEmail(
  sql: Sql | TransactionSql,
  organizationId: string,
  email: string,
): Promise<string | undefined> {
  const [user] = await sql<{ id: string }[]>`
    SELECT u.id FROM users u WHERE u.email = ${email}
      AND EXISTS (SELECT FROM role_bindings b WHERE b.user_id = u.id AND b.organization_id = ${organizationId})`;
  return user?.id;
}

/**
 * Whom the reference (a group's name, or an e-mail address) means in this organisation. `keep`: a group is not deleted
 * before the transaction has ended.
 */
export async function findMaintainer(
  sql: Sql | TransactionSql,
  organizationId: string,
  reference: string,
  { keep }: { readonly keep: boolean },
): Promise<Maintainer | undefined> {
  if (reference.includes('@')) {
    const id = await memberByEmail(sql, organizationId, reference);
    return id === undefined ? undefined : { kind: 'user', id, name: reference };
  }
  const [group] = await sql<{ id: string }[]>`
    SELECT id FROM maintainer_groups WHERE organization_id = ${organizationId} AND name = ${reference}
    ${keep ? sql`FOR KEY SHARE` : sql``}`;
  return group && { kind: 'maintainer-group', id: group.id, name: reference };
}

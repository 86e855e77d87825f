import type { Sql, TransactionSql } from 'postgres';
import { isId } from '../../domain/common.ts';
import type { User } from '../../domain/tenancy.ts';
import { iso } from './iso.ts';
import { afterOf, type Page, type PageRequest, toPage } from './pages.ts';

const columns = `u.id, u.email, u.name, u.issuer, u.subject, ${iso('u.created_at')} AS "createdAt"`;

/** All users, oldest first. */
export async function listUsers(sql: Sql, page: PageRequest): Promise<Page<User>> {
  const rows = await sql.unsafe<User[]>(
    `SELECT ${columns} FROM users u WHERE $1::uuid IS NULL OR u.id > $1 ORDER BY u.id LIMIT $2`,
    [afterOf(page.cursor), page.limit + 1],
    { prepare: true },
  );
  return toPage(rows, page.limit, (row) => row);
}

/** A user by id or e-mail address. */
export async function findUser(sql: Sql | TransactionSql, reference: string): Promise<User | undefined> {
  const by = isId(reference) ? 'u.id = $1::uuid' : 'u.email = lower($1::text)';
  const [row] = await sql.unsafe<User[]>(`SELECT ${columns} FROM users u WHERE ${by}`, [reference], { prepare: true });
  return row;
}

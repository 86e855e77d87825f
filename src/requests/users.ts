import type { Sql, TransactionSql } from 'postgres';
import { v7 as newId } from 'uuid';
import { violatedUnique } from '../db/client.ts';
import { audited } from '../db/queries/audit.ts';
import { findUser } from '../db/queries/users.ts';
import type { User, UserCreate } from '../domain/tenancy.ts';
import { MillwrightError } from '../errors.ts';
import { type Actor, onPlatform } from './acting.ts';
import { refuseToOrphan } from './administrators.ts';
import { letGoOfMaintained } from './maintainers.ts';

/** Invites a person: whoever logs in with this address, verified by the issuer, is this user. */
export async function createUser(sql: Sql, actor: Actor, { email, name }: UserCreate): Promise<User> {
  const id = newId();
  const act = { ...onPlatform(actor), action: 'user.create', resource: { kind: 'user', id, name: email } };
  await audited(sql, act, async (transaction) => {
    await transaction`INSERT INTO users (id, email, name) VALUES (${id}, ${email}, ${name ?? email})`;
  }).catch((error: unknown) => {
    if (violatedUnique(error) !== 'users_email_unique') throw error;
    throw new MillwrightError('conflict', `There is already a user "${email}".`);
  });
  const user = await findUser(sql, id);
  if (!user) throw notFound(email);
  return user;
}

/** Ends its tokens and roles too. The last administrator of an organisation cannot be deleted. */
export async function deleteUser(sql: Sql, actor: Actor, reference: string): Promise<void> {
  const user = await findUser(sql, reference);
  if (!user) throw notFound(reference);
  const resource = { kind: 'user', id: user.id, name: user.email ?? user.name };
  await audited(sql, { ...onPlatform(actor), action: 'user.delete', resource }, async (transaction) => {
    await refuseToOrphan(transaction, { userId: user.id });
    await letGoOfMaintained(transaction, actor, { id: user.id, name: resource.name });
    await transaction`DELETE FROM users WHERE id = ${user.id}`;
  });
}

/** The user of this address, invited where nobody has it yet. */
export async function userByEmail(transaction: TransactionSql, email: string): Promise<string> {
  await transaction`INSERT INTO users (email, name) VALUES (${email}, ${email}) ON CONFLICT (email) DO NOTHING`;
  const [user] = await transaction<{ id: string }[]>`SELECT id FROM users WHERE email = ${email}`;
  if (!user) throw notFound(email);
  return user.id;
}

export const notFound = (reference: string): MillwrightError =>
  new MillwrightError('not_found', `There is no user "${reference}".`);

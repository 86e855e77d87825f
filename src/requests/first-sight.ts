import type { Sql } from 'postgres';
import { audited } from '../db/queries/audit.ts';
import { principalBySubject } from '../db/queries/principals.ts';
import type { Principal } from '../domain/principal.ts';
import { MillwrightError } from '../errors.ts';

/** Whom an issuer gave a token to. */
interface Seen {
  readonly issuer: string;
  readonly subject: string;
  /** Verified by the issuer, or null. */
  readonly email: string | null;
  readonly name: string | null;
}

/**
 * The user whom the issuer calls so. At first sight it becomes the one who was invited under its verified address, with
 * the roles that wait there; else a new user without any role.
 */
export async function userOf(sql: Sql, seen: Seen, origin: string | null): Promise<Principal> {
  const known = await principalBySubject(sql, seen.issuer, seen.subject);
  if (known) return known;
  const act = {
    organizationId: null,
    projectId: null,
    actor: `user/${seen.email ?? seen.subject}`,
    origin,
    action: 'user.login',
    resource: { kind: 'user', id: null, name: seen.email ?? seen.subject },
  };
  await audited(sql, act, async (transaction) => {
    const { issuer, subject, email } = seen;
    const name = seen.name ?? email ?? subject;
    const [invited] = await transaction`
      UPDATE users SET issuer = ${issuer}, subject = ${subject}, name = ${name}
      WHERE email = ${email} AND issuer IS NULL AND NOT EXISTS (SELECT 1 FROM users WHERE issuer = ${issuer} AND subject = ${subject})
      RETURNING id`;
    if (invited) return;
    // An address that somebody else has already stays theirs.
    await transaction`
      INSERT INTO users (issuer, subject, name, email)
      SELECT ${issuer}, ${subject}, ${name}, (SELECT ${email}::text WHERE NOT EXISTS (SELECT 1 FROM users WHERE email = ${email}))
      ON CONFLICT DO NOTHING`;
  });
  const user = await principalBySubject(sql, seen.issuer, seen.subject);
  if (!user)
    throw new MillwrightError(
      'unavailable',
      'Somebody else logged in with the same address at this moment. Ask again.',
    );
  return user;
}

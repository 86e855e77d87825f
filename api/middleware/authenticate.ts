import type { Context } from 'hono';
import type { Database } from '../../src/db/client.ts';
import { tokenHash } from '../../src/db/seed.ts';
import type { Principal } from '../../src/domain/principal.ts';
import { MillwrightError } from '../../src/errors.ts';
import type { ApiEnv } from '../env.ts';
import { tokenReader } from '../token-reader.ts';

/** Finds out who asks, or throws `unauthenticated`. */
export type Authenticate = (context: Context<ApiEnv>) => Promise<void>;

/** Finds out who asks by the bearer token (RFC 6750). What they may is for each route to say. */
export function authenticator({ sql }: Database): Authenticate {
  const read = tokenReader(sql);

  async function identify(token: string): Promise<Principal> {
    const principal = await read(tokenHash(token));
    if (principal) return principal;
    throw new MillwrightError('unauthenticated', 'This token is not valid: it is unknown, expired or revoked.');
  }

  return async (context) => {
    const token = /^Bearer +(\S+)$/i.exec(context.req.header('authorization') ?? '')?.[1];
    if (!token) {
      throw new MillwrightError(
        'unauthenticated',
        'Give a token: "Authorization: Bearer <token>". A new platform keeps the operator’s in operator.token of its home.',
      );
    }
    context.set('principal', await identify(token));
    context.set('identifyAgain', () => identify(token));
  };
}

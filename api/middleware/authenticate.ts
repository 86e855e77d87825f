import type { Context } from 'hono';
import type { Database } from '../../src/db/client.ts';
import { tokenHash } from '../../src/db/seed.ts';
import type { Principal } from '../../src/domain/principal.ts';
import { MillwrightError } from '../../src/errors.ts';
import { userOf } from '../../src/requests/first-sight.ts';
import type { AddressOf } from '../address.ts';
import type { ApiEnv } from '../env.ts';
import { isJwt, type OidcOptions, oidcVerifier } from '../oidc.ts';
import type { RateLimiter } from '../rate-limits.ts';
import { tokenReader } from '../token-reader.ts';

/** Finds out who asks, or throws `unauthenticated`. */
export type Authenticate = (context: Context<ApiEnv>) => Promise<void>;

/** Finds out who asks by the bearer token (RFC 6750). What they may is for each route to say. */
export function authenticator(
  { sql }: Database,
  {
    limits,
    addressOf,
    oidc,
  }: { readonly limits: RateLimiter; readonly addressOf: AddressOf; readonly oidc: OidcOptions | undefined },
): Authenticate {
  const read = tokenReader(sql);
  const verify = oidc && oidcVerifier(oidc);

  /** A token that is valid is let through, whatever else came from its address: nobody locks out their neighbours. */
  async function refuse(context: Context<ApiEnv>, error: unknown): Promise<never> {
    if (error instanceof MillwrightError && error.code === 'unauthenticated')
      await limits.address(context, addressOf(context));
    throw error;
  }

  async function identify(token: string, origin: string | null): Promise<Principal> {
    if (oidc && verify && isJwt(token)) {
      const { expiresAt, ...claims } = await verify(token);
      return { ...(await userOf(sql, { issuer: oidc.issuer, ...claims }, origin)), expiresAt };
    }
    const principal = await read(tokenHash(token));
    if (principal) return principal;
    throw new MillwrightError('unauthenticated', 'This token is not valid: it is unknown, expired or revoked.');
  }

  return async (context) => {
    const token = /^Bearer +(\S+)$/i.exec(context.req.header('authorization') ?? '')?.[1];
    if (!token) return refuse(context, noToken());
    const origin = addressOf(context);
    const principal = await identify(token, origin).catch((error: unknown) => refuse(context, error));
    await limits.token(context, principal.tokenId ?? `user ${principal.id}`);
    context.set('principal', principal);
    context.set('identifyAgain', () => identify(token, origin));
  };
}

const noToken = (): MillwrightError =>
  new MillwrightError(
    'unauthenticated',
    'Give a token: "Authorization: Bearer <token>". A new platform keeps the operator’s in operator.token of its home.',
  );

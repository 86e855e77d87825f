import { createLocalJWKSet, createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { z } from 'zod';
import { MillwrightError } from '../src/errors.ts';

export interface OidcOptions {
  /** As the issuer writes itself, `iss`. */
  readonly issuer: string;
  /** What its tokens for this platform have as `aud`. */
  readonly audience: string;
  /** Where its keys are; found by discovery where it is not set. */
  readonly jwksUrl: string | undefined;
  /** As what people log in from the command line, and what for; undefined: they do not. */
  readonly clientId: string | undefined;
  readonly scopes: string;
  readonly emailClaim: string;
  readonly nameClaim: string;
}

/** What the issuer says of whom it gave a token. */
export interface Claims {
  readonly subject: string;
  /** Null unless the issuer has verified it. */
  readonly email: string | null;
  readonly name: string | null;
  readonly expiresAt: string | null;
}

/** Only signatures that we cannot make ourselves: with a shared secret, whoever checks could sign. */
const algorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];
const leewaySeconds = 30;
/** Keys that are unknown are asked for at most this often. */
const cooldownMs = 5000;
const patienceMs = 5000;

const discoverySchema = z.object({ issuer: z.string(), jwks_uri: z.url() });

/** True of what can only be an issuer's token: ours have no dots. */
export const isJwt = (token: string): boolean => token.split('.').length === 3;

/**
 * Verifies the issuer's tokens (OpenID Connect Core 1.0, RFC 7519). Throws `unauthenticated` for one that is not right,
 * and `unavailable` where the keys that would tell cannot be had.
 */
export function oidcVerifier(options: OidcOptions): (token: string) => Promise<Claims> {
  const { issuer, audience, emailClaim, nameClaim } = options;
  let keys: Promise<ReturnType<typeof createRemoteJWKSet>> | undefined;
  let failedAt = 0;

  function remoteKeys(): Promise<ReturnType<typeof createRemoteJWKSet>> {
    if (keys) return keys;
    if (Date.now() - failedAt < cooldownMs / 5) throw away(issuer);
    keys = (options.jwksUrl ? Promise.resolve(options.jwksUrl) : discover(issuer)).then((url) =>
      createRemoteJWKSet(new URL(url), { cooldownDuration: cooldownMs, timeoutDuration: patienceMs }),
    );
    keys.catch(() => {
      keys = undefined;
      failedAt = Date.now();
    });
    return keys;
  }

  async function verify(token: string, getKey: JWTVerifyGetKey): Promise<JWTPayload> {
    const wanted = { issuer, audience, algorithms, clockTolerance: leewaySeconds, requiredClaims: ['exp', 'sub'] };
    return (await jwtVerify(token, getKey, wanted)).payload;
  }

  return async (token) => {
    const remote = await remoteKeys();
    const payload = await verify(token, remote).catch(async (error: unknown) => {
      if (!isAway(error)) throw refused(error);
      // The issuer is away: the keys that it last gave still tell.
      const known = remote.jwks();
      if (!known) throw away(issuer, error);
      return await verify(token, createLocalJWKSet(known)).catch((again: unknown) => {
        throw again instanceof errors.JWKSNoMatchingKey ? away(issuer, again) : refused(again);
      });
    });
    const email = payload.email_verified === true ? textOf(payload[emailClaim]) : null;
    return {
      subject: payload.sub ?? '',
      email: email?.toLowerCase() ?? null,
      name: textOf(payload[nameClaim]),
      expiresAt: payload.exp === undefined ? null : new Date(payload.exp * 1000).toISOString(),
    };
  };
}

/** OpenID Connect Discovery 1.0, section 4. */
async function discover(issuer: string): Promise<string> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(patienceMs), redirect: 'manual' });
    const found = discoverySchema.parse(await answer.json());
    if (found.issuer !== issuer) throw new Error(`it calls itself ${found.issuer}`);
    return found.jwks_uri;
  } catch (cause) {
    throw away(issuer, cause);
  }
}

/** What is wrong with a token is the token's; what is wrong with fetching keys is the issuer's. */
function isAway(error: unknown): boolean {
  if (error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid) return true;
  return !(error instanceof errors.JOSEError) || error.code === 'ERR_JOSE_GENERIC';
}

const away = (issuer: string, cause?: unknown): MillwrightError =>
  new MillwrightError(
    'unavailable',
    `The keys of the issuer ${issuer} cannot be had, so that its tokens cannot be checked. Ask again soon.`,
    { cause },
  );

const refused = (cause: unknown): MillwrightError =>
  new MillwrightError(
    'unauthenticated',
    `This token is not valid: ${cause instanceof errors.JOSEError ? cause.message : 'it cannot be read'}. Log in again.`,
    { cause },
  );

const textOf = (claim: unknown): string | null =>
  typeof claim === 'string' && claim !== '' ? claim.slice(0, 254) : null;

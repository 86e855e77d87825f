import { createHash, randomBytes } from 'node:crypto';
import type { Context } from 'hono';
import { RateLimiterMemory, type RateLimiterRes } from 'rate-limiter-flexible';
import { networkOf } from '../src/addresses.ts';
import { MillwrightError } from '../src/errors.ts';
import type { ApiEnv } from './env.ts';

/** Requests in a window of 60 s, in each API process. */
export interface RateLimits {
  /** With one token, or by one user of the OIDC issuer. */
  readonly perToken: number;
  /** From one address without a token that is valid. */
  readonly perAddress: number;
}

const windowSeconds = 60;
/** Addresses share so many counters, so that no flood of them takes more memory than that. */
const addressCounters = 65_536;

type Policy = 'token' | 'address';

/** Counts a request against its limit, says in the answer what is left of it, and throws `rate_limited` beyond it. */
export interface RateLimiter {
  token(context: Context<ApiEnv>, key: string): Promise<void>;
  address(context: Context<ApiEnv>, address: string | null): Promise<void>;
}

/**
 * Limits in memory: a platform of *n* API processes lets through up to *n* times as much. Headers as
 * draft-ietf-httpapi-ratelimit-headers-09 has them.
 */
export function rateLimiter({ perToken, perAddress }: RateLimits): RateLimiter {
  const tokens = new RateLimiterMemory({ points: perToken, duration: windowSeconds });
  const addresses = new RateLimiterMemory({ points: perAddress, duration: windowSeconds });
  const salt = randomBytes(16);
  const counterOf = (address: string): string =>
    String(createHash('sha256').update(salt).update(address).digest().readUInt32BE() % addressCounters);

  return {
    token: async (context, key) => tell(context, 'token', perToken, await tokens.penalty(key)),
    address: async (context, address) =>
      tell(
        context,
        'address',
        perAddress,
        await addresses.penalty(counterOf(address === null ? '' : networkOf(address))),
      ),
  };
}

function tell(
  context: Context<ApiEnv>,
  policy: Policy,
  limit: number,
  { consumedPoints, remainingPoints, msBeforeNext }: RateLimiterRes,
): void {
  const seconds = Math.max(1, Math.ceil(msBeforeNext / 1000));
  context.header('RateLimit-Policy', `"${policy}";q=${limit};w=${windowSeconds}`);
  context.header('RateLimit', `"${policy}";r=${remainingPoints};t=${seconds}`);
  if (consumedPoints <= limit) return;
  const whose = policy === 'token' ? 'with this token' : 'from this address without a valid token';
  throw new MillwrightError(
    'rate_limited',
    `More than ${limit} requests in ${windowSeconds} s ${whose}. Ask again in ${seconds} s.`,
    {
      retryAfterSeconds: seconds,
    },
  );
}

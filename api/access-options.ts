import type { Config } from '../src/config/index.ts';
import type { ApiDependencies } from './env.ts';

/** How the API tells who asks, and how often they may, from the configuration. */
export const accessOptions = (config: Config): Pick<ApiDependencies, 'tokens' | 'rateLimits' | 'trustedProxies'> => ({
  tokens: { maxDays: config.MILLWRIGHT_TOKEN_MAX_DAYS },
  rateLimits: { perToken: config.MILLWRIGHT_RATE_LIMIT_TOKEN, perAddress: config.MILLWRIGHT_RATE_LIMIT_ADDRESS },
  trustedProxies: config.trustedProxies,
});

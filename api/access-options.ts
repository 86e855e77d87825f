import { type Config, required } from '../src/config/index.ts';
import type { ApiDependencies } from './env.ts';

/** How the API tells who asks, and how often they may, from the configuration. */
export const accessOptions = (
  config: Config,
): Pick<ApiDependencies, 'tokens' | 'rateLimits' | 'trustedProxies' | 'oidc'> => ({
  tokens: { maxDays: config.MILLWRIGHT_TOKEN_MAX_DAYS },
  rateLimits: { perToken: config.MILLWRIGHT_RATE_LIMIT_TOKEN, perAddress: config.MILLWRIGHT_RATE_LIMIT_ADDRESS },
  trustedProxies: config.trustedProxies,
  oidc: config.MILLWRIGHT_OIDC_ISSUER
    ? {
        issuer: config.MILLWRIGHT_OIDC_ISSUER,
        audience: required(config.MILLWRIGHT_OIDC_AUDIENCE, 'MILLWRIGHT_OIDC_AUDIENCE'),
        jwksUrl: config.MILLWRIGHT_OIDC_JWKS_URL,
        clientId: config.MILLWRIGHT_OIDC_CLIENT_ID,
        scopes: config.MILLWRIGHT_OIDC_SCOPES,
        emailClaim: config.MILLWRIGHT_OIDC_EMAIL_CLAIM,
        nameClaim: config.MILLWRIGHT_OIDC_NAME_CLAIM,
      }
    : undefined,
});

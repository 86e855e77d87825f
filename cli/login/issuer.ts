import * as oidc from 'openid-client';
import type { Login } from '../../src/domain/tenancy.ts';
import { MillwrightError } from '../../src/errors.ts';
import { oneLine } from '../text.ts';
import type { SavedLogin } from './store.ts';

type Tokens = Pick<SavedLogin, 'accessToken' | 'refreshToken' | 'expiresAt'>;

/** What a person is asked to do in a browser. */
interface Invitation {
  readonly code: string;
  readonly address: string;
  /** With the code in it, where the issuer gives such. */
  readonly completeAddress: string | undefined;
}

const patienceSeconds = 15;

/** The issuer, seen as a public client sees it: there is no secret that a program on everybody's disk could keep. */
export async function discoverIssuer({
  issuer,
  clientId,
}: Pick<Login, 'issuer' | 'clientId'>): Promise<oidc.Configuration> {
  const url = URL.parse(issuer);
  const insecure = url?.protocol === 'http:';
  if (!url || (insecure && !isLoopback(url.hostname))) {
    throw new MillwrightError(
      'invalid',
      `The issuer "${oneLine(issuer)}" has no https address: tokens would be open to all between.`,
    );
  }
  return await said('cannot be asked where its endpoints are', issuer, () =>
    oidc.discovery(url, clientId, undefined, oidc.None(), {
      timeout: patienceSeconds,
      execute: insecure ? [oidc.allowInsecureRequests] : [],
    }),
  );
}

const isLoopback = (host: string): boolean => host === 'localhost' || host === '[::1]' || /^127\./.test(host);

/** Logs in by the device authorization grant (RFC 8628). The signal gives up; whoever gave it knows. */
export async function authorizeDevice(
  { issuer, scopes, audience }: Login,
  configuration: oidc.Configuration,
  invite: (invitation: Invitation) => void,
  signal: AbortSignal,
): Promise<Tokens> {
  if (!configuration.serverMetadata().device_authorization_endpoint) {
    throw new MillwrightError(
      'precondition',
      `The issuer ${issuer} has no device authorization endpoint (RFC 8628). Use a token: MILLWRIGHT_TOKEN.`,
    );
  }
  // Issuers that serve several audiences ask which; others ignore what they do not know (RFC 6749, section 3.1).
  const device = await said('does not let this client log in', issuer, () =>
    oidc.initiateDeviceAuthorization(configuration, { scope: scopes, audience }),
  );
  invite({
    code: oneLine(device.user_code),
    address: webAddress(issuer, device.verification_uri),
    completeAddress: device.verification_uri_complete && webAddress(issuer, device.verification_uri_complete),
  });
  // An issuer that never says that the code has expired does not keep us for ever.
  const expiry = AbortSignal.timeout(device.expires_in * 1000);
  const tokens = await said('did not log you in', issuer, () =>
    oidc.pollDeviceAuthorizationGrant(configuration, device, undefined, { signal: AbortSignal.any([signal, expiry]) }),
  ).catch((error: unknown) => {
    throw expiry.aborted && !signal.aborted ? expired(issuer) : error;
  });
  return tokensOf(tokens);
}

/** The issuer says which address; only what a browser may open without harm is shown. */
function webAddress(issuer: string, address: string): string {
  const url = URL.parse(address);
  if (url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url.hostname))) return oneLine(url.href);
  throw new MillwrightError(
    'invalid',
    `The issuer ${issuer} gives "${oneLine(address)}" to open, which has no https address.`,
  );
}

/** New tokens for the refresh token. Throws `unauthenticated` where the issuer takes it no more. */
export async function refresh(login: SavedLogin): Promise<Tokens> {
  const configuration = await discoverIssuer(login);
  const tokens = await said('does not renew the login', login.issuer, () =>
    oidc.refreshTokenGrant(configuration, login.refreshToken ?? ''),
  );
  // An issuer that gives no new refresh token leaves the old one as it is (RFC 6749, section 6).
  return { ...tokensOf(tokens), refreshToken: tokens.refresh_token ?? login.refreshToken };
}

/** Ends the tokens at the issuer (RFC 7009); false where it has no endpoint for that. */
export async function revoke(login: SavedLogin): Promise<boolean> {
  const configuration = await discoverIssuer(login);
  if (!configuration.serverMetadata().revocation_endpoint) return false;
  const revocation = (token: string, hint: string) =>
    said('does not end the login', login.issuer, () =>
      oidc.tokenRevocation(configuration, token, { token_type_hint: hint }),
    );
  if (login.refreshToken) await revocation(login.refreshToken, 'refresh_token');
  await revocation(login.accessToken, 'access_token');
  return true;
}

function tokensOf(tokens: oidc.TokenEndpointResponse & oidc.TokenEndpointResponseHelpers): Tokens {
  const seconds = tokens.expiresIn();
  return {
    accessToken: tokens.access_token,
    refreshToken: tokens.refresh_token ?? null,
    expiresAt: seconds === undefined ? null : new Date(Date.now() + seconds * 1000).toISOString(),
  };
}

const reasons: Readonly<Record<string, string>> = {
  access_denied: 'It was refused there. Run "millwright login" to try again.',
  expired_token: 'Nobody confirmed the code in time. Run "millwright login" to try again.',
  invalid_grant: 'It has ended there. Run "millwright login".',
  invalid_client: 'It does not know this client: ask an operator to check MILLWRIGHT_OIDC_CLIENT_ID.',
  unauthorized_client: 'It does not let this client do so: ask an operator to allow it the device grant there.',
  invalid_scope: 'It does not give these scopes: ask an operator to check MILLWRIGHT_OIDC_SCOPES.',
};

const expired = (issuer: string): MillwrightError =>
  new MillwrightError('unauthenticated', `The issuer ${issuer} did not log you in. ${reasons.expired_token}`);

/** What the issuer refused, in words; never what was sent to it or what it answered in full, as tokens are in there. */
async function said<Result>(what: string, issuer: string, ask: () => Promise<Result>): Promise<Result> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof oidc.ResponseBodyError) {
      const detail = [error.error, error.error_description].filter(Boolean).join(': ');
      const reason = reasons[error.error] ?? oneLine(`It said ${detail}.`);
      throw new MillwrightError('unauthenticated', `The issuer ${issuer} ${what}. ${reason}`);
    }
    const reason = error instanceof Error ? error.message : String(error);
    throw new MillwrightError('unavailable', oneLine(`The issuer ${issuer} ${what}: ${reason}. Try again soon.`));
  }
}

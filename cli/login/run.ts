import type { Config } from '../../src/config/index.ts';
import { MillwrightError } from '../../src/errors.ts';
import { Client } from '../client.ts';
import type { CliContext } from '../context.ts';
import { Exit } from '../errors.ts';
import { type Credential, findAddress, type Platform } from '../platform.ts';
import { oneLine, quoted } from '../text.ts';
import { authorizeDevice, discoverIssuer, revoke } from './issuer.ts';
import { LoginStore } from './store.ts';

interface Place {
  readonly config: Config;
  readonly address: Omit<Platform, 'credential'>;
  readonly store: LoginStore;
  readonly clientFor: (credential: Credential | undefined) => Client;
  readonly talk: (line: string) => void;
}

function placeOf(context: CliContext, home: string | undefined): Place {
  const config = context.readConfig(home === undefined ? {} : { home });
  const address = findAddress(config, home !== undefined);
  if (config.userFolder === undefined)
    throw new MillwrightError('invalid', 'There is nowhere to keep a login: set HOME or XDG_CONFIG_HOME.');
  const flags = home === undefined ? '' : ` --home ${quoted(home)}`;
  const options = {
    project: undefined,
    organization: undefined,
    patience: context.patience,
    command: (words: string) => `millwright ${words}${flags}`,
  };
  return {
    config,
    address,
    store: new LoginStore(config.userFolder, address.url),
    clientFor: (credential) => new Client({ ...options, platform: { ...address, credential } }),
    talk: (line) => context.io.err(`${line}\n`),
  };
}

/** Logs in, and keeps what came of it only where the platform takes it. */
export async function login(context: CliContext, home: string | undefined): Promise<void> {
  const { config, address, store, clientFor, talk } = placeOf(context, home);
  const where = await clientFor(undefined).identity.login();
  const interrupted = context.catchInterrupt();
  const tokens = await authorizeDevice(
    where,
    await discoverIssuer(where),
    ({ code, address: page, completeAddress }) => {
      talk(`Open ${completeAddress ?? page}`);
      talk(completeAddress ? `and see that it shows the code ${code}.` : `and type the code ${code}.`);
    },
    interrupted,
  ).catch((error: unknown) => {
    throw interrupted.aborted ? new Exit(130) : error;
  });
  const { principal } = await clientFor({
    source: 'login',
    token: async () => tokens.accessToken,
  }).identity.whoami();
  store.write({ issuer: where.issuer, clientId: where.clientId, ...tokens });
  const until = tokens.expiresAt === null ? '' : ` until ${tokens.expiresAt}`;
  talk(
    `Logged in to ${address.url.origin} as ${principal.kind} ${oneLine(principal.name)}${until}${tokens.refreshToken ? ', and renewed by itself' : ''}.`,
  );
  if (config.MILLWRIGHT_TOKEN && home === undefined) talk('MILLWRIGHT_TOKEN is set, and goes before the login.');
}

/** Forgets the login whatever the issuer says: it is gone from here at least. */
export async function logout(context: CliContext, home: string | undefined): Promise<void> {
  const { address, store, talk } = placeOf(context, home);
  const saved = store.readable();
  store.remove();
  if (!saved) return talk(`Not logged in to ${address.url.origin}.`);
  try {
    const revoked = await revoke(saved);
    const left = revoked ? '' : ' The issuer cannot end tokens: they are worth something until they expire.';
    talk(`Logged out of ${address.url.origin}.${left}`);
  } catch (error) {
    talk(`Forgot the login to ${address.url.origin}, but it is not ended at the issuer.`);
    throw error;
  }
}

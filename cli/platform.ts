import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Config, readEndpoints } from '../src/config/index.ts';
import { MillwrightError } from '../src/errors.ts';
import { loginOf } from './login/credential.ts';
import { quoted } from './text.ts';

/** What says who asks. */
export interface Credential {
  /** Where it is from, for people. */
  readonly source: string;
  readonly token: () => Promise<string>;
  /** A newer token than this one that was refused, if there is one to be had. */
  readonly renewed?: (refused: string) => Promise<string | undefined>;
}

/** Where the API is, and who asks. */
export interface Platform {
  readonly url: URL;
  /** Undefined: nobody in particular. */
  readonly credential: Credential | undefined;
  /** What to do when it does not answer. */
  readonly remedy: string;
}

/** The address of an API, whoever asks it. */
type Address = Omit<Platform, 'credential'>;

/**
 * The API that MILLWRIGHT_URL names, else that of the platform started in the home. A home named on the command line
 * goes before the environment.
 */
export function findAddress(config: Config, homeNamed: boolean): Address {
  const url = homeNamed ? undefined : config.MILLWRIGHT_URL;
  if (url) return { url: baseOf(url, 'MILLWRIGHT_URL'), remedy: 'Check MILLWRIGHT_URL, and that it runs.' };
  const endpoints = readEndpoints(config.home);
  if (endpoints) {
    const status = `millwright status${homeNamed ? ` --home ${quoted(config.home)}` : ''}`;
    return { url: baseOf(endpoints.api, 'endpoints.json'), remedy: `Is it running? See "${status}".` };
  }
  throw new MillwrightError(
    'not_found',
    `No platform found in ${config.home}. Start one with "millwright up", or set MILLWRIGHT_URL and MILLWRIGHT_TOKEN.`,
  );
}

/**
 * The platform, and whose word is given there: MILLWRIGHT_TOKEN, else the login of this user, else the operator's token
 * of the home. An address is never sent the token of a home that is not its own, nor a login to another.
 */
export function findPlatform(config: Config, homeNamed: boolean): Platform {
  const address = findAddress(config, homeNamed);
  const given = homeNamed ? undefined : config.MILLWRIGHT_TOKEN;
  if (given) return { ...address, credential: fixed('MILLWRIGHT_TOKEN', given) };
  const login = config.userFolder === undefined ? undefined : loginOf(config.userFolder, address.url);
  if (login) return { ...address, credential: login };
  const remote = !homeNamed && config.MILLWRIGHT_URL;
  if (remote) {
    throw new MillwrightError(
      'unauthenticated',
      `MILLWRIGHT_URL is set and MILLWRIGHT_TOKEN is not. Set the token for ${remote}, or run "millwright login".`,
    );
  }
  const token = readToken(config.home);
  if (token) return { ...address, credential: fixed('operator.token of the home', token) };
  throw new MillwrightError(
    'unauthenticated',
    `There is no operator.token in ${config.home}. Run "millwright login", or set MILLWRIGHT_TOKEN.`,
  );
}

const fixed = (source: string, token: string): Credential => ({ source, token: async () => token });

function readToken(home: string): string | undefined {
  const file = join(home, 'operator.token');
  return existsSync(file) ? readFileSync(file, 'utf8').trim() || undefined : undefined;
}

/** With a slash at its end, so that paths are resolved below it. */
function baseOf(address: string, source: string): URL {
  const base = URL.parse(address.endsWith('/') ? address : `${address}/`);
  if ((base?.protocol === 'http:' || base?.protocol === 'https:') && base.username === '') return base;
  throw new MillwrightError('invalid', `${source} has no HTTP address. Expected one like http://127.0.0.1:7400.`);
}

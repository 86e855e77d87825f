import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Config, readEndpoints } from '../src/config/index.ts';
import { MillwrightError } from '../src/errors.ts';
import { quoted } from './text.ts';

/** Where the API is, and who asks. */
export interface Platform {
  readonly url: URL;
  readonly token: string;
  /** What to do when it does not answer. */
  readonly remedy: string;
}

/**
 * The platform that MILLWRIGHT_URL and MILLWRIGHT_TOKEN name, else the one started in the home. A home named on the
 * command line goes before the environment. An address is never sent the token of a home that is not its own.
 */
export function findPlatform(config: Config, homeNamed: boolean): Platform {
  const url = homeNamed ? undefined : config.MILLWRIGHT_URL;
  const token = homeNamed ? undefined : config.MILLWRIGHT_TOKEN;
  if (url && !token) {
    throw new MillwrightError(
      'invalid',
      `MILLWRIGHT_URL is set and MILLWRIGHT_TOKEN is not. Set the token for ${url}.`,
    );
  }
  if (url && token)
    return { url: baseOf(url, 'MILLWRIGHT_URL'), token, remedy: 'Check MILLWRIGHT_URL, and that it runs.' };
  const endpoints = readEndpoints(config.home);
  const tokenOfHome = token ?? readToken(config.home);
  if (endpoints && tokenOfHome) {
    const status = `millwright status${homeNamed ? ` --home ${quoted(config.home)}` : ''}`;
    return {
      url: baseOf(endpoints.api, 'endpoints.json'),
      token: tokenOfHome,
      remedy: `Is it running? See "${status}".`,
    };
  }
  throw new MillwrightError(
    'not_found',
    `No platform found in ${config.home}. Start one with "millwright up", or set MILLWRIGHT_URL and MILLWRIGHT_TOKEN.`,
  );
}

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

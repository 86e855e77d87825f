import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { MillwrightError } from '../../src/errors.ts';
import type { Credential } from '../platform.ts';
import { LoginStore, type SavedLogin } from './store.ts';

/** A token that ends sooner than this is renewed first: it still has to get there. */
const leewayMs = 10_000;
/** An issuer that keeps one command waiting keeps the others no longer than this. */
const patienceMs = 30_000;
const againMs = 50;

/** The user's login to an API, which renews itself; undefined where there is none. */
export function loginOf(userFolder: string, url: URL): Credential | undefined {
  const store = new LoginStore(userFolder, url);
  const first = store.read();
  if (!first) return undefined;
  let login = first;
  let renewal: Promise<string> | undefined;
  const renew = (old: string): Promise<string> => {
    renewal ??= renewStored(store, old)
      .then((renewed) => {
        login = renewed;
        return renewed.accessToken;
      })
      .finally(() => {
        renewal = undefined;
      });
    return renewal;
  };
  return {
    source: `login at ${first.issuer}${first.refreshToken ? ', renewed by itself' : ''}`,
    token: async () => (hasEnded(login) ? renew(login.accessToken) : login.accessToken),
    renewed: async (refused) => {
      if (refused !== login.accessToken) return login.accessToken;
      return login.refreshToken ? renew(refused) : undefined;
    },
  };
}

const hasEnded = ({ expiresAt }: SavedLogin): boolean =>
  expiresAt !== null && Date.parse(expiresAt) - leewayMs < Date.now();

/** One command at a time: issuers take a refresh token that was used before for a stolen one, and end the login. */
async function renewStored(store: LoginStore, old: string): Promise<SavedLogin> {
  const lock = await lockWhenFree(store);
  try {
    const login = store.read();
    if (!login) throw ended('You are logged out.');
    if (login.accessToken !== old && !hasEnded(login)) return login;
    if (!login.refreshToken) throw ended(`The login at ${login.issuer} has ended.`);
    const { refresh } = await import('./issuer.ts');
    const renewed = { ...login, ...(await refresh(login)) };
    store.write(renewed);
    return renewed;
  } finally {
    lock.release();
  }
}

async function lockWhenFree(store: LoginStore): Promise<{ release(): void }> {
  const { lockFile } = await import('../../src/platform/lock.ts');
  mkdirSync(dirname(store.lock), { recursive: true, mode: 0o700 });
  for (const deadline = Date.now() + patienceMs; ; ) {
    try {
      return lockFile(store.lock, 0);
    } catch (cause) {
      if (Date.now() > deadline)
        throw new MillwrightError('unavailable', 'Another command has been renewing the login for too long.', {
          cause,
        });
      await pause(againMs);
    }
  }
}

const ended = (why: string): MillwrightError =>
  new MillwrightError('unauthenticated', `${why} Run "millwright login".`);

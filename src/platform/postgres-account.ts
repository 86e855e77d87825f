import { execFile } from 'node:child_process';
import { statSync } from 'node:fs';
import { promisify } from 'node:util';
import { MillwrightError } from '../errors.ts';
import type { Account } from './child.ts';

const run = promisify(execFile);

/**
 * PostgreSQL refuses to run as root, so root runs it as whoever owns the data already, else as the user `postgres`, made
 * where it is missing; `nobody` where no user can be made. Anybody else runs it as themselves: `undefined`.
 */
export async function postgresAccount(dataDirectory: string): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const owner = statSync(dataDirectory, { throwIfNoEntry: false });
  if (owner) return { uid: owner.uid, gid: owner.gid };
  const found = (await accountOf('postgres')) ?? (await madeAccount()) ?? (await accountOf('nobody'));
  if (found) return found;
  throw new MillwrightError(
    'precondition',
    'PostgreSQL does not run as root, and there is neither a user "postgres" nor a way to make one: make that user, set DATABASE_URL, or run Millwright as another user than root.',
  );
}

const userCommands: readonly (readonly [string, ...string[]])[] = [
  ['useradd', '--system', '--user-group', '--no-create-home', '--home-dir', '/', '--shell', '/bin/false', 'postgres'],
  // BusyBox, as on Alpine.
  ['adduser', '-S', '-D', '-H', '-h', '/', 'postgres'],
];

async function madeAccount(): Promise<Account | undefined> {
  for (const [command, ...args] of userCommands) {
    await run(command, args).catch(() => {});
    const made = await accountOf('postgres');
    if (made) return made;
  }
  return undefined;
}

async function accountOf(user: string): Promise<Account | undefined> {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', user]), run('id', ['-g', user])]);
    return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  } catch {
    return undefined;
  }
}

import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { MillwrightError } from '../errors.ts';
import type { Account } from './child.ts';
import { postgresAccount } from './postgres-account.ts';
import { type PostgresPrograms, postgresPrograms, systemStateDirectory } from './postgres-programs.ts';

/** Owner of everything in the embedded database. */
export const databaseUser = 'millwright';

export interface PostgresInstallation {
  readonly programs: PostgresPrograms;
  readonly dataDirectory: string;
  readonly account: Account | undefined;
  readonly password: string;
}

/** What PostgreSQL is given of our environment: nothing, since PGDATA and its like would change what it does. */
export const postgresEnvironment: NodeJS.ProcessEnv = { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C' };

/**
 * The database of this home, initialised where there is none yet. An initialisation that is cut short leaves nothing that
 * a later one would take for a database.
 */
export async function preparePostgres(home: string): Promise<PostgresInstallation> {
  const inHome = join(home, 'data', 'postgres');
  mkdirSync(dirname(inHome), { recursive: true, mode: 0o700 });
  const account = await postgresAccount(inHome);
  const programs = await postgresPrograms(account);
  const fresh = !existsSync(inHome);
  const password = databasePassword(home, fresh);
  if (fresh) {
    const target = account ? systemDataDirectory(home) : inHome;
    await initialise(programs, target, account, password);
    if (account) {
      rmSync(inHome, { force: true });
      symlinkSync(target, inHome);
    }
  }
  return { programs, dataDirectory: realpathSync(inHome), account, password };
}

/**
 * Where root keeps a home's data, since a home is closed to other accounts. It is the home's by the link in it alone:
 * data without that link was left by a home that has been deleted.
 */
function systemDataDirectory(home: string): string {
  return join(systemStateDirectory(), createHash('sha256').update(home).digest('hex').slice(0, 16));
}

async function initialise(
  programs: PostgresPrograms,
  target: string,
  account: Account | undefined,
  password: string,
): Promise<void> {
  const partial = `${target}.new`;
  const passwordFile = `${target}.password`;
  for (const leftover of [target, partial, passwordFile]) rmSync(leftover, { recursive: true, force: true });
  mkdirSync(partial, { mode: 0o700 });
  writeFileSync(passwordFile, password, { mode: 0o600 });
  for (const path of account ? [partial, passwordFile] : []) chownSync(path, account?.uid ?? 0, account?.gid ?? 0);
  try {
    await promisify(execFile)(
      programs.initdb,
      [
        `--pgdata=${partial}`,
        `--username=${databaseUser}`,
        `--pwfile=${passwordFile}`,
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        '--no-locale',
        '--no-instructions',
      ],
      { cwd: '/', env: postgresEnvironment, ...account },
    );
  } catch (cause) {
    rmSync(partial, { recursive: true, force: true });
    throw new MillwrightError(
      'unavailable',
      `PostgreSQL's database cannot be initialised in ${target}: ${said(cause)}`,
      {
        cause,
      },
    );
  } finally {
    rmSync(passwordFile, { force: true });
  }
  renameSync(partial, target);
}

/** Kept before the database that it opens, so that no crash leaves one without the other. */
function databasePassword(home: string, mayCreate: boolean): string {
  const file = join(home, 'keys', 'postgres.password');
  if (existsSync(file)) return readFileSync(file, 'utf8').trim();
  if (!mayCreate) {
    throw new MillwrightError(
      'precondition',
      `${file} is missing, and without it the database in ${join(home, 'data', 'postgres')} cannot be opened: put it back, or start afresh in another home.`,
    );
  }
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const password = randomBytes(24).toString('base64url');
  writeFileSync(`${file}.new`, password, { mode: 0o600, flush: true });
  renameSync(`${file}.new`, file);
  return password;
}

const said = (error: unknown): string =>
  error instanceof Error && 'stderr' in error && error.stderr ? String(error.stderr).trim() : String(error);

/** Deletes a home with all its data, wherever that lies. For tests: a platform's user decides that by hand. */
export function removeHome(home: string): void {
  const data = join(home, 'data', 'postgres');
  if (existsSync(data)) rmSync(realpathSync(data), { recursive: true, force: true });
  rmSync(home, { recursive: true, force: true });
}

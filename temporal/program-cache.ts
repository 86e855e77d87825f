import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync } from 'node:fs';
import { homedir, tmpdir, userInfo } from 'node:os';
import { isAbsolute, join } from 'node:path';

/**
 * Where programs are kept for all clones of a user: the XDG cache, or a directory of the user's own under the system's
 * for temporary files where the cache cannot be written to.
 */
export function cacheDirectory(env: NodeJS.ProcessEnv, name: string): string {
  const cache = env.XDG_CACHE_HOME && isAbsolute(env.XDG_CACHE_HOME) ? env.XDG_CACHE_HOME : join(homedir(), '.cache');
  const preferred = join(cache, 'millwright', name);
  try {
    mkdirSync(preferred, { recursive: true });
    rmSync(mkdtempSync(join(preferred, '.probe-')), { recursive: true });
    return preferred;
  } catch {
    const fallback = join(tmpdir(), `millwright-cache-${userInfo().uid}`);
    mkdirSync(fallback, { recursive: true, mode: 0o700 });
    // What another user has put there, under a name that all can guess, is not to be run.
    if (statSync(fallback).uid !== userInfo().uid) return mkdtempSync(`${fallback}-`);
    mkdirSync(join(fallback, name), { recursive: true });
    return join(fallback, name);
  }
}

/** The program, if an earlier call kept it. */
export function cached(directory: string, program: string): string | undefined {
  const file = join(directory, program);
  return statSync(file, { throwIfNoEntry: false })?.isFile() ? file : undefined;
}

/**
 * Keeps the program that `fetch` puts somewhere under the directory it is given. Appears in one move, so that two clones
 * may do this at once and neither runs half a program.
 */
export async function keep(
  directory: string,
  program: string,
  fetch: (into: string) => Promise<string>,
): Promise<string> {
  const partial = mkdtempSync(join(directory, '.partial-'));
  try {
    const fetched = await fetch(partial);
    chmodSync(fetched, 0o755);
    renameSync(fetched, join(directory, program));
    return join(directory, program);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}

import { DatabaseSync } from 'node:sqlite';
import { MillwrightError } from '../errors.ts';
import { homePaths } from './home.ts';
import { readStatus } from './status.ts';

/** A supervisor that was killed a moment ago may still be on its way out. */
const dyingMs = 500;

/** Held while a supervisor works on a home. */
export interface Lock {
  release(): void;
}

/**
 * Takes the home, or says who has it. It is a lock of the operating system's, by way of SQLite, that ends with its
 * process however that ends: there is no stale one to be taken over, and no race for it.
 */
export function lockHome(home: string): Lock {
  try {
    return lockFile(homePaths(home).lock, dyingMs);
  } catch (cause) {
    const running = readStatus(home);
    const who = running ? ` with pid ${running.supervisor.pid}; its API is at ${running.api}` : '';
    throw new MillwrightError(
      'conflict',
      `The platform in ${home} is already running${who}. Stop it with "millwright down", or start another one with --home and --port 0.`,
      { cause },
    );
  }
}

/** The same of any file, made where it is not there. Throws when somebody else still has it after so long. */
export function lockFile(file: string, patienceMs: number): Lock {
  const database = new DatabaseSync(file, { timeout: patienceMs });
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    throw error;
  }
  return { release: () => database.close() };
}

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
  const database = new DatabaseSync(homePaths(home).lock, { timeout: dyingMs });
  try {
    database.exec('BEGIN EXCLUSIVE');
  } catch (cause) {
    database.close();
    const running = readStatus(home);
    const who = running ? ` with pid ${running.supervisor.pid}; its API is at ${running.api}` : '';
    throw new MillwrightError(
      'conflict',
      `The platform in ${home} is already running${who}. Stop it with "millwright down", or start another one with --home and --port 0.`,
      { cause },
    );
  }
  return { release: () => database.close() };
}

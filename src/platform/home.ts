import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where a platform keeps what: everything under its home is open to its owner alone. */
export const homePaths = (home: string) => ({
  logs: join(home, 'logs'),
  lock: join(home, 'run', 'lock'),
  status: join(home, 'run', 'status.json'),
  supervisorLog: join(home, 'logs', 'supervisor.log'),
  roleLog: (role: string) => join(home, 'logs', `${role}.log`),
  endpoints: join(home, 'endpoints.json'),
  token: join(home, 'operator.token'),
});

export function makeHome(home: string): void {
  for (const directory of ['', 'data', 'keys', 'logs', 'run']) {
    mkdirSync(join(home, directory), { recursive: true, mode: 0o700 });
  }
}

/** Writes so that a reader sees the old content or the new, and only the owner sees it. */
export function writeWhole(file: string, value: unknown): void {
  writeFileSync(`${file}.new`, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/** For notes about the platform: a disk that is full, or a home that was deleted, must not end what runs. */
export function quietly(write: () => void): void {
  try {
    write();
  } catch {}
}

import { existsSync } from 'node:fs';
import { homePaths } from './home.ts';
import { isAlive, signal } from './identity.ts';
import { endLeftovers } from './leftovers.ts';
import { lockHome } from './lock.ts';
import { readStatus } from './status.ts';
import { until } from './wait.ts';

/** Roles, services and database have 10 s each before they are killed. */
const stopTimeoutMs = 60_000;

/** Stops the platform of a home and waits until it is gone; false where none runs. */
export async function down(home: string, report: (line: string) => void): Promise<boolean> {
  const last = readStatus(home);
  if (!last) return false;
  const { supervisor } = last;
  const ran = isAlive(supervisor);
  signal(supervisor, 'SIGTERM');
  await until(() => (isAlive(supervisor) ? undefined : true), {
    what: `the supervisor (pid ${supervisor.pid}) to stop the platform`,
    timeoutMs: stopTimeoutMs,
  });
  // One that was killed has left its children and its notes.
  if (existsSync(homePaths(home).status)) {
    const lock = lockHome(home);
    await endLeftovers(home, report).finally(lock.release);
    return true;
  }
  return ran;
}

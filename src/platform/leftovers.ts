import { rmSync } from 'node:fs';
import { homePaths } from './home.ts';
import { isAlive, signal } from './identity.ts';
import { type RoleStatus, readStatus } from './status.ts';
import { until } from './wait.ts';

const graceMs = 10_000;

/**
 * Ends what a supervisor that was killed has left running: in the reverse order of starting, since the database goes
 * last. Only for who holds the home's lock.
 */
export async function endLeftovers(home: string, report: (line: string) => void): Promise<void> {
  for (const role of (readStatus(home)?.roles ?? []).toReversed()) {
    if (!role.process || !isAlive(role.process)) continue;
    report(`${role.role} (pid ${role.process.pid}) was left by a supervisor that was killed: it is ended`);
    await end(role.process, role.stopSignal);
  }
  rmSync(homePaths(home).status, { force: true });
  rmSync(homePaths(home).endpoints, { force: true });
}

async function end(process: NonNullable<RoleStatus['process']>, stopSignal: RoleStatus['stopSignal']): Promise<void> {
  const gone = () => (isAlive(process) ? undefined : true);
  const wait = { what: `process ${process.pid} to end`, timeoutMs: graceMs };
  signal(process, stopSignal);
  await until(gone, wait).catch(async () => {
    signal(process, 'SIGKILL');
    await until(gone, wait);
  });
}

/** Ends every process of the platform at once, for who will not wait for an orderly end. */
export function killAll(home: string): void {
  for (const { process } of readStatus(home)?.roles ?? []) if (process) signal(process, 'SIGKILL');
}

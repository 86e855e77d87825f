import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Config } from '../../src/config/index.ts';

const main = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));

/** A role as a process of its own, ready for work; to be killed. `program` may be another release's. */
export async function startRoleProcess(
  config: Config,
  command: readonly string[],
  program = main,
): Promise<ChildProcess> {
  const settings = Object.entries(config).filter(([key, value]) => key === key.toUpperCase() && value !== undefined);
  const child = spawn(process.execPath, [program, ...command], {
    env: { PATH: process.env.PATH, ...Object.fromEntries(settings.map(([key, value]) => [key, String(value)])) },
    stdio: ['ignore', process.env.TEST_LOG ? 'inherit' : 'ignore', 'inherit', 'ipc'],
  });
  const died = once(child, 'exit').then(([code, signal]) =>
    Promise.reject(new Error(`${command.join(' ')} ended (${code ?? signal}) before it was ready`)),
  );
  await Promise.race([once(child, 'message'), died]);
  died.catch(() => undefined);
  return child;
}

/** `kill -9`, and waits until it is gone. */
export async function killNow(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { homePaths, makeHome, writeWhole } from '../../src/platform/home.ts';
import { identify, isAlive } from '../../src/platform/identity.ts';
import { endLeftovers } from '../../src/platform/leftovers.ts';
import { lockHome } from '../../src/platform/lock.ts';
import { status } from '../../src/platform/status.ts';

const children: ChildProcess[] = [];
let home: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'millwright-lock-'));
  makeHome(home);
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(home, { recursive: true, force: true });
});

async function start(...args: string[]): Promise<ChildProcess & { readonly pid: number }> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  await once(child, 'spawn');
  return Object.assign(child, { pid: child.pid ?? 0 });
}

function writeStatus(supervisor: unknown, child: unknown): void {
  const role = {
    role: 'api',
    state: 'running',
    process: child,
    restarts: 0,
    since: '',
    log: '',
    stopSignal: 'SIGTERM',
  };
  writeWhole(homePaths(home).status, { supervisor, api: 'http://127.0.0.1:7400', roles: [role] });
}

test('a second supervisor is told who has the home', () => {
  writeStatus(identify(process.pid), null);
  const lock = lockHome(home);
  expect(() => lockHome(home)).toThrow(
    `The platform in ${home} is already running with pid ${process.pid}; its API is at http://127.0.0.1:7400.`,
  );
  lock.release();
  lockHome(home).release();
});

test('the lock of a supervisor that was killed is free', async () => {
  const lockModule = new URL('../../src/platform/lock.ts', import.meta.url).href;
  const program = `(await import(${JSON.stringify(lockModule)})).lockHome(${JSON.stringify(home)}); console.log('locked'); setInterval(() => {}, 1000);`;
  const holder = await start('--input-type=module', '--eval', program);
  if (holder.stdout) await once(holder.stdout, 'data');
  expect(() => lockHome(home)).toThrow('is already running');
  holder.kill('SIGKILL');
  await once(holder, 'exit');
  lockHome(home).release();
});

test('a process that was given the id of a dead one is not taken for it', async () => {
  const bystander = await start('--eval', 'setInterval(() => {}, 1000)');
  const stale = { pid: bystander.pid, started: 'another boot/1' };
  expect(isAlive(stale)).toBe(false);
  writeStatus(stale, stale);
  expect(status(home)).toBeUndefined();
  await endLeftovers(home, () => {});
  expect(identify(bystander.pid)).toBeDefined();
  expect(existsSync(homePaths(home).status)).toBe(false);
});

test('a child that a killed supervisor has left is ended', async () => {
  const child = await start('--eval', 'setInterval(() => {}, 1000)');
  const gone = once(child, 'exit');
  const reports: string[] = [];
  writeStatus({ pid: 1, started: 'another boot/1' }, identify(child.pid));
  await endLeftovers(home, (line) => reports.push(line));
  await expect(gone).resolves.toEqual([null, 'SIGTERM']);
  expect(reports).toEqual([`api (pid ${child.pid}) was left by a supervisor that was killed: it is ended`]);
});

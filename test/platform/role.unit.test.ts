import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, expect, test } from 'vitest';

const role = JSON.stringify(new URL('../../cli/role.ts', import.meta.url).href);
const children: ChildProcess[] = [];

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** A role as a child of ours; `start` is the source of its StartRole. Output is collected in `said`. */
function run(start: string, ipc = true): { readonly child: ChildProcess; readonly said: () => string } {
  const program = `const { runRole } = await import(${role}); setInterval(() => {}, 1000); await runRole('stub', ${start});`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit', ...(ipc ? (['ipc'] as const) : [])],
  });
  children.push(child);
  let said = '';
  child.stdout?.on('data', (chunk) => {
    said += chunk;
  });
  return { child, said: () => said };
}

/** Exit code and signal, when all that it said has been read too. */
async function ended(child: ChildProcess): Promise<unknown[]> {
  const read = child.stdout ? once(child.stdout, 'end') : undefined;
  const exit = await once(child, 'exit');
  await read;
  return exit;
}

const runsOn = '{ ended: new Promise(() => {}), stop: async () => console.log("saw its work through") }';

test('a role says that it is ready, leaves Ctrl-C to the supervisor, and stops on SIGTERM with 0', async () => {
  const { child, said } = run(`async () => (${runsOn})`);
  expect(await once(child, 'message')).toEqual([{ ready: true }, undefined]);
  child.kill('SIGINT');
  child.kill('SIGTERM');
  expect(await ended(child)).toEqual([0, null]);
  expect(said()).toContain('saw its work through');
  expect(said()).toContain('"reason":"SIGTERM"');
});

test('a role ends with its supervisor', async () => {
  const { child, said } = run(`async () => (${runsOn})`);
  await once(child, 'message');
  child.disconnect();
  expect(await ended(child)).toEqual([0, null]);
  expect(said()).toContain('saw its work through');
});

test('a role without a supervisor stops on Ctrl-C', async () => {
  const { child, said } = run(
    `async () => { setImmediate(() => process.kill(process.pid, 'SIGINT')); return ${runsOn}; }`,
    false,
  );
  expect(await ended(child)).toEqual([0, null]);
  expect(said()).toContain('saw its work through');
});

test.each([
  ['cannot start', `async () => { throw new Error('no such port'); }`],
  ['dies by itself', `async () => ({ ended: Promise.reject(new Error('no such port')), stop: async () => {} })`],
])('a role that %s logs why and exits with 1', async (_, start) => {
  const { child, said } = run(start);
  expect(await ended(child)).toEqual([1, null]);
  expect(said()).toMatch(/"level":60.*"msg":"no such port"/);
});

test('a role whose work ends unasked exits with 1', async () => {
  const { child, said } = run('async () => ({ ended: Promise.resolve(), stop: async () => {} })');
  expect(await ended(child)).toEqual([1, null]);
  expect(said()).toContain('stub ended by itself');
});

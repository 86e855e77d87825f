import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, symlinkSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { down } from '../../src/platform/down.ts';
import { removeHome } from '../../src/platform/postgres-data.ts';
import { readStatus } from '../../src/platform/status.ts';
import { until } from '../harness/until.ts';

const wrapper = fileURLToPath(new URL('../../bin/millwright', import.meta.url));

let home: string;
let millwright: string;

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'millwright-cli-'));
  // As npm puts it on PATH.
  millwright = join(home, 'millwright');
  symlinkSync(wrapper, millwright);
});
afterAll(async () => {
  await down(home, () => {});
  removeHome(home);
});

interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(...args: string[]): Promise<Answer> {
  return new Promise((resolve) => {
    execFile(millwright, [...args, '--home', home], (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    );
  });
}

async function upHere(): Promise<ChildProcess> {
  const child = spawn(millwright, ['up', '--port', '0', '--home', home], { stdio: ['ignore', 'pipe', 'ignore'] });
  let printed = '';
  child.stdout?.on('data', (chunk) => {
    printed += chunk;
  });
  await until('the addresses', async () => printed.includes('operator.token'));
  return child;
}

test('up --detach returns when all is ready, status shows it, down ends it', async () => {
  expect(await run('status')).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringContaining('no platform runs'),
  });

  const up = await run('up', '--port', '0', '--detach');
  expect(up).toMatchObject({ code: 0, stderr: expect.stringContaining('control is ready') });
  const api = /^API +(http:.*)$/m.exec(up.stdout)?.[1];
  expect(up.stdout).toContain(`API reference    ${api}/docs\n`);
  expect(up.stdout).toMatch(/^Temporal Web UI {2}http:\/\/127\.0\.0\.1:\d+$/m);
  expect((await fetch(`${api}/docs`)).status).toBe(200);

  const json = await run('status', '-o', 'json');
  expect(json.code).toBe(0);
  expect(JSON.parse(json.stdout)).toMatchObject({ running: true, api, roles: { length: 7 } });
  const table = await run('status');
  expect(table.stdout).toMatch(/^ROLE +PID +STATE +READY +RESTARTS +SINCE +LOG\npostgres +\d+ +running +- +0 /);

  expect(table.stdout).toMatch(/^api +\d+ +running +yes +0 /m);
  expect((await run('status', '-o', 'yaml')).stdout).toMatch(/^running: true$/m);

  const again = await run('up', '--detach');
  expect(again).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/already running with pid \d+; its API is at/),
  });

  expect(await run('down')).toMatchObject({ code: 0, stdout: '', stderr: expect.stringContaining('has stopped') });
  expect(await run('down')).toMatchObject({ code: 0, stderr: expect.stringContaining('no platform runs') });
  expect(readFileSync(join(home, 'logs', 'supervisor.log'), 'utf8')).toMatch(/the platform has stopped\n$/);
});

test('Ctrl-C ends the platform in order, and with 0', async () => {
  const child = await upHere();
  child.kill('SIGINT');
  expect(await once(child, 'exit')).toEqual([0, null]);
  expect(readStatus(home)).toBeUndefined();
});

test('a platform does not outlive its command that was killed', async () => {
  const child = await upHere();
  child.kill('SIGKILL');
  await until('the platform to end', async () => readStatus(home) === undefined);
});

test('a port in use fails the start, and its message is the last word', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as AddressInfo;
  const up = await run('up', '--detach', '--port', String(port));
  other.close();
  expect(up).toMatchObject({ code: 1, stdout: '' });
  expect(up.stderr).toMatch(new RegExp(`^.*Port ${port}, for the API, is in use by another program: .*\n$`));
  expect(readStatus(home)).toBeUndefined();
});

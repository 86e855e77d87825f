import type { Command } from 'commander';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { identityCommands, tenantCommands } from '../../cli/commands/index.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { millwrightAt } from './millwright.ts';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform();
});
afterAll(() => platform.stop());

/** Every command that shows what there is, and needs no name for it. */
const lists = [...tenantCommands(), ...identityCommands()].flatMap((group: Command) =>
  group.commands
    .filter((command) => ['list', 'show', 'verify'].includes(command.name()))
    .filter((command) => command.registeredArguments.every(({ required }) => !required))
    .map((command) => `${group.name()} ${command.name()}`),
);

test.each(lists)('the API answers what "millwright %s" asks', async (words) => {
  const { code, err } = await millwrightAt(platform.api, words.split(' '));
  expect([words, code, code === 0 ? '' : err]).toEqual([words, 0, '']);
});

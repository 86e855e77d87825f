import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { millwrightAt } from './millwright.ts';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform({ regions: ['tpe-1'] });
});
afterAll(() => platform.stop());

const run = (...words: string[]) => millwrightAt(platform.api, words);

test('a maintainer group is made, given a volume, and let go', async () => {
  const ada = 'ada@example.com';
  await run('role-binding', 'create', '--role', 'viewer', '--user', ada);
  expect(await run('maintainer-group', 'create', 'disks', '--member', ada)).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^disks +ada@example.com /m),
  });
  await run('volume', 'create', 'data', '--region', 'tpe-1', '--size-gib', '1', '--watch');
  expect((await run('volume', 'update', 'data', '--maintainer', 'disks')).out).toMatch(/MAINTAINER[\s\S]* disks\b/);
  expect((await run('volume', 'list', '--maintainer', 'disks')).out).toMatch(/^data /m);
  expect((await run('volume', 'list', '--maintainer', ada)).out).not.toMatch(/^data /m);
  expect(await run('maintainer-group', 'delete', 'disks')).toMatchObject({
    code: 1,
    err: expect.stringContaining('maintains the volume "data"'),
  });
  expect((await run('volume', 'update', 'data', '--no-maintainer')).out).not.toContain('MAINTAINER');
  expect((await run('maintainer-group', 'remove', 'disks', ada)).code).toBe(0);
  expect((await run('maintainer-group', 'get', 'disks')).out).not.toContain(ada);
  expect((await run('maintainer-group', 'delete', 'disks')).code).toBe(0);
});

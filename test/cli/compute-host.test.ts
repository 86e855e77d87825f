import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { until } from '../harness/until.ts';
import { millwrightAt } from './millwright.ts';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform({ regions: ['tpe-1'] });
});
afterAll(() => platform.stop());

const run = (...words: string[]) => millwrightAt(platform.api, words);
const room = ['--vcpus', '8', '--memory-mib', '32768', '--disk-gib', '500'];
const vm = ['--region', 'tpe-1', '--flavor', 'small', '--image', 'debian-13'];

test('a compute host is added, takes a VM that says why it is there, rests, and is deleted', async () => {
  const created = await run('compute-host', 'create', 'h-1', '--region', 'tpe-1', ...room, '--cpu-ratio', '1.5');
  expect(created).toMatchObject({ code: 0, out: expect.stringMatching(/h-1 +tpe-1 +0\/12 /) });
  await until('VMs of the region to be placed', async () => {
    const refused = await run('vm', 'create', 'dry', ...vm, '--placement', '{"labels":{"disk":"nvme"}}', '--watch');
    return refused.err.includes('labels removed 1');
  });
  expect(await run('vm', 'create', 'web', ...vm, '--watch')).toMatchObject({ code: 0 });
  expect((await run('compute-host', 'explain', 'web')).out).toMatch(
    /^web stands on h-1 since .*\nOf 1 hosts 1 remained\./,
  );
  expect(await run('compute-host', 'delete', 'h-1')).toMatchObject({
    code: 1,
    err: expect.stringContaining('are 1 VMs'),
  });

  await run('compute-host', 'update', 'h-1', '--maintenance', 'a fan', '--gpus', '0');
  expect((await run('compute-host', 'get', 'h-1')).out).toContain('a fan');
  const nowhere = await run('vm', 'create', 'late', ...vm, '--watch');
  expect(nowhere).toMatchObject({ code: 1, err: expect.stringContaining('to end the maintenance of "h-1" (a fan)') });
  await run('compute-host', 'update', 'h-1', '--end-maintenance');
  expect(await run('vm', 'create', 'late', ...vm, '--watch')).toMatchObject({ code: 0 });
  expect(await run('vm', 'delete', 'web', 'late', '--watch')).toMatchObject({ code: 0 });
  expect(await run('compute-host', 'delete', 'h-1')).toMatchObject({ code: 0 });
});

test('what cannot be is refused with what there is instead', async () => {
  expect(await run('compute-host', 'create', 'h-2', '--region', 'atlantis-1', ...room)).toMatchObject({
    code: 1,
    err: expect.stringContaining('There is no region "atlantis-1". There are: nrt-1, tpe-1'),
  });
  expect(await run('compute-host', 'create', 'h-2', '--region', 'tpe-1', ...room, '--cpu-ratio', 'much')).toMatchObject(
    {
      code: 2,
      err: expect.stringContaining('like 1.5'),
    },
  );
  expect(await run('vm', 'create', 'x', ...vm, '--placement', '{group')).toMatchObject({
    code: 2,
    err: expect.stringContaining('It is not JSON'),
  });
  expect(await run('compute-host', 'get', 'h-2')).toMatchObject({
    code: 1,
    err: expect.stringContaining('There is no compute host "h-2".'),
  });
});

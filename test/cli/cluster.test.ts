import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { millwrightAt } from './millwright.ts';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform({ regions: ['tpe-1'] });
});
afterAll(() => platform.stop());

const run = (...words: string[]) => millwrightAt(platform.api, words);

const asked = ['--region', 'tpe-1', '--kubernetes', '1.33', '--image', 'debian-13'];

test('a cluster is created, shown, entered and deleted from the command line', async () => {
  const machines = ['--control-plane', '1xsmall', '--pool', 'web=2xsmall', '--bastion', 'small'];
  expect(await run('cluster', 'create', 'shop', ...asked, ...machines, '--watch')).toMatchObject({ code: 0 });
  expect((await run('cluster', 'list')).out).toMatch(/shop +available +tpe-1 +simulator +1\.33 +4\/4 +https:/);
  const { out } = await run('cluster', 'kubeconfig', 'shop');
  expect(out).toMatch(/^apiVersion: v1\nkind: Config\n/);
  const scaled = ['--pool', 'web=1', '--pool', 'jobs=1xmedium', '--watch'];
  expect(await run('cluster', 'scale', 'shop', ...scaled)).toMatchObject({ code: 0 });
  expect((await run('cluster', 'get', 'shop', '-o', 'yaml')).out).toMatch(/shop-jobs-0(.|\n)*shop-web-0/);
  expect(await run('cluster', 'delete', 'shop', '--watch')).toMatchObject({ code: 0 });
  expect(await platform.simulator.names()).toEqual([]);
});

test('a scaling that is not of the form is refused before anything is asked', async () => {
  const answer = await run('cluster', 'scale', 'shop', '--pool', 'web');
  expect(answer).toMatchObject({ code: 2, err: expect.stringContaining('like web=5') });
});

test('machines that are not of the form are refused before anything is asked', async () => {
  const answer = await run('cluster', 'create', 'shop', ...asked, '--control-plane', 'three');
  expect(answer).toMatchObject({ code: 2, err: expect.stringContaining('like 3xsmall') });
});

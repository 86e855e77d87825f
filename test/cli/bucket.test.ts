import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { millwrightAt } from './millwright.ts';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform({ regions: ['tpe-1'] });
  expect(await run('bucket', 'create', 'logs', '--region', 'tpe-1', '--wait')).toMatchObject({ code: 0 });
});
afterAll(() => platform.stop());

const run = (...words: string[]) => millwrightAt(platform.api, words);

test('the secret of an access key is told once, beside the table', async () => {
  const { code, out, err } = await run('bucket', 'create-key', 'logs', '--key', 'told', '--wait');
  expect(code).toBe(0);
  expect(err).toMatch(/Access key: MW[A-Z2-7]{18}\nSecret: +[\w-]{40}\n/);
  expect(out).toMatch(/logs +available .*told/);
  expect((await run('bucket', 'get', 'logs', '--output', 'json')).out).not.toContain('secret');
});

test.each([
  ['at once', []],
  ['when it is done', ['--wait']],
])('as JSON the access key and its secret are in the answer: %s', async (when, how) => {
  const name = how.length > 0 ? 'waited' : 'asked';
  const { code, out } = await run('bucket', 'create-key', 'logs', '--key', name, '--output', 'json', ...how);
  expect([when, code]).toEqual([when, 0]);
  const { key, resource, job } = JSON.parse(out);
  expect(key).toEqual({ accessKey: expect.stringMatching(/^MW/), secret: expect.stringMatching(/^[\w-]{40}$/) });
  await platform.api.jobWhen(job.id);
  const { body } = await platform.api.tenant('GET', `/buckets/${resource.name}`);
  expect(body.keys).toContainEqual(expect.objectContaining({ name, accessKey: key.accessKey }));
});

test('a bucket with keys is deleted by force alone', async () => {
  expect(await run('bucket', 'delete', 'logs', '--wait')).toMatchObject({
    code: 1,
    err: expect.stringContaining('has access keys'),
  });
  expect(await run('bucket', 'revoke-key', 'logs', '--key', 'told', '--wait')).toMatchObject({ code: 0 });
  expect(await run('bucket', 'delete', 'logs', '--force', '--wait')).toMatchObject({ code: 0 });
  expect(await platform.simulator.names()).toEqual([]);
});

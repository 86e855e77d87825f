import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { millwright } from './millwright.ts';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform({ control: false });
});
afterAll(() => platform.stop());

/** Runs a command, expects it to succeed, and gives what it shows. */
async function run(words: string, token = platform.api.token) {
  const env = { MILLWRIGHT_URL: platform.api.url, MILLWRIGHT_TOKEN: token };
  const { code, out, err } = await millwright(words.split(' '), { env });
  expect([words, code, code === 0 ? '' : err]).toEqual([words, 0, '']);
  return out;
}

test('an operator sets up a tenant, whose administrator lets others in, all from the command line', async () => {
  await run('organization create shop');
  await run('project create web --organization shop');
  await run('service-account create ci --project web');
  await run('role-binding create --role member --service-account ci --project web');
  const { token } = JSON.parse(
    await run('token create laptop --service-account ci --project web --expires-in-days 7 -o json'),
  );
  expect(await run('whoami', token)).toContain('service-account ci');
  await run('volume create data --region tpe-1 --size-gib 1', token);
  expect(await run('project list', token)).toContain('shop');

  expect(await run('token list --service-account ci --project web')).toContain('laptop');
  const [{ id }] = JSON.parse(await run('token list --service-account ci --project web -o json'));
  await run(`token revoke ${id} --service-account ci --project web`);
  const refused = await millwright(['whoami'], { env: { MILLWRIGHT_URL: platform.api.url, MILLWRIGHT_TOKEN: token } });
  expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('revoked')]);
});

test('users are invited, made operators, and deleted', async () => {
  await run('user create ada@example.com --name Ada');
  await run('role-binding create --platform --user ada@example.com');
  expect(await run('role-binding list --platform')).toContain('ada@example.com');
  expect(await run('user list')).toContain('not yet');
  await run('user delete ada@example.com');
  expect(await run('role-binding list --platform')).not.toContain('ada@example.com');
});

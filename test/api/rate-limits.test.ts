import { afterAll, beforeAll, expect, test } from 'vitest';
import { Api } from '../harness/api.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform({
    control: false,
    environment: {
      MILLWRIGHT_RATE_LIMIT_TOKEN: '20',
      MILLWRIGHT_RATE_LIMIT_ADDRESS: '10',
      MILLWRIGHT_TRUSTED_PROXIES: '127.0.0.1, ::1, 10.0.0.0/8',
    },
  });
});
afterAll(() => platform.stop());

const ask = (token: string, headers: Record<string, string> = {}) =>
  new Api(platform.api.url, token).request('GET', '/api/common/v1/whoami', undefined, headers);

test('a token that asks too often is told when to ask again, and no other suffers', async () => {
  const second = (await platform.api.tenant('POST', '/tokens', { name: 'second' })).body.token;
  const answers = await Promise.all(Array.from({ length: 30 }, () => ask(platform.api.token)));
  const refused = answers.filter(({ status }) => status === 429);
  expect(refused).toHaveLength(11);
  expect(refused[0]).toMatchObject({ body: { code: 'rate_limited', status: 429 } });
  expect(refused[0]?.headers.get('content-type')).toContain('application/problem+json');
  expect(Number(refused[0]?.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(refused[0]?.headers.get('ratelimit-policy')).toBe('"token";q=20;w=60');
  expect(refused[0]?.headers.get('ratelimit')).toMatch(/^"token";r=0;t=\d+$/);
  const other = await ask(second);
  expect([other.status, other.headers.get('ratelimit')]).toEqual([200, expect.stringMatching(/^"token";r=19;t=\d+$/)]);
});

test('an address that guesses tokens is refused, and a valid token from it is not', async () => {
  const from = { 'x-forwarded-for': '192.0.2.7' };
  const valid = (
    await platform.sql`
    INSERT INTO api_tokens (hash, name, role, organization_id, project_id)
    SELECT encode(sha256('rate-valid'), 'hex'), 'rate-valid', 'viewer', organization_id, project_id FROM api_tokens WHERE name = 'operator' RETURNING name`
  )[0]?.name;
  const guesses = [];
  for (let guess = 0; guess < 15; guess += 1) guesses.push((await ask(`mw_guess${guess}`, from)).status);
  expect(guesses).toEqual([...Array(10).fill(401), ...Array(5).fill(429)]);
  expect((await ask(valid, from)).status).toBe(200);
  expect((await ask('mw_guess', { 'x-forwarded-for': '192.0.2.8' })).status).toBe(401);
});

test('what a client writes before its proxy’s word is not believed', async () => {
  for (let guess = 0; guess < 10; guess += 1)
    await ask('mw_guess', { 'x-forwarded-for': `198.51.100.${guess}, 203.0.113.9, 10.1.2.3` });
  expect((await ask('mw_guess', { 'x-forwarded-for': '198.51.100.99, 203.0.113.9' })).status).toBe(429);
});

test('all addresses of one IPv6 network count as one', async () => {
  for (let guess = 0; guess < 10; guess += 1) await ask('mw_guess', { 'x-forwarded-for': `2001:db8:1:2::${guess}` });
  expect((await ask('mw_guess', { 'x-forwarded-for': '2001:db8:1:2:ffff::1' })).status).toBe(429);
  expect((await ask('mw_guess', { 'x-forwarded-for': '2001:db8:1:3::1' })).status).toBe(401);
});

import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { Issuer } from '../harness/issuer.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { emptyHome, millwright } from './millwright.ts';

const issuer = new Issuer();
const { logins } = issuer;
const usual = { ...logins.settings };
let platform: TestPlatform;
let said = '';
let config: string;
beforeAll(async () => {
  await issuer.start();
  platform = await startTestPlatform({
    environment: {
      MILLWRIGHT_OIDC_ISSUER: issuer.url,
      MILLWRIGHT_OIDC_AUDIENCE: issuer.audience,
      MILLWRIGHT_OIDC_CLIENT_ID: logins.clientId,
    },
  });
  const body = { role: 'member', user: 'ada@example.com' };
  expect((await platform.api.tenant('POST', '/role-bindings?project=default', body)).status).toBe(201);
});
afterAll(async () => {
  await platform.stop();
  await issuer.stop();
});
beforeEach(() => {
  said = '';
  config = emptyHome();
});
/** Whatever a test did: what it was shown has no token in it. */
afterEach(() => {
  for (const token of logins.given) expect(said).not.toContain(token);
  Object.assign(logins.settings, usual);
  issuer.without.clear();
});

async function run(words: string, env: Record<string, string> = {}, more: object = {}) {
  const result = await millwright(words.split(' '), {
    env: { MILLWRIGHT_URL: platform.api.url, XDG_CONFIG_HOME: config, MILLWRIGHT_LOG_LEVEL: 'debug', ...env },
    ...more,
  });
  said += result.out + result.err;
  return result;
}

/** Runs `login`, and does at the browser what is wanted as soon as there is a code. */
function login(decision: 'confirmed' | 'denied' | 'expired', env: Record<string, string> = {}) {
  let decided = false;
  const onTalk = (err: string): void => {
    const [, code] = /the code (\w+)/.exec(err) ?? [];
    if (code === undefined || decided) return;
    decided = true;
    logins.decide(code, decision);
  };
  return run('login', env, { onTalk });
}
const folder = () => join(config, 'millwright', 'logins');
const saved = () => readdirSync(folder()).filter((name) => name.endsWith('.json'));

test('a person logs in with a browser anywhere, and is who they are until they log out', async () => {
  const { code, err } = await login('confirmed');
  expect([code, err]).toEqual([0, expect.stringContaining(`Open ${issuer.url}/activate?user_code=`)]);
  expect(err).toMatch(/Logged in to .* as user ada@example.com until \S+, and renewed by itself/);
  const shown = (await run('whoami')).out;
  expect(shown).toContain('user ada@example.com');
  expect(shown).toContain(`login at ${issuer.url}, renewed by itself`);
  expect(shown).toMatch(/Expires +\S+/);
  expect((await run('volume list')).code).toBe(0);

  expect(await run('logout')).toMatchObject({ code: 0, err: expect.stringContaining('Logged out') });
  expect(logins.revoked).toEqual(logins.given.slice(-2).toReversed());
  expect(saved()).toEqual([]);
  expect(await run('whoami')).toMatchObject({ code: 1, err: expect.stringContaining('millwright login') });
  expect(await run('logout')).toMatchObject({ code: 0, err: expect.stringContaining('Not logged in') });
});

test('the login is a file that nobody else can read, however open the folder was made', async () => {
  await login('confirmed');
  expect(saved()).toHaveLength(1);
  expect(statSync(folder()).mode & 0o777).toBe(0o700);
  const file = join(folder(), saved()[0] ?? '');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  chmodSync(file, 0o644);
  logins.settings.tokenSeconds = 1;
  await login('confirmed');
  await run('whoami');
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('a token that has ended is renewed, once for all the commands that need it at that moment', async () => {
  logins.settings.tokenSeconds = 1;
  await login('confirmed');
  logins.settings.tokenSeconds = 300;
  const before = logins.refreshes;
  const results = await Promise.all(Array.from({ length: 5 }, () => run('whoami')));
  expect(results.map(({ code, err }) => [code, err])).toEqual(results.map(() => [0, '']));
  expect(logins.refreshes - before).toBe(1);
});

test('a long watch goes on over the end of its token', { timeout: 60_000 }, async () => {
  // The API gives 30 s of leeway, so that this one is worth something for 4 s; its holder believes in five minutes.
  Object.assign(logins.settings, { tokenSeconds: -26, boastSeconds: 326 });
  await login('confirmed');
  logins.settings.tokenSeconds = 300;
  await platform.simulator.settings({ latencyMs: { 'volume.create': 9000 } });
  const before = logins.refreshes;
  const watched = await run('volume create slow --region tpe-1 --size-gib 1 --watch');
  await platform.simulator.settings({ latencyMs: { 'volume.create': 0 } });
  expect([watched.code, watched.err]).toEqual([0, expect.stringContaining('slow')]);
  expect(logins.refreshes - before).toBe(1);
});

test('MILLWRIGHT_TOKEN goes before the login, and the login before the operator’s token of a home', async () => {
  await login('confirmed');
  expect((await run('whoami', { MILLWRIGHT_TOKEN: platform.api.token })).out).toContain('MILLWRIGHT_TOKEN');
  const home = { MILLWRIGHT_HOME: platform.config.home, MILLWRIGHT_URL: '' };
  writeFileSync(
    join(platform.config.home, 'endpoints.json'),
    JSON.stringify({ api: platform.api.url, temporal: '', temporalUi: null, postgres: '', simulator: '' }),
  );
  expect((await run('whoami', home)).out).toContain('login at');
  await run('logout');
  expect((await run('whoami', home)).out).toContain('operator.token');
});

test('an issuer that asks for patience gets it', { timeout: 30_000 }, async () => {
  logins.settings.slowDowns = 1;
  expect(await login('confirmed')).toMatchObject({ code: 0 });
});

test.each([
  ['denied', 'It was refused there'],
  ['expired', 'Nobody confirmed the code in time'],
] as const)('a login that is %s says so and keeps nothing', async (decision, why) => {
  expect(await login(decision)).toMatchObject({ code: 1, err: expect.stringContaining(why) });
  expect((await run('whoami')).code).toBe(1);
});

test('a code that nobody confirms ends by itself, whatever the issuer says', async () => {
  logins.settings.codeSeconds = 1;
  expect(await run('login')).toMatchObject({ code: 1, err: expect.stringContaining('Nobody confirmed') });
});

test('Ctrl-C ends the waiting', async () => {
  const interrupt = new AbortController();
  const onTalk = (): void => interrupt.abort('SIGINT');
  expect(await run('login', {}, { interrupt: interrupt.signal, onTalk })).toMatchObject({ code: 130 });
});

test('a login that the issuer has ended says what to do', async () => {
  logins.settings.tokenSeconds = 1;
  await login('confirmed');
  logins.endAll();
  expect(await run('volume list')).toMatchObject({
    code: 1,
    err: expect.stringMatching(/It has ended there. Run "millwright login"/),
  });
});

test('an issuer without the endpoints is told apart from one that refuses', async () => {
  issuer.without.add('device_authorization_endpoint');
  expect(await run('login')).toMatchObject({ code: 1, err: expect.stringContaining('RFC 8628') });
  issuer.without.clear();
  await login('confirmed');
  issuer.without.add('revocation_endpoint');
  expect(await run('logout')).toMatchObject({ code: 0, err: expect.stringContaining('cannot end tokens') });
});

test('an issuer that is away cannot keep a login from being forgotten here', async () => {
  await login('confirmed');
  await issuer.stop();
  try {
    expect(await run('logout')).toMatchObject({ code: 1, err: expect.stringContaining('Forgot the login') });
    expect(saved()).toEqual([]);
    expect(await run('login')).toMatchObject({ code: 1, err: expect.stringContaining('Try again soon') });
  } finally {
    await issuer.start();
  }
});

test('a file that is not a login is named, without what is in it, and a new login replaces it', async () => {
  await login('confirmed');
  const file = join(folder(), saved()[0] ?? '');
  writeFileSync(file, readFileSync(file, 'utf8').replace('"url"', 'broken'));
  expect(await run('whoami')).toMatchObject({ code: 1, err: expect.stringContaining(file) });
  expect((await login('confirmed')).code).toBe(0);
});

test('a platform without an issuer says that nobody logs in to it', async () => {
  const plain = await startTestPlatform({ control: false });
  try {
    expect(await run('login', { MILLWRIGHT_URL: plain.api.url })).toMatchObject({
      code: 1,
      err: expect.stringContaining('MILLWRIGHT_OIDC_CLIENT_ID'),
    });
  } finally {
    await plain.stop();
  }
});

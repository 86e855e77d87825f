import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Api } from '../harness/api.ts';
import { Issuer } from '../harness/issuer.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { until } from '../harness/until.ts';

const issuer = new Issuer();
let platform: TestPlatform;
beforeAll(async () => {
  await issuer.start();
  const environment = { MILLWRIGHT_OIDC_ISSUER: issuer.url, MILLWRIGHT_OIDC_AUDIENCE: issuer.audience };
  await issuer.stop();
  platform = await startTestPlatform({ control: false, environment });
});
afterAll(async () => {
  await platform.stop();
  await issuer.stop();
});

const whoami = (token: string) => new Api(platform.api.url, token).get('/api/common/v1/whoami');
const seconds = (offset: number): number => Math.floor(Date.now() / 1000) + offset;

test('while the issuer has never been reached its tokens cannot be judged: 503, not 401; ours go on', async () => {
  await issuer.start();
  const token = await issuer.sign({});
  await issuer.stop();
  expect(await whoami(token)).toMatchObject({ status: 503, body: { code: 'unavailable' } });
  expect((await whoami(platform.api.token)).status).toBe(200);
  await issuer.start();
  await until('the issuer to be asked again', async () => (await whoami(token)).status === 200);
});

test('who is seen for the first time is a user without rights, and the same one from then on', async () => {
  const claims = { sub: 'first-sight', name: 'Alice', email: 'alice@example.com', email_verified: true };
  const seen = await Promise.all(Array.from({ length: 5 }, async () => whoami(await issuer.sign(claims))));
  expect(new Set(seen.map(({ body }) => body.principal.id)).size).toBe(1);
  expect(seen[0]).toMatchObject({
    status: 200,
    body: { principal: { kind: 'user', name: 'alice@example.com' }, roles: [] },
  });
  expect((await new Api(platform.api.url, await issuer.sign(claims)).tenant('GET', '/vms')).status).toBe(403);
});

test('who was invited by e-mail has the roles that wait, if the issuer has verified the address', async () => {
  const give = await platform.api.tenant('POST', '/role-bindings?project=default', {
    role: 'member',
    user: 'Bob@Example.com',
  });
  expect(give.status).toBe(201);
  const impostor = await issuer.sign({ sub: 'impostor', email: 'bob@example.com', email_verified: false });
  expect((await new Api(platform.api.url, impostor).tenant('GET', '/vms')).status).toBe(403);
  const bob = new Api(
    platform.api.url,
    await issuer.sign({ sub: 'bob', email: 'bob@example.com', email_verified: true }),
  );
  expect((await bob.tenant('GET', '/vms')).status).toBe(200);
  expect((await whoami(bob.token)).body.roles).toMatchObject([{ role: 'member' }]);
  const other = await issuer.sign({ sub: 'other-bob', email: 'bob@example.com', email_verified: true });
  expect((await new Api(platform.api.url, other).tenant('GET', '/vms')).status).toBe(403);
  expect(
    (await platform.api.request('DELETE', `/api/tenant/v1/role-bindings/${give.body.id}?project=default`)).status,
  ).toBe(204);
  expect((await bob.tenant('GET', '/vms')).status).toBe(403);
});

test('a user makes tokens that outlive the issuer’s, and they end with the user', async () => {
  const carol = new Api(
    platform.api.url,
    await issuer.sign({ sub: 'carol', email: 'carol@example.com', email_verified: true }),
  );
  const made = await carol.tenant('POST', '/tokens', { name: 'laptop' });
  expect(made.status).toBe(201);
  expect(Date.parse(made.body.expiresAt)).toBeGreaterThan(Date.now() + 86_400_000);
  expect((await whoami(made.body.token)).body.principal).toMatchObject({ kind: 'user', name: 'carol@example.com' });
  expect((await platform.api.request('DELETE', '/api/ops/v1/users/carol@example.com')).status).toBe(204);
  expect((await whoami(made.body.token)).status).toBe(401);
});

test.each([
  ['of another issuer', () => issuer.sign({ iss: 'https://elsewhere.example.com' })],
  ['for another audience', () => issuer.sign({ aud: 'another' })],
  ['that is expired', () => issuer.sign({ exp: seconds(-60) })],
  ['that is not valid yet', () => issuer.sign({ nbf: seconds(120) })],
  ['without an end', () => issuer.sign({ exp: undefined })],
  ['without a subject', () => issuer.sign({ sub: undefined })],
  [
    'that is not signed',
    async () => `${btoa('{"alg":"none"}').replace(/=/g, '')}.${(await issuer.sign({})).split('.')[1]}.`,
  ],
  ['signed with a public key as a shared secret', forgedWithSharedSecret],
  ['signed by a key of somebody else', forgedWithOwnKey],
  [
    'changed after it was signed',
    async () => (await issuer.sign({})).replace(/\.[^.]+\./, `.${btoa('{"sub":"root"}').replace(/=/g, '')}.`),
  ],
])('a token %s is refused', async (_which, token) => {
  expect(await whoami(await token())).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
});

test('a clock that is a little off does no harm', async () => {
  expect((await whoami(await issuer.sign({ exp: seconds(-5) }))).status).toBe(200);
  expect((await whoami(await issuer.sign({ nbf: seconds(5) }))).status).toBe(200);
});

test('a new key is found, the old one is refused, and unknown keys do not make us ask without end', async () => {
  const old = await issuer.sign({});
  await issuer.rotate('second');
  const renewed = await issuer.sign({});
  await until('the new key to be found', async () => (await whoami(renewed)).status === 200, 20_000);
  expect((await whoami(old)).status).toBe(401);
  const before = issuer.asked;
  for (let guess = 0; guess < 20; guess += 1) await whoami(await issuer.sign({}, { kid: `unknown-${guess}` }));
  expect(issuer.asked - before).toBeLessThanOrEqual(2);
});

test('while the issuer is away the keys that it gave still tell', async () => {
  const token = await issuer.sign({});
  expect((await whoami(token)).status).toBe(200);
  await issuer.stop();
  expect((await whoami(token)).status).toBe(200);
  await issuer.start();
});

async function forgedWithSharedSecret(): Promise<string> {
  const { keys } = (await (await fetch(`${issuer.url}/keys`)).json()) as { keys: { kid: string }[] };
  const secret = new TextEncoder().encode(JSON.stringify(keys[0]).padEnd(64));
  return await new SignJWT({ iss: issuer.url, aud: issuer.audience, sub: 'alice', exp: seconds(60) })
    .setProtectedHeader({ alg: 'HS256', kid: keys[0]?.kid ?? '' })
    .sign(secret);
}

async function forgedWithOwnKey(): Promise<string> {
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  const jwk = await exportJWK(publicKey);
  return await new SignJWT({ iss: issuer.url, aud: issuer.audience, sub: 'alice', exp: seconds(60) })
    .setProtectedHeader({ alg: 'ES256', kid: 'first', jwk })
    .sign(privateKey);
}

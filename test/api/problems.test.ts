import { afterAll, beforeAll, expect, test } from 'vitest';
import { openKeyRing } from '../../src/secrets/key-ring.ts';
import { codecSecret } from '../../temporal/payload-keys.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform({ control: false });
});
afterAll(() => platform.stop());

const vm = { name: 'web-1', region: 'tpe-1', flavor: 'small', image: 'debian-13' };
const unknownId = '01a2076d-e0f6-7b7c-8000-000000000000';

test('every route but those of the docs, of readiness and of how to log in wants a token', async () => {
  const { api } = platform;
  const document = (await (await fetch(`${api.url}/api/openapi.json`)).json()) as {
    paths: Record<string, Record<string, object>>;
  };
  // Nobody can log in here: this platform has no issuer.
  const open = new Map([
    ['/api/common/v1/health', 200],
    ['/api/common/v1/ready', 200],
    ['/api/common/v1/batch-schema', 200],
    ['/api/common/v1/login', 404],
  ]);
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => ({ path, method })),
  );
  expect(operations.length).toBeGreaterThan(20);
  for (const { path, method } of operations) {
    const url = api.url + path.replace('{id}', unknownId);
    const without = await fetch(url, { method: method.toUpperCase() });
    expect([path, method, without.status]).toEqual([path, method, open.get(path) ?? 401]);
    if (open.has(path)) continue;
    const wrong = await fetch(url, { method: method.toUpperCase(), headers: { authorization: 'Bearer wrong' } });
    expect([path, wrong.status, wrong.headers.get('www-authenticate')]).toEqual([path, 401, 'Bearer']);
    expect(await wrong.json()).toMatchObject({ code: 'unauthenticated', status: 401, requestId: expect.any(String) });
  }
});

test('a token that is expired or revoked is refused', async () => {
  const { sql, api } = platform;
  await sql`INSERT INTO api_tokens (hash, name, role, organization_id, project_id, expires_at, revoked_at)
    SELECT encode(sha256(t.token::bytea), 'hex'), t.token, 'operator', organization_id, project_id, t.expires_at, t.revoked_at
    FROM api_tokens, (VALUES ('expired', now() - interval '1 second', NULL), ('revoked', NULL, now()), ('valid', now() + interval '1 hour', NULL))
      AS t(token, expires_at, revoked_at) WHERE name = 'operator'`;
  const statuses = await Promise.all(
    ['expired', 'revoked', 'valid'].map(
      async (token) =>
        (await fetch(`${api.url}/api/tenant/v1/vms`, { headers: { authorization: `Bearer ${token}` } })).status,
    ),
  );
  expect(statuses).toEqual([401, 401, 200]);
});

test.each([
  ['malformed JSON', '{"name": ', 'application/json'],
  ['no JSON object', '[]', 'application/json'],
  ['an empty body', '', 'application/json'],
  ['another content type', 'name: web-1', 'text/plain'],
])('%s is a clear 400 and leaves nothing', async (_what, body, type) => {
  const { api } = platform;
  const answer = await fetch(`${api.url}/api/tenant/v1/vms`, {
    method: 'POST',
    headers: { authorization: `Bearer ${api.token}`, 'content-type': type },
    body,
  });
  expect(answer.status).toBe(400);
  expect(answer.headers.get('content-type')).toContain('application/problem+json');
  expect(await platform.sql`SELECT 1 FROM resources`).toEqual([]);
});

test('a body that is too large is refused', async () => {
  expect(await platform.api.tenant('POST', '/vms', { ...vm, userData: 'x'.repeat(17 * 1024 * 1024) })).toMatchObject({
    status: 400,
    body: { code: 'invalid' },
  });
});

test('what is not there is a 404 that says so', async () => {
  const { api } = platform;
  expect(await api.tenant('GET', '/vms/nothing')).toMatchObject({
    status: 404,
    body: { detail: 'There is no vm "nothing" in this project.' },
  });
  expect(await api.tenant('DELETE', '/networks/nothing')).toMatchObject({ status: 404 });
  expect(await api.tenant('GET', `/jobs/${unknownId}`)).toMatchObject({ status: 404 });
  expect(await api.tenant('GET', '/batches/nothing')).toMatchObject({ status: 404 });
  expect(await api.tenant('GET', '/nowhere')).toMatchObject({ status: 404 });
  expect(await api.tenant('GET', '/vms?project=elsewhere')).toMatchObject({
    status: 404,
    body: { detail: 'There is no project "elsewhere".' },
  });
});

test.each([
  ['a NUL in a label', 'POST', '/volumes', { name: 'nul', region: 'tpe-1', sizeGib: 1, labels: { a: 'x\u0000y' } }],
  ['a NUL in a reference', 'POST', '/vms', { ...vm, networks: ['a\u0000'] }],
  ['a NUL in user data', 'POST', '/vms', { ...vm, userData: '\u0000' }],
  [
    'half of a surrogate pair',
    'POST',
    '/volumes',
    { name: 'half', region: 'tpe-1', sizeGib: 1, labels: { a: '\ud800' } },
  ],
  ['a NUL in a path', 'GET', '/vms/a%00b', undefined],
  ['a NUL in a project', 'GET', '/vms?project=%00', undefined],
  [
    'a NUL in a batch file',
    'POST',
    '/batches',
    'name: nul\noperations:\n  - { id: a, type: volume.create, region: tpe-1, with: { name: a, sizeGib: 1, labels: { a: "\\0" } } }\n',
  ],
])('%s is a 400 and leaves nothing', async (_what, method, path, body) => {
  const answer = await platform.api.tenant(method, path, body);
  expect([answer.status, answer.body.code]).toEqual([400, 'invalid']);
  expect(await platform.sql`SELECT 1 FROM resources`).toEqual([]);
});

test('bad parameters are named', async () => {
  expect(await platform.api.tenant('GET', '/vms?limit=0')).toMatchObject({
    status: 400,
    body: { errors: [{ pointer: '/limit' }] },
  });
  expect(await platform.api.tenant('GET', '/jobs/not-an-id')).toMatchObject({
    status: 400,
    body: { errors: [{ pointer: '/id' }] },
  });
});

test('a batch file with faults lists each with line and column, and leaves nothing', async () => {
  const file =
    'name: broken\noperations:\n  - id: a\n    type: vm.creat\n  - id: b\n    type: volume.create\n    region: tpe-9\n    dependsOn: [c]\n    with: { name: v, sizeGib: many }\n';
  const answer = await platform.api.tenant('POST', '/batches', file);
  expect(answer).toMatchObject({ status: 400, body: { code: 'invalid' } });
  expect(answer.body.errors.map(({ line }: { line: number }) => line)).toEqual([3, 4, 7, 8, 9]);
  expect(await platform.sql`SELECT 1 FROM batches`).toEqual([]);
});

test('a member may not look at operations', async () => {
  const { sql, api } = platform;
  await sql`INSERT INTO api_tokens (hash, name, role, organization_id, project_id)
    SELECT encode(sha256('member-token'), 'hex'), 'a member', 'member', organization_id, project_id FROM api_tokens WHERE name = 'operator'`;
  const answer = await fetch(`${api.url}/api/ops/v1/regions`, { headers: { authorization: 'Bearer member-token' } });
  expect(answer.status).toBe(403);
});

test('the codec answers whoever has its address, and nobody else', async () => {
  const { api, config } = platform;
  const secret = codecSecret(openKeyRing(config.payloadKeyFile));
  const post = (way: string, address: string, body: object) =>
    fetch(`${api.url}/api/ops/v1/codec/${address}/${way}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const plain = { payloads: [{ metadata: { encoding: btoa('json/plain') }, data: btoa('"secret"') }] };
  const encoded = (await (await post('encode', secret, plain)).json()) as object;
  expect(JSON.stringify(encoded)).not.toContain(btoa('"secret"'));
  expect(await (await post('decode', secret, encoded)).json()).toEqual(plain);
  expect((await post('decode', 'guessed', encoded)).status).toBe(404);
});

test('the reference is rendered from what is served here', async () => {
  const { api } = platform;
  const page = await (await fetch(`${api.url}/docs`)).text();
  for (const [, asset = ''] of page.matchAll(/(?:src|href)="([^"]+)"/g)) {
    expect(asset).toMatch(/^\/docs\//);
    expect((await fetch(api.url + asset)).status).toBe(200);
  }
});

import { afterAll, beforeAll, expect, test } from 'vitest';
import { createLogger } from '../../src/log.ts';
import { openKeyRing } from '../../src/secrets/key-ring.ts';
import { codecSecret } from '../../temporal/payload-keys.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

/** What the API logs. */
const lines: string[] = [];
let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform({
    control: false,
    log: createLogger('test', 'info', { write: (line) => void lines.push(line) }),
  });
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

/** Sends a body as it is. */
async function send(path: string, body: string, headers: Record<string, string>) {
  const { api } = platform;
  const answer = await fetch(`${api.url}/api/tenant/v1${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${api.token}`, ...headers },
    body: new TextEncoder().encode(body),
  });
  expect(answer.headers.get('content-type')).toContain('application/problem+json');
  expect(await platform.sql`SELECT 1 FROM resources`).toEqual([]);
  return { status: answer.status, body: (await answer.json()) as { code: string; detail: string; errors: object[] } };
}

test.each([
  ['malformed JSON', '{"name": "web-1",\n "userData": "hunter2" "flavor"', 2, 24],
  ['half a body', '{"name": "hunter2', 1, 18],
  ['an empty body', '', 1, 1],
])('%s is a 400 that says where and what is expected, and quotes nothing', async (_what, body, line, column) => {
  const answer = await send('/vms', body, { 'content-type': 'application/json' });
  expect(answer).toMatchObject({ status: 400, body: { code: 'invalid', errors: [{ pointer: '', line, column }] } });
  expect(answer.body.detail).toContain(`line ${line}, column ${column}, expected `);
  expect(JSON.stringify(answer.body)).not.toContain('hunter2');
});

test('JSON that is no object is a 400', async () => {
  expect(await send('/vms', '[]', { 'content-type': 'application/json' })).toMatchObject({ status: 400 });
});

test.each([
  ['another than a route takes', '/vms', { 'content-type': 'text/plain' }, 'application/json'],
  ['none', '/vms', {}, 'application/json'],
  ['a form’s', '/vms', { 'content-type': 'application/x-www-form-urlencoded' }, 'application/json'],
  ['another than a batch file may have', '/batches', { 'content-type': 'text/plain' }, 'application/yaml'],
  ['none, of a batch file', '/batches', {}, 'application/yaml'],
  ['none, of a batch file to be checked', '/batches/validate', {}, 'application/toml'],
])('a media type that is %s is a 415 that says which are taken', async (_which, path, headers, taken) => {
  const answer = await send(path, 'name: web-1', headers);
  expect(answer).toMatchObject({ status: 415, body: { code: 'unsupported_media_type' } });
  expect(answer.body.detail).toContain(taken);
});

test.each([
  ['application/yaml; charset=utf-8', 'name: web'],
  ['text/yaml', 'name: web'],
  ['application/vnd.of-somebody+json', '{"name": "web"}'],
])('a batch file may come as %s', async (type, body) => {
  // Its faults are those of the file: it was read.
  const answer = await send('/batches/validate', body, { 'content-type': type });
  expect(answer).toMatchObject({ status: 400, body: { errors: [{ pointer: '/operations' }] } });
});

test('a body that is too large is a 413', async () => {
  expect(await platform.api.tenant('POST', '/vms', { ...vm, userData: 'x'.repeat(17 * 1024 * 1024) })).toMatchObject({
    status: 413,
    body: { code: 'too_large', detail: expect.stringContaining('16 MiB') },
  });
});

test('whatever reads a body says in its contract that it may be too large, or of another media type', async () => {
  const { paths } = (await (await fetch(`${platform.api.url}/api/openapi.json`)).json()) as {
    paths: Record<string, Record<string, { requestBody?: object; responses: object }>>;
  };
  for (const { requestBody, responses } of Object.values(paths).flatMap((methods) => Object.values(methods)))
    expect(['413', '415'].map((status) => status in responses)).toEqual([Boolean(requestBody), Boolean(requestBody)]);
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

test('a parameter that is misspelt is a 400 with what was probably meant, and what there is', async () => {
  const { status, body } = await platform.api.tenant('GET', '/vms?lable=env=prod&limit=10&zebra=1');
  expect(status).toBe(400);
  expect(body).toMatchObject({
    code: 'invalid',
    errors: [
      { pointer: '/lable', detail: expect.stringContaining('There is no parameter "lable"; did you mean "label"?') },
      { pointer: '/zebra', detail: expect.stringContaining('There is no parameter "zebra". ') },
    ],
  });
  for (const name of ['organization', 'project', 'limit', 'cursor', 'status', 'region', 'label'])
    expect(body.errors[1].detail.split('There are: ')[1]).toContain(name);
});

test('all that is wrong with a request is told at once: parameters, path, headers and body', async () => {
  const pointers = async (method: string, path: string, body?: object, headers?: Record<string, string>) =>
    (await platform.api.tenant(method, path, body, headers)).body.errors.map(
      (fault: { pointer: string }) => fault.pointer,
    );
  expect(await pointers('GET', '/vms?limit=0&lable=a')).toEqual(['/lable', '/limit']);
  expect(await pointers('GET', '/jobs/not-an-id?projekt=default')).toEqual(['/projekt', '/id']);
  expect(
    await pointers(
      'POST',
      '/volumes?dryRun=true',
      { name: 'V', region: 'tpe-1', sizeGib: 0 },
      { 'idempotency-key': 'k'.repeat(256) },
    ),
  ).toEqual(['/dryRun', '/idempotency-key', '/name', '/sizeGib']);
  // And without a parameter that is unknown, the same.
  expect(
    await pointers(
      'POST',
      '/volumes',
      { name: 'V', region: 'tpe-1', sizeGib: 0 },
      { 'idempotency-key': 'k'.repeat(256) },
    ),
  ).toEqual(['/idempotency-key', '/name', '/sizeGib']);
  expect(await platform.sql`SELECT 1 FROM resources`).toEqual([]);
});

test('a parameter is given once, unless it may be given again', async () => {
  const twice = await platform.api.tenant('GET', '/vms?limit=1&limit=2&project=default&project=default');
  expect(twice).toMatchObject({
    status: 400,
    body: {
      errors: [
        { pointer: '/limit', detail: '"limit" is given 2 times; it may be given once.' },
        { pointer: '/project', detail: '"project" is given 2 times; it may be given once.' },
      ],
    },
  });
  const unknown = await platform.api.tenant('GET', '/vms?constructor=1&constructor=2');
  expect(unknown.body.errors).toMatchObject([{ detail: expect.stringContaining('There is no parameter') }]);
  expect((await platform.api.tenant('GET', '/vms?label=a=1&label=b=2')).status).toBe(200);
  expect((await platform.api.tenant('GET', '/batches/none/operations?state=PENDING&state=RUNNING')).status).toBe(404);
});

test('a client’s project may go with whatever it asks, also where a route looks at none', async () => {
  expect((await platform.api.get('/api/common/v1/whoami?project=default&organization=default')).status).toBe(200);
  expect((await platform.api.get('/api/ops/v1/users?project=default')).status).toBe(200);
});

test('what a route takes is told to nobody who may not see it', async () => {
  const url = `${platform.api.url}/api/tenant/v1/vms?lable=a`;
  expect((await fetch(url)).status).toBe(401);
  expect((await platform.api.tenant('GET', '/vms?lable=a&project=elsewhere')).status).toBe(404);
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

test('the codec refuses what is no message, and quotes nothing of it, in its log neither', async () => {
  const { api, config } = platform;
  const keys = openKeyRing(config.payloadKeyFile);
  const encoding = { encoding: btoa('binary/encrypted'), 'encryption-key-id': btoa(keys.active().id) };
  const changed = JSON.stringify({ payloads: [{ metadata: encoding, data: btoa('hunter2') }] });
  for (const body of ['{"payloads": hunter2', '', '7', '{"payloads": "hunter2"}', changed]) {
    const answer = await fetch(`${api.url}/api/ops/v1/codec/${codecSecret(keys)}/decode`, { method: 'POST', body });
    const text = await answer.text();
    expect([body, answer.status]).toEqual([body, 400]);
    expect(text).not.toContain('hunter2');
  }
  expect(lines.some((line) => line.includes('The body is not JSON'))).toBe(true);
  expect(lines.join('')).not.toContain('hunter2');
});

test('the reference is rendered from what is served here', async () => {
  const { api } = platform;
  const page = await (await fetch(`${api.url}/docs`)).text();
  for (const [, asset = ''] of page.matchAll(/(?:src|href)="([^"]+)"/g)) {
    expect(asset).toMatch(/^\/docs\//);
    expect((await fetch(api.url + asset)).status).toBe(200);
  }
});

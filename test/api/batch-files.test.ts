import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform({ control: false });
});
afterAll(() => platform.stop());

const toml = `name = "shop"
[[operations]]
id = "a"
type = "volume.create"
region = "tpe-1"
with = { name = "a", sizeGib = 1 }
`;
const yaml = `name: shop
variables: { region: {}, size: { type: integer } }
operations:
  - id: site
    type: batch.apply
    forEach: [one, two]
    with: { file: sites/site.yaml, variables: { region: "\${variables.region}", name: "\${each.key}" } }
  - { id: own, type: volume.create, region: tpe-1, with: { name: own, sizeGib: "\${variables.size}" } }
`;
const site = `variables: { region: {}, name: {} }
operations:
  - { id: data, type: volume.create, region: "\${variables.region}", with: { name: "data-\${variables.name}", sizeGib: 1 } }
`;

interface Form {
  readonly variables?: string;
  readonly include?: Readonly<Record<string, string>>;
}

/** Sends a batch file as a form. */
async function send(path: string, file: string, { variables, include = {} }: Form = {}) {
  const form = new FormData();
  form.append('file', new Blob([file]), 'shop.yaml');
  if (variables !== undefined) form.append('variables', variables);
  for (const [name, text] of Object.entries(include)) form.append('include', new Blob([text]), name);
  return await platform.api.tenant('POST', path, form);
}

test('a file is read as its media type says, and checked without being applied', async () => {
  const { api } = platform;
  const answer = await api.tenant('POST', '/batches/validate', toml, {
    'content-type': 'application/toml; charset=utf-8',
  });
  expect(answer).toMatchObject({
    status: 200,
    body: { name: 'shop', version: 1, operations: 1, types: { 'volume.create': 1 }, groups: 0 },
  });
  const json = { name: 'shop', operations: [{ id: 'a', type: 'vm.delete', with: { name: 'a' } }] };
  expect((await api.tenant('POST', '/batches/validate', json)).status).toBe(200);
  expect((await api.tenant('GET', '/batches')).body.items).toEqual([]);
});

test('variables and other files come in a form', async () => {
  const given = { variables: '{"region":"tpe-1","size":"5"}', include: { 'sites/site.yaml': site } };
  expect(await send('/batches/validate', yaml, given)).toMatchObject({
    status: 200,
    body: { operations: 3, groups: 3, types: { 'volume.create': 3 } },
  });
  const { status, body } = await send('/batches', yaml, given);
  expect(status).toBe(202);
  expect(body.resource.operations.map(({ id }: { id: string }) => id)).toEqual([
    'site/one/data',
    'site/one',
    'site/two/data',
    'site/two',
    'site',
    'own',
  ]);
});

test('faults say which file they are in', async () => {
  const given = { variables: '{"region":"tpe-9","size":"5"}', include: { 'sites/site.yaml': site } };
  const { status, body } = await send('/batches/validate', yaml, given);
  expect(status).toBe(400);
  expect(body.errors).toMatchObject([{ file: 'sites/site.yaml', line: 3, pointer: '/operations/0/region' }]);
});

test.each([
  ['variables that are no JSON', { variables: 'region: tpe-1' }, '/variables'],
  ['variables that are no object', { variables: '[1]' }, '/variables'],
])('%s are refused', async (_, given, pointer) => {
  const { status, body } = await send('/batches/validate', toml, given);
  expect({ status, pointers: body.errors.map((fault: { pointer: string }) => fault.pointer) }).toEqual({
    status: 400,
    pointers: [pointer],
  });
});

test('a form that is none, and parts that are not known, are refused', async () => {
  const { api } = platform;
  const type = { 'content-type': 'multipart/form-data; boundary=x' };
  expect(await api.tenant('POST', '/batches/validate', 'nothing', type)).toMatchObject({
    status: 400,
    body: { code: 'invalid' },
  });
  const strange = new FormData();
  strange.append('fiel', 'name: x');
  expect((await platform.api.tenant('POST', '/batches/validate', strange)).body.errors).toMatchObject([
    { pointer: '/fiel' },
    { pointer: '/file' },
  ]);
});

test('editors get the schema without a token', async () => {
  const answer = await fetch(`${platform.api.url}/api/common/v1/batch-schema`);
  expect(answer.status).toBe(200);
  expect(await answer.json()).toMatchObject({ title: 'A Millwright batch file', required: ['name', 'operations'] });
});

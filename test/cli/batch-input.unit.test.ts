import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { type FakeApi, json, problem, startApi } from './api.ts';
import { at, emptyHome, millwright } from './millwright.ts';

let api: FakeApi | undefined;
afterEach(async () => {
  await api?.stop();
  api = undefined;
});

const summary = { name: 'shop', version: 1, operations: 3, types: { 'vm.create': 3 }, groups: 1 };

async function startValidating(): Promise<FakeApi> {
  api = await startApi({ 'POST /batches/validate': (_, response) => json(response, summary) });
  return api;
}

/** Files of the running test's own, by name. */
function folder(files: Readonly<Record<string, string>>): string {
  const home = emptyHome();
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(home, name, '..'), { recursive: true });
    writeFileSync(join(home, name), text);
  }
  return home;
}

/** The parts of the form that the API was sent. */
async function sent({ asked }: FakeApi): Promise<{ variables: unknown; include: string[]; file: string }> {
  const [request] = asked;
  const headers = { 'content-type': request?.headers['content-type'] ?? '' };
  const form = await new Response(request?.body ?? '', { headers }).formData();
  const include = form.getAll('include').map((part) => (typeof part === 'string' ? '' : part.name));
  const file = form.get('file');
  return {
    variables: JSON.parse(String(form.get('variables'))),
    include,
    file: typeof file === 'object' && file ? file.type : '',
  };
}

test.each([
  ['shop.yaml', 'application/yaml'],
  ['shop.json', 'application/json'],
  ['shop.toml', 'application/toml'],
])('%s is sent as it is, as %s', async (name, type) => {
  const { url, asked } = await startValidating();
  const home = folder({ [name]: '' });
  const { code, out, err } = await millwright(['batch', 'validate', join(home, name)], { env: at(url) });
  expect(asked[0]?.headers['content-type']).toBe(type);
  expect(code).toBe(0);
  expect(out).toContain('Operations   3');
  expect(err).toContain('The file has no fault.');
});

test('-o json gives the summary to other programs', async () => {
  const { url } = await startValidating();
  const { out } = await millwright(['batch', 'validate', '-', '-o', 'json'], { env: at(url), input: 'name: x' });
  expect(JSON.parse(out)).toEqual(summary);
});

test('values come from the command line before those of a file, and go as a form', async () => {
  const started = await startValidating();
  const home = folder({ 'shop.toml': '', 'values.yaml': 'env: test\nsizes: [1, 2]\n' });
  const words = ['batch', 'validate', join(home, 'shop.toml'), '--var-file', join(home, 'values.yaml')];
  await millwright([...words, '--var', 'env=prod', '--var', 'note=a=b'], { env: at(started.url) });
  expect(await sent(started)).toEqual({
    variables: { env: 'prod', sizes: [1, 2], note: 'a=b' },
    include: [],
    file: 'application/toml',
  });
});

test('files that a file names go with it, from wherever each lies; of a name with variables all that it may mean', async () => {
  const started = await startValidating();
  const apply = (file: string): string => `{ id: a, type: batch.apply, with: { file: "${file}" } }`;
  const home = folder({
    'shop.yaml': `operations: [${apply('sites/tpe.yaml')}, ${apply(`regions/\${each.key}.yaml`)}, ${apply('missing.yaml')}]`,
    'sites/tpe.yaml': `operations: [{ id: a, type: batch.apply, with: { batch: { operations: [${apply('../common/net.toml')}] } } }]`,
    'common/net.toml': '',
    'regions/nrt.yaml': '',
    'regions/tpe.yaml': '',
    'regions/notes.txt': '',
  });
  await millwright(['batch', 'validate', join(home, 'shop.yaml')], { env: at(started.url) });
  expect((await sent(started)).include.toSorted()).toEqual([
    'common/net.toml',
    'regions/nrt.yaml',
    'regions/tpe.yaml',
    'sites/tpe.yaml',
  ]);
});

test('faults of other files are places in them, as editors find them', async () => {
  const errors = [
    { pointer: '/version', detail: 'Expected a number.', line: 2, column: 3, file: 'sites/tpe.yaml' },
    { pointer: '/name', detail: 'Expected text.', line: 1, column: 7 },
  ];
  api = await startApi({
    'POST /batches/validate': (_, response) =>
      problem(response, {
        status: 400,
        code: 'invalid',
        title: 'The request is not valid',
        detail: 'Expected a number.',
        errors,
      }),
  });
  const home = folder({ 'shop.yaml': '' });
  const file = join(home, 'shop.yaml');
  const { code, err } = await millwright(['batch', 'validate', file], { env: at(api.url) });
  expect(code).toBe(1);
  expect(err).toContain(`\n${join(home, 'sites/tpe.yaml')}:2:3: Expected a number.\n`);
  expect(err).toContain(`\n${file}:1:7: Expected text.\n`);
});

test('a value comes from the environment where it is asked for, before a file and after what is written out', async () => {
  const fake = await startValidating();
  const home = folder({ 'shop.yaml': 'name: shop', 'values.yaml': 'token: file\nsize: 3\nenv: file\n' });
  const env = {
    ...at(fake.url),
    ...{ MILLWRIGHT_VAR_token: 'a secret=1', MILLWRIGHT_VAR_env: 'prod', MILLWRIGHT_VAR_size: '9' },
  };
  const words = [
    '--var',
    'env=test',
    '--var-env',
    'token',
    '--var-env',
    'env',
    '--var-file',
    join(home, 'values.yaml'),
  ];
  const { code } = await millwright(['batch', 'validate', join(home, 'shop.yaml'), ...words], { env });
  expect(code).toBe(0);
  expect((await sent(fake)).variables).toEqual({ token: 'a secret=1', env: 'test', size: 3 });
});

test.each([
  [['--var', 'env'], '--var env cannot be read. It must have the form name=value.'],
  [['--var-env', 'token'], '--var-env token has no value. Set it in the environment as MILLWRIGHT_VAR_token.'],
  [['--var-file', 'nowhere.yaml'], 'The file of variables nowhere.yaml cannot be read: there is no such file.'],
])('values that cannot be read are refused: %j', async (words, message) => {
  const { url, asked } = await startValidating();
  const { code, err } = await millwright(['batch', 'validate', '-', ...words], { env: at(url) });
  expect({ code, asked: asked.length }).toEqual({ code: 1, asked: 0 });
  expect(err).toContain(message);
});

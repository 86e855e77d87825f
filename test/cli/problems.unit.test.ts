import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { drop, type FakeApi, json, problem, startApi } from './api.ts';
import { at, emptyHome, millwright } from './millwright.ts';
import { job, vm } from './things.ts';

let api: FakeApi | undefined;
afterEach(async () => {
  await api?.stop();
  api = undefined;
});

const invalid = { status: 400, code: 'invalid', title: 'The request is not valid' } as const;

test('the faults of a batch file are places in it, one a line', async () => {
  const errors = [
    {
      pointer: '/operations/0/region',
      detail: 'There is no region "tpe1"; did you mean "tpe-1"?',
      line: 3,
      column: 13,
    },
    { pointer: '/operations/4', detail: 'Missing "type": expected one of vm.create.', line: 12, column: 5 },
  ];
  const detail = `The batch file has 2 faults; the first is in line 3, column 13: ${errors[0]?.detail}`;
  api = await startApi({ 'POST /batches': (_, response) => problem(response, { ...invalid, detail, errors }) });
  const file = join(emptyHome(), 'web.yaml');
  writeFileSync(file, 'name: web');
  const { code, out, err } = await millwright(['batch', 'apply', file], { env: at(api.url) });
  expect(code).toBe(1);
  expect(out).toBe('');
  expect(err.split('\n')).toEqual([
    'millwright: error: The request is not valid:',
    `${file}:3:13: There is no region "tpe1"; did you mean "tpe-1"?`,
    `${file}:12:5: Missing "type": expected one of vm.create.`,
    'request request-1',
    '',
  ]);
});

test('the faults of a body are shown by pointer', async () => {
  const errors = [{ pointer: '/cidr', detail: 'Expected a prefix from /8 to /29; found /31.' }];
  api = await startApi({
    'POST /networks': (_, response) => problem(response, { ...invalid, detail: `/cidr: ${errors[0]?.detail}`, errors }),
  });
  const words = ['network', 'create', 'n', '--region', 'tpe-1', '--cidr', '10.0.0.0/31'];
  const { code, err } = await millwright(words, { env: at(api.url) });
  expect(code).toBe(1);
  expect(err).toContain('\n/cidr: Expected a prefix from /8 to /29; found /31.\n');
});

test('a conflict names the job in the way and what to do about it', async () => {
  const { id } = job();
  const detail = 'vm "web-1" is deleting.';
  const title = 'In conflict with the present state';
  api = await startApi({
    'DELETE /vms/web-1': (_, response) =>
      problem(response, { status: 409, code: 'conflict', title, detail, jobId: id }),
  });
  const { code, err } = await millwright(['vm', 'delete', 'web-1', '--project', 'shop'], { env: at(api.url) });
  expect(code).toBe(1);
  expect(err).toContain(`millwright: error: ${title}. ${detail}\n`);
  expect(err).toContain(`In the way: job ${id}. See "millwright job get ${id} --project shop"`);
});

test('of several deletions one that is refused does not keep the others from being asked and shown', async () => {
  const accepted = { resource: vm('b', { status: 'deleting' }), job: job({ type: 'vm.delete' }) };
  api = await startApi({ 'DELETE /vms/b': (_, response) => json(response, accepted, 202) });
  const words = ['vm', 'delete', 'a', 'b', '--idempotency-key', 'once'];
  const { code, out, err } = await millwright(words, { env: at(api.url) });
  expect(code).toBe(1);
  expect(err).toContain('millwright: error: Not found. No DELETE /api/tenant/v1/vms/a.');
  expect(out).toMatch(/^b +deleting/m);
  expect(api.asked.map(({ headers }) => headers['idempotency-key'])).toEqual(['once/a', 'once/b']);
});

test('an answer that is not of the API is said to be none', async () => {
  api = await startApi({ 'GET /vms': (_, response) => response.end('<html>') });
  const { code, err } = await millwright(['vm', 'list'], { env: at(api.url) });
  expect(code).toBe(1);
  expect(err).toBe(
    `millwright: error: What answers at ${api.url} is not Millwright's API. Check MILLWRIGHT_URL, and that it runs.\n`,
  );
});

test('an answer in another form says which field and which version', async () => {
  const strange = { ...vm('web-1'), status: 'dreaming' };
  api = await startApi({ 'GET /vms/web-1': (_, response) => json(response, strange) });
  const { code, err } = await millwright(['vm', 'get', 'web-1'], { env: at(api.url) });
  expect(code).toBe(1);
  expect(err).toMatch(/does not know \(\/status: .*\)\. Use the version that the platform runs\.\n$/);
});

test('where there is no platform one sentence says how to get one', async () => {
  const home = emptyHome();
  const { code, err } = await millwright(['vm', 'list', '--home', home]);
  expect(code).toBe(1);
  expect(err).toBe(
    `millwright: error: No platform found in ${home}. Start one with "millwright up", or set MILLWRIGHT_URL and MILLWRIGHT_TOKEN.\n`,
  );
});

test('a platform that does not run is one sentence, with how to see why', async () => {
  const gone = await startApi({});
  await gone.stop();
  const home = homeOf(gone.url);
  const { code, err } = await millwright(['vm', 'list', '--home', home], { patience: { requestMs: 0 } });
  expect(code).toBe(1);
  expect(err).toBe(
    `millwright: error: The API at ${gone.url} cannot be reached (ECONNREFUSED). Is it running? See "millwright status --home ${home}".\n`,
  );
});

test('a home named on the command line goes before the environment, and its token goes nowhere else', async () => {
  api = await startApi({ 'GET /vms': (_, response) => json(response, { items: [], nextCursor: null }) });
  const home = homeOf(api.url);
  const named = await millwright(['vm', 'list', '--home', home], { env: at('http://127.0.0.1:1') });
  const untold = await millwright(['vm', 'list'], { env: { MILLWRIGHT_HOME: home, MILLWRIGHT_URL: api.url } });
  expect(named.code).toBe(0);
  expect(api.asked.map(({ headers }) => headers.authorization)).toEqual(['Bearer of-home']);
  expect(untold.err).toContain('MILLWRIGHT_URL is set and MILLWRIGHT_TOKEN is not.');
});

test.each([
  [
    'an unknown option, with the one meant',
    ['vm', 'list', '--limt', '3'],
    /unknown option '--limt'\n\(Did you mean --limit\?\)/,
  ],
  ['an unknown command, with the one meant', ['vm', 'crate'], /unknown command 'crate'\n\(Did you mean create\?\)/],
  ['a missing option', ['network', 'create', 'n', '--region', 'r'], /required option '--cidr <block>' not specified/],
  [
    'a value of the wrong form',
    ['volume', 'create', 'v', '--region', 'r', '--size-gib', 'big'],
    /whole number above 0/,
  ],
  ['a label without a value', ['vm', 'create', 'a', '--label', 'x'], /form key=value/],
  ['a command without its verb', ['job'], /Usage: millwright job/],
])('wrong usage ends with 2: %s', async (_, words, said) => {
  const { code, out, err } = await millwright(words);
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toMatch(said);
});

test('a private key is never sent', async () => {
  const file = join(emptyHome(), 'id_ed25519');
  writeFileSync(file, '-----BEGIN OPENSSH PRIVATE KEY-----\n');
  const { code, err } = await millwright(['vm', 'create', 'a', '--region', 'r', '--image', 'i', '--ssh-key', file]);
  expect(code).toBe(2);
  expect(err).toContain('It is a private key; give its public half (.pub).');
});

test('help is no error', async () => {
  const { code, out, err } = await millwright(['vm', 'create', '--help']);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toContain('--memory-mib <MiB>');
});

test('a create whose answer is lost is asked again under the same key', async () => {
  const accepted = { resource: vm('web-1'), job: job() };
  let times = 0;
  api = await startApi({
    'POST /vms': (_, response) => {
      times += 1;
      if (times === 1) return drop(response);
      if (times === 2)
        return problem(response, { status: 503, code: 'unavailable', title: 'Not available now', detail: '' });
      return json(response, accepted, 202);
    },
  });
  const { code } = await millwright(['vm', 'create', 'web-1', '--region', 'r', '--image', 'i'], { env: at(api.url) });
  const keys = api.asked.map(({ headers }) => headers['idempotency-key']);
  expect(code).toBe(0);
  expect(keys).toHaveLength(3);
  expect(keys[0]).toMatch(/^[0-9a-f-]{36}$/);
  expect(new Set(keys).size).toBe(1);
});

test('a read is asked again while the API restarts; a refusal is not', async () => {
  let times = 0;
  api = await startApi({
    'GET /vms': (_, response) => (++times === 1 ? drop(response) : json(response, { items: [], nextCursor: null })),
  });
  expect((await millwright(['vm', 'list'], { env: at(api.url) })).code).toBe(0);
  expect((await millwright(['vm', 'get', 'none'], { env: at(api.url) })).code).toBe(1);
  expect(api.asked.map(({ path }) => path.replace('/api/tenant/v1', ''))).toEqual(['/vms', '/vms', '/vms/none']);
});

test('a settlement whose answer is lost is not repeated', async () => {
  const { id } = job();
  api = await startApi({ [`POST /jobs/${id}/settle`]: (_, response) => drop(response) });
  const words = ['job', 'settle', id, 'retry', '--reason', 'the rack is back'];
  const { code, err } = await millwright(words, { env: at(api.url) });
  expect(code).toBe(1);
  expect(err).toContain('gave no answer');
  expect(api.asked).toHaveLength(1);
  expect(JSON.parse(api.asked[0]?.body ?? '')).toEqual({ action: 'retry', reason: 'the rack is back' });
});

/** A home whose platform has this address. */
function homeOf(url: string): string {
  const home = emptyHome();
  const endpoints = { api: url, temporal: '', temporalUi: null, postgres: '', simulator: '' };
  writeFileSync(join(home, 'endpoints.json'), JSON.stringify(endpoints));
  writeFileSync(join(home, 'operator.token'), 'of-home\n');
  return home;
}

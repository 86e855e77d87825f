import { execFile, execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, realpathSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import proto from '@temporalio/proto';
import postgres from 'postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Config, readConfig } from '../../src/config/index.ts';
import { removeHome } from '../../src/platform/postgres-data.ts';
import { type Platform, startPlatform } from '../../src/platform/supervisor.ts';
import { openKeyRing } from '../../src/secrets/key-ring.ts';
import { temporalClient } from '../../temporal/client.ts';
import { codecSecret } from '../../temporal/payload-keys.ts';
import { Api } from '../harness/api.ts';
import { type Callee, startCallee } from '../harness/callee.ts';
import { Simulator } from '../harness/simulator.ts';
import { readEvents } from '../harness/sse.ts';

/**
 * Secrets that can be recognised are put wherever a user may put one, in jobs that go well and in jobs that do not; then
 * everything that is written, answered or shown is searched for them. This file is a list of both.
 */
const wrapper = fileURLToPath(new URL('../../bin/millwright', import.meta.url));
/** The roles inherit them. */
const settings = {
  MILLWRIGHT_LOG_LEVEL: 'trace',
  MILLWRIGHT_STEP_ATTEMPTS: '2',
  MILLWRIGHT_STEP_PAUSE_SECONDS: '0.05',
} as const;
const planted: string[] = [];
/** Made by the provider, which keeps it in clear: the simulator's own record is not searched for it. */
const providers: string[] = [];
const answers: string[] = [];
let home: string;
let config: Config;
let platform: Platform;
let api: Api;
let simulator: Simulator;
let callee: Callee;

/** One word, as a password is; recognised in whatever surrounds it. */
function plant(): string {
  const secret = `Planted7${randomBytes(12).toString('hex')}`;
  planted.push(secret);
  return secret;
}
const userData = (name: string): string => `#cloud-config\nhostname: ${name}\npassword: ${plant()}\n`;
const vm = (name: string) => ({ name, region: 'tpe-1', flavor: 'small', image: 'debian-13', userData: userData(name) });

async function ask(method: string, path: string, body?: unknown, headers?: Record<string, string>) {
  const answer = await api.tenant(method, path, body, headers);
  answers.push(JSON.stringify([answer.body, [...answer.headers]]));
  return answer;
}
async function ended(method: string, path: string, body?: unknown, headers?: Record<string, string>) {
  const { body: accepted } = await ask(method, path, body, headers);
  return await api.jobWhen(accepted.job.id);
}

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'millwright-planted-'));
  callee = await startCallee();
  Object.assign(process.env, settings, { MILLWRIGHT_HTTP_HOSTS: callee.host });
  config = readConfig({ ...process.env, MILLWRIGHT_HOME: home });
  platform = await startPlatform({ config, port: 0 }, () => undefined);
  api = new Api(platform.endpoints.api, readFileSync(join(home, 'operator.token'), 'utf8').trim());
  simulator = new Simulator(platform.endpoints.simulator);
  planted.push(api.token, codecSecret(openKeyRing(config.payloadKeyFile)));
}, 120_000);
afterAll(async () => {
  for (const name of [...Object.keys(settings), 'MILLWRIGHT_HTTP_HOSTS']) delete process.env[name];
  await platform?.stop();
  await callee?.stop();
  removeHome(home);
});

test('no secret is found in clear or in base64 wherever people or programs look', { timeout: 180_000 }, async () => {
  await useThem();
  const found = [
    ...searchFiles(),
    ...(await searchDatabase()),
    ...(await searchTemporal()),
    ...(await searchApi()),
    ...(await searchCommandLine()),
    ...searchProcesses(),
    ...answers.flatMap((answer) => search(`the answer ${answer.slice(0, 200)}`, Buffer.from(answer))),
  ];
  expect(found).toEqual([]);
});

/** Every way in for a secret, and every bad day it may have. */
async function useThem(): Promise<void> {
  const key = { 'idempotency-key': 'planted' };
  expect(await ended('POST', '/vms', vm('sound'))).toMatchObject({ state: 'SUCCEEDED' });
  const keyed = vm('keyed');
  await ended('POST', '/vms', keyed, key);
  expect((await ask('POST', '/vms', keyed, key)).status).toBe(202);
  expect((await ask('POST', '/vms', vm('keyed'), key)).status).toBe(409);

  for (const [name, effect] of [
    ['echoed', 'echo'],
    ['refused', 'permanent'],
    ['dropped', 'accept-then-drop'],
    ['late', 'transient'],
  ]) {
    await simulator.fault({ effect, operation: 'vm.create', name });
    await ended('POST', '/vms', vm(name ?? ''));
  }
  expect((await ask('GET', '/jobs')).body.items).toContainEqual(
    expect.objectContaining({ error: expect.objectContaining({ message: expect.stringContaining('[secret]') }) }),
  );

  const operations = ['batch-a', 'batch-b'].map((name) => ({
    ...{ id: name, type: 'vm.create', region: 'tpe-1' },
    with: { name, flavor: 'small', image: 'debian-13', userData: userData(name) },
  }));
  const file = { name: 'planted', operations };
  await simulator.fault({ effect: 'echo', operation: 'vm.create', name: 'batch-b', times: 1 });
  expect(await ended('POST', '/batches', JSON.stringify(file))).toMatchObject({ rollback: 'complete' });
  expect(
    await ended('POST', '/batches', JSON.stringify({ ...file, name: 'again' }), { 'idempotency-key': 'file' }),
  ).toMatchObject({
    state: 'SUCCEEDED',
  });
  expect((await ask('POST', '/batches', JSON.stringify({ ...file, name: 'unchanged' }))).body.resource.counts).toEqual({
    UNCHANGED: 2,
  });

  await callWithThem();
  await enterClusterWithThem();
  await openBucketsWithThem();

  for (const refused of [
    { ...vm('refused-a'), userData: [plant()] },
    { ...vm('refused-b'), userData: `${plant()}\0` },
    { ...vm('refused-c'), userData: plant().repeat(3000) },
    { ...vm('refused-d'), networks: ['nowhere'] },
    { ...vm('sound') },
  ]) {
    expect((await ask('POST', '/vms', refused)).status).toBeGreaterThanOrEqual(400);
  }
  const [operation] = operations;
  for (const fault of ['{operations.gone.outputs.id}', '{operations.', '{nowhere}']) {
    const faulty = { ...operation, with: { ...operation?.with, userData: `${plant()} $${fault}` } };
    expect((await ask('POST', '/batches', JSON.stringify({ name: 'faulty', operations: [faulty] }))).status).toBe(400);
  }
  expect(
    (await ask('POST', '/batches', `name: broken\noperations:\n  - { id: a, userData: "${plant()}\n`)).status,
  ).toBe(400);
  expect((await ask('POST', '/vms', vm('other'), { authorization: `Bearer ${plant()}` })).status).toBe(401);
  await ask('POST', `/../../ops/v1/codec/${codecSecret(openKeyRing(config.payloadKeyFile))}/decode`, { payloads: [] });
  await ask('GET', `/../../ops/v1/codec/${codecSecret(openKeyRing(config.payloadKeyFile))}/nothing`);
  await ended('DELETE', '/vms/sound');
}

/** A secret variable in what is sent to another system, which answers, is late, or refuses. */
async function callWithThem(): Promise<void> {
  callee.answer('/late', 'drops', { status: 503 }, {});
  callee.answer('/refuses', { status: 403 });
  const headers = { authorization: `Bearer \${variables.token}` };
  for (const [path, state] of [
    ['/answers', 'SUCCEEDED'],
    ['/late', 'FAILED'],
    ['/refuses', 'FAILED'],
  ] as const) {
    const sent = { url: callee.urlOf(path), method: 'POST', headers, body: { password: `\${variables.token}` } };
    const undo = { ...sent, url: callee.urlOf(`${path}-undo`) };
    const operations = [{ id: 'call', type: 'http.request', region: 'tpe-1', with: { ...sent, undo } }];
    const form = new FormData();
    const name = `call-${path.slice(1)}`;
    form.append(
      'file',
      new Blob([JSON.stringify({ name, variables: { token: { secret: true } }, operations })]),
      'f.json',
    );
    const token = plant();
    form.append('variables', JSON.stringify({ token }));
    expect(await ended('POST', '/batches', form)).toMatchObject({ state });
    expect(callee.to(path)[0]).toMatchObject({ headers: { authorization: `Bearer ${token}` } });
  }
}

/** A kubeconfig is made at the provider, and only whoever may asks for it. */
async function enterClusterWithThem(): Promise<void> {
  const body = { name: 'kube', region: 'tpe-1', version: '1.33', image: 'debian-13' };
  const cluster = { ...body, controlPlane: { count: 1, flavor: 'small' } };
  await simulator.fault({ effect: 'accept-then-drop', operation: 'cluster.bootstrap', name: 'kube', times: 1 });
  expect(await ended('POST', '/clusters', cluster)).toMatchObject({ state: 'SUCCEEDED' });
  const { kubeconfig } = (await api.tenant('GET', '/clusters/kube/kubeconfig')).body;
  const [token] = /sim-token-\w+/.exec(kubeconfig) ?? [];
  if (token === undefined) throw new Error('the kubeconfig has no token');
  planted.push(token);
  providers.push(token);
  await ask('GET', '/clusters/kube');
}

/** The secret of an access key is in the answer to whoever asked for it, and in no other; the provider refuses and repeats it. */
async function openBucketsWithThem(): Promise<void> {
  expect(await ended('POST', '/buckets', { name: 'opened', region: 'tpe-1' })).toMatchObject({ state: 'SUCCEEDED' });
  for (const [effect, state] of [
    ['echo', 'FAILED'],
    ['accept-then-drop', 'SUCCEEDED'],
  ] as const) {
    await simulator.fault({ effect, operation: 'bucket.create-key', name: 'opened', times: 1 });
    const given = { key: effect, secret: plant() };
    const { body } = await api.tenant('POST', '/buckets/opened/create-key', given);
    expect(body.key.secret).toBe(given.secret);
    expect(await api.jobWhen(body.job.id)).toMatchObject({ state });
    await ask('GET', `/jobs/${body.job.id}`);
  }
  const made = (await api.tenant('POST', '/buckets/opened/create-key', { key: 'made' })).body;
  planted.push(made.key.secret);
  expect(await api.jobWhen(made.job.id)).toMatchObject({ state: 'SUCCEEDED' });
  expect((await ask('POST', '/buckets/opened/create-key', { key: 'bad', secret: `${plant()} ` })).status).toBe(400);
  await ask('GET', '/buckets/opened');
  await ask('GET', '/buckets');
}

/** UTF-8, hexadecimal, and base64 at each of the three places in which a byte may stand. */
const needles = (secret: string): Buffer[] => [
  Buffer.from(secret),
  Buffer.from(Buffer.from(secret).toString('hex')),
  ...[0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), Buffer.from(secret)]).toString('base64');
    return Buffer.from(text.slice(before === 0 ? 0 : 4, -4));
  }),
];

function search(where: string, content: Buffer, secrets: readonly string[] = planted): string[] {
  return secrets.flatMap((secret) =>
    needles(secret).some((needle) => content.includes(needle)) ? [`${secret.slice(0, 12)}… in ${where}`] : [],
  );
}

/** What is there to hold secrets, for its owner alone. */
const keepers = [/^keys\//, /^operator\.token$/, /^run\/temporal-environment\.json$/];

const atProvider = /^data\/simulator/;
const ours = (): string[] => planted.filter((secret) => !providers.includes(secret));

function searchFiles(): string[] {
  const files = [home, realpathSync(join(home, 'data', 'postgres'))].flatMap((root) =>
    readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name)),
  );
  expect(files.length).toBeGreaterThan(50);
  for (const keeper of files.filter((file) => keepers.some((known) => known.test(relative(home, file))))) {
    expect([keeper, statSync(keeper).mode & 0o077]).toEqual([keeper, 0]);
  }
  return files
    .filter((file) => !keepers.some((known) => known.test(relative(home, file))))
    .flatMap((file) => search(file, readFileSync(file), atProvider.test(relative(home, file)) ? ours() : planted));
}

async function searchDatabase(): Promise<string[]> {
  const sql = postgres(platform.endpoints.postgres, { max: 1 });
  try {
    const tables = await sql<{ name: string }[]>`
      SELECT quote_ident(schemaname) || '.' || quote_ident(relname) AS name FROM pg_stat_user_tables`;
    expect(tables.length).toBeGreaterThan(10);
    const found = [];
    for (const { name } of tables) {
      const rows = await sql.unsafe<{ row: string }[]>(`SELECT t::text AS row FROM ${name} t`);
      found.push(...rows.flatMap(({ row }) => search(`${name}: ${row.slice(0, 80)}`, Buffer.from(row))));
    }
    return found;
  } finally {
    await sql.end();
  }
}

/** Everything as it lies there: no codec is between. */
async function searchTemporal(): Promise<string[]> {
  const keys = openKeyRing(config.payloadKeyFile);
  const namespace = config.TEMPORAL_NAMESPACE;
  const { client, connection } = temporalClient({ address: platform.endpoints.temporal, namespace, keys });
  const { History } = proto.temporal.api.history.v1;
  const { DescribeWorkflowExecutionResponse } = proto.temporal.api.workflowservice.v1;
  try {
    const found = [];
    let workflows = 0;
    for await (const { workflowId } of client.workflow.list()) {
      workflows += 1;
      const execution = { workflowId };
      const { history } = await connection.workflowService.getWorkflowExecutionHistory({ namespace, execution });
      const described = await connection.workflowService.describeWorkflowExecution({ namespace, execution });
      found.push(...search(`the history of ${workflowId}`, Buffer.from(History.encode(history ?? {}).finish())));
      const description = DescribeWorkflowExecutionResponse.encode(described).finish();
      found.push(...search(`the description of ${workflowId}`, Buffer.from(description)));
    }
    expect(workflows).toBeGreaterThan(8);
    return found;
  } finally {
    await connection.close();
  }
}

/** Every GET of the contract, on everything that there is; streams of jobs that have ended. */
async function searchApi(): Promise<string[]> {
  const { body: contract } = await api.get('/api/openapi.json');
  // A stream has no end; what it sends are the events of the database.
  const gets = Object.entries<{ get?: object }>(contract.paths).flatMap(([path, { get }]) =>
    get && !JSON.stringify(get).includes('text/event-stream') ? [path] : [],
  );
  expect(gets.length).toBeGreaterThan(8);
  const found = [];
  for (const list of gets.filter((path) => !path.includes('{') && !path.endsWith('/events'))) {
    const { body } = await api.get(list);
    found.push(...search(list, Buffer.from(JSON.stringify(body))));
    const ids: string[] = (body.items ?? []).flatMap(({ id }: { id?: string }) => id ?? []);
    for (const one of gets.filter((path) => path === `${list}/{id}`)) {
      for (const id of ids) {
        const path = one.replace('{id}', id);
        found.push(...search(path, Buffer.from(JSON.stringify((await api.get(path)).body))));
      }
    }
    if (!list.endsWith('/jobs')) continue;
    for (const id of ids) {
      found.push(
        ...search(`${list}/${id}/events`, Buffer.from(JSON.stringify(await readEvents(api, `${list}/${id}/events`)))),
      );
    }
  }
  return found;
}

async function searchCommandLine(): Promise<string[]> {
  const file = join(home, 'run', 'user-data');
  const run = (...words: string[]): Promise<string> =>
    new Promise((resolve) =>
      execFile(wrapper, [...words, '--home', home], (_error, out, err) => resolve(`${out}${err}`)),
    );
  const found = [];
  await simulator.fault({ effect: 'echo', operation: 'vm.create', name: 'cli-echoed' });
  for (const name of ['cli-sound', 'cli-echoed']) {
    writeFileSync(file, userData(name));
    const output = await run(
      ...['vm', 'create', name, '--region', 'tpe-1', '--flavor', 'small', '--image', 'debian-13'],
      ...['--user-data', file, '--watch', '-o', 'json'],
    );
    expect(output).toContain(name);
    found.push(...search(`vm create ${name}: ${output}`, Buffer.from(output)));
  }
  for (const words of [
    ['vm', 'list'],
    ['job', 'list', '-o', 'json'],
    ['batch', 'list', '-o', 'yaml'],
    ['key', 'list'],
    ['status'],
  ]) {
    found.push(...search(`millwright ${words.join(' ')}`, Buffer.from(await run(...words))));
  }
  writeFileSync(file, '');
  return found;
}

/** Every user of a machine sees the arguments of every process on it. */
function searchProcesses(): string[] {
  const shown = execFileSync('ps', ['-eww', '-o', 'args='], { maxBuffer: 16 * 1024 * 1024 });
  expect(shown.toString()).toContain('start-dev');
  const keys = ['payload.keys', 'secret.keys'].flatMap((file) =>
    openKeyRing(join(home, 'keys', file))
      .all()
      .map(({ key }) => key.toString('base64')),
  );
  const password = new URL(platform.endpoints.postgres).password;
  return [
    ...search('the arguments of a process', shown),
    ...[...keys, password].flatMap((secret) =>
      shown.includes(secret) ? ['a key or password in the arguments of a process'] : [],
    ),
  ];
}

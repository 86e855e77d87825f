import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Plan, PlanOperation } from '../../src/domain/plan.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform();
});
afterAll(() => platform.stop());

const secret = 'hunter2-correct-horse-battery';

/** A network and a volume, a database on both, and a web server that is told the database's address. */
const shop = (name: string, header = ''): string => `
name: ${name}
${header}
operations:
  - { id: net, type: network.create, region: tpe-1, with: { name: ${name}-net, cidr: 10.50.0.0/24 } }
  - { id: data, type: volume.create, region: tpe-1, with: { name: ${name}-data, sizeGib: 20 } }
  - id: db
    type: vm.create
    region: tpe-1
    with: { name: ${name}-db, flavor: medium, image: debian-13, networks: [${name}-net], volumes: [${name}-data], userData: ${secret} }
  - id: web
    type: vm.create
    region: tpe-1
    with:
      name: ${name}-web
      flavor: small
      image: debian-13
      networks: [${name}-net]
      labels: { env: prod }
      userData: "DB=\${operations.db.outputs.address}"
`;

const ask = (file: string, query = '', headers?: Record<string, string>) =>
  platform.api.tenant('POST', `/batches${query}`, file, headers);

async function plan(file: string): Promise<Plan> {
  const answer = await ask(file, '?dryRun=true');
  expect(answer, JSON.stringify(answer.body)).toMatchObject({ status: 200 });
  return answer.body;
}

async function apply(file: string): Promise<void> {
  const answer = await ask(file);
  expect(answer, JSON.stringify(answer.body)).toMatchObject({ status: 202 });
  expect(await platform.api.jobWhen(answer.body.job.id)).toMatchObject({ state: 'SUCCEEDED' });
}

const actions = ({ operations }: Plan): Record<string, string> =>
  Object.fromEntries(operations.map(({ id, action }) => [id, action]));

const find = ({ operations }: Plan, id: string): PlanOperation => {
  const operation = operations.find((one) => one.id === id);
  if (!operation) throw new Error(`the plan has no ${id}`);
  return operation;
};

/** How many rows each table of the database has. */
async function rowCounts(): Promise<Record<string, number>> {
  const tables = await platform.sql<{ name: string }[]>`
    SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1`;
  const counts = await Promise.all(
    tables.map(async ({ name }) => {
      const [row] = await platform.sql<{ count: number }[]>`SELECT count(*)::int AS count FROM ${platform.sql(name)}`;
      return [name, row?.count ?? 0] as const;
    }),
  );
  return Object.fromEntries(counts.filter(([name]) => name !== 'workers'));
}

test('what is not there is created, in waves, with an estimate; a dry run writes nothing', async () => {
  // The first secret that a platform sees makes its key for fingerprints.
  await plan(shop('zeroth'));
  const before = await rowCounts();
  const planned = await plan(shop('first'));
  expect(actions(planned)).toEqual({ net: 'create', data: 'create', db: 'create', web: 'create' });
  expect(planned.counts).toEqual({ create: 4, change: 0, replace: 0, delete: 0, none: 0, run: 0 });
  expect(planned.waves).toEqual([['net', 'data'], ['db'], ['web']]);
  expect(planned.criticalPath).toEqual({ operations: ['data', 'db', 'web'], seconds: 130 });
  expect(planned.estimate).toEqual({ seconds: 130, parallelLimit: 10 });
  expect(find(planned, 'db')).toMatchObject({ seconds: 60, estimatedFrom: 'default', beginsAfterSeconds: 10 });
  const [project] = planned.quota.scopes;
  expect(project?.metrics).toContainEqual(expect.objectContaining({ metric: 'vms', delta: 2, fits: true }));
  expect(await rowCounts()).toEqual(before);
});

test('a file that has come true has nothing to do, and a later plan knows how long it took', async () => {
  await apply(shop('done'));
  expect(actions(await plan(shop('done')))).toEqual({ net: 'none', data: 'none', db: 'none', web: 'none' });
  expect(await ask(shop('done'))).toMatchObject({ status: 202, body: { job: { state: 'SUCCEEDED' } } });
  const again = await plan(shop('again'));
  expect(find(again, 'db')).toMatchObject({ estimatedFrom: 'past' });
  expect(again.estimate.seconds).toBeLessThan(60);
});

test('labels and protection are changed in place, and the row has what is wanted', async () => {
  await apply(shop('inplace'));
  const file = shop('inplace').replace('labels: { env: prod }', 'deletionProtection: true').replace('name: shop', '');
  const planned = await plan(file);
  expect(actions(planned)).toEqual({ net: 'none', data: 'none', db: 'none', web: 'change' });
  expect(find(planned, 'web').differences).toEqual([
    { field: 'labels', before: { env: 'prod' }, after: {}, replaces: null },
    { field: 'deletionProtection', before: false, after: true, replaces: null },
  ]);
  const { body } = await ask(file);
  const [row] = await platform.sql`
    SELECT action, spec, resource_id FROM batch_operations WHERE batch_id = ${body.resource.id} AND id = 'web'`;
  expect(row).toMatchObject({
    action: 'change',
    resource_id: find(planned, 'web').resource?.id,
    spec: { labels: {}, deletionProtection: true },
  });
});

test('what cannot be changed in place is replaced, and what uses it or is told of it as well', async () => {
  await apply(shop('anew'));
  const planned = await plan(shop('anew').replace('10.50.0.0/24', '10.51.0.0/24'));
  expect(actions(planned)).toEqual({
    'net/_old': 'delete',
    net: 'replace',
    data: 'none',
    'db/_old': 'delete',
    db: 'replace',
    'web/_old': 'delete',
    web: 'replace',
  });
  expect(planned.counts).toMatchObject({ replace: 3, delete: 0, none: 1 });
  expect(find(planned, 'net').differences).toEqual([
    {
      field: 'cidr',
      before: '10.50.0.0/24',
      after: '10.51.0.0/24',
      replaces: 'the cidr of a network cannot be changed in place',
    },
  ]);
  expect(find(planned, 'db').reasons).toEqual(['it uses the network "anew-net", which is replaced']);
  expect(find(planned, 'web').differences).toEqual([
    expect.objectContaining({ field: 'userData', before: '(secret)', after: '(known after apply)' }),
  ]);
  expect(find(planned, 'net/_old').dependsOn.toSorted()).toEqual(['db/_old', 'web/_old']);
  expect(find(planned, 'net').dependsOn).toEqual(['net/_old']);
  expect(find(planned, 'web').dependsOn).toContain('web/_old');
  expect(planned.waves).toEqual([['db/_old', 'web/_old'], ['net/_old'], ['net'], ['db'], ['web']]);
});

test('a replacement is accepted as two rows', async () => {
  await apply(shop('rows'));
  const file = shop('rows').replace('sizeGib: 20', 'sizeGib: 30');
  const planned = await plan(file);
  const { body } = await ask(file, `?planHash=${planned.hash}`);
  const rows = await platform.sql`
    SELECT id, type, action, spec, state, resource_id IS NOT NULL AS "hasResource", depends_on AS "dependsOn" FROM batch_operations
    WHERE batch_id = ${body.resource.id} ORDER BY position`;
  expect(rows).toMatchObject([
    { id: 'net', action: 'none', state: 'UNCHANGED', hasResource: true },
    {
      id: 'data/_old',
      type: 'volume.delete',
      action: 'delete',
      state: 'PENDING',
      hasResource: true,
      spec: { name: find(planned, 'data/_old').resource?.id },
      dependsOn: ['db/_old'],
    },
    { id: 'data', type: 'volume.create', action: 'replace', hasResource: false, dependsOn: ['data/_old'] },
    { id: 'db/_old', type: 'vm.delete', dependsOn: ['net'] },
    { id: 'db', action: 'replace', dependsOn: ['net', 'data', 'db/_old'] },
    { id: 'web/_old' },
    { id: 'web', action: 'replace' },
  ]);
  const [batch] = await platform.sql`SELECT plan_hash, limits, secrets FROM batches WHERE id = ${body.resource.id}`;
  expect(batch).toEqual({ plan_hash: planned.hash, limits: {}, secrets: {} });
});

test('a secret that changes is told of and never shown, nor is one that stays', async () => {
  await apply(shop('veil'));
  const changed = shop('veil').replace(secret, `${secret}-changed`);
  const { status, body } = await ask(changed, '?dryRun=true');
  expect(status).toBe(200);
  expect(find(body, 'db').differences).toEqual([
    expect.objectContaining({ field: 'userData', before: '(secret)', after: '(secret)' }),
  ]);
  expect(JSON.stringify(body)).not.toContain(secret);
});

test('the hash stays while nothing changes, and a plan that is another by now is refused, saying what changed', async () => {
  await apply(shop('stale'));
  const bigger = shop('stale').replace('sizeGib: 20', 'sizeGib: 30');
  const { hash } = await plan(bigger);
  expect((await plan(bigger)).hash).toBe(hash);
  expect((await plan(bigger.replace('stale\n', 'stale\nparallelLimit: 5\n'))).hash).not.toBe(hash);
  await platform.api.tenant('PATCH', '/volumes/stale-data', { labels: { touched: 'yes' } });
  const refused = await ask(bigger, `?planHash=${hash}`);
  expect(refused).toMatchObject({ status: 409, body: { code: 'conflict' } });
  expect(refused.body.detail).toContain('what is there changed since');
  const [mine] = await platform.sql`SELECT count(*)::int AS count FROM batches WHERE name = 'stale'`;
  expect(mine?.count).toBe(1);
});

test('whatever keeps a plan from being carried out is told at once: protection, forbidden replacements, use by others', async () => {
  const { api } = platform;
  await apply(shop('guarded'));
  const foreign = { name: 'guarded-foreign', region: 'tpe-1', flavor: 'small', image: 'debian-13' };
  await api.done('POST', '/vms', { ...foreign, networks: ['guarded-net'] });
  await api.tenant('PATCH', '/vms/guarded-web', { deletionProtection: true });
  const before = await rowCounts();
  const file = shop('guarded', 'replace: forbid')
    .replace('10.50.0.0/24', '10.51.0.0/24')
    .replace('labels: { env: prod }', 'labels: { env: prod }\n      deletionProtection: true');
  const refused = await ask(file, '?dryRun=true');
  expect(refused).toMatchObject({
    status: 409,
    body: {
      errors: [
        { pointer: '/operations/0/with', detail: expect.stringContaining('"replace: forbid"') },
        { pointer: '/operations/0/with/name', detail: expect.stringContaining('in use by vm "guarded-foreign"') },
        { pointer: '/operations/2/with', detail: expect.stringContaining('"replace: forbid"') },
        { pointer: '/operations/3/with/name', detail: expect.stringContaining('protected against deletion') },
        { pointer: '/operations/3/with', detail: expect.stringContaining('"replace: forbid"') },
      ],
    },
  });
  expect(await ask(file)).toMatchObject({ status: 409 });
  expect(await rowCounts()).toEqual(before);
});

test('protection keeps nobody from changing labels', async () => {
  await apply(shop('shield'));
  await platform.api.tenant('PATCH', '/vms/shield-web', { deletionProtection: true });
  const file = shop('shield').replace('labels: { env: prod }', 'labels: { env: test }\n      deletionProtection: true');
  expect(actions(await plan(file))).toMatchObject({ web: 'change' });
});

test('a file whose header forbids replacing is refused, naming operation, field and reason', async () => {
  await apply(shop('fixed'));
  const refused = await ask(shop('fixed', 'replace: forbid').replace('flavor: medium', 'flavor: large'));
  expect(refused).toMatchObject({
    status: 409,
    body: { errors: [{ pointer: '/operations/2/with' }, { pointer: '/operations/3/with' }] },
  });
  expect(refused.body.errors[0].detail).toMatch(/Operation "db".*flavor.*cannot be changed in place/);
});

test('a resource that a job is at work on is left to it, and the job is named', async () => {
  const { api, simulator } = platform;
  await simulator.fault({ effect: 'permanent', operation: 'volume.create', name: 'busy-data' });
  const answer = await api.tenant('POST', '/volumes', {
    name: 'busy-data',
    region: 'tpe-1',
    sizeGib: 20,
    onFailure: 'hold',
  });
  const held = await api.jobWhen(answer.body.job.id, ({ state }) => state === 'HELD');
  const refused = await ask(shop('busy'), '?dryRun=true');
  expect(refused).toMatchObject({ status: 409, body: { jobId: held.id } });
  expect(refused.body.detail).toContain(held.id);
  await simulator.clearFaults();
  await api.settled(held.id, 'retry');
});

test('what is in error is made anew', async () => {
  await apply(shop('broken'));
  await platform.sql`UPDATE resources SET status = 'error' WHERE name = 'broken-web'`;
  const planned = await plan(shop('broken'));
  expect(actions(planned)).toMatchObject({ db: 'none', web: 'replace' });
  expect(find(planned, 'web').reasons).toEqual(['its status is error']);
});

test('a deletion: of what is there, of what is not, and in the order of use', async () => {
  await apply(shop('gone'));
  const planned = await plan(`
name: gone
operations:
  - { id: net, type: network.delete, with: { name: gone-net } }
  - { id: db, type: vm.delete, with: { name: gone-db } }
  - { id: web, type: vm.delete, with: { name: gone-web } }
  - { id: ghost, type: vm.delete, with: { name: gone-ghost } }
`);
  expect(actions(planned)).toEqual({ net: 'delete', db: 'delete', web: 'delete', ghost: 'none' });
  expect(planned.waves).toEqual([['db', 'web'], ['net']]);
  const [project] = planned.quota.scopes;
  expect(project?.metrics).toContainEqual(expect.objectContaining({ metric: 'vms', delta: -2, fits: true }));
});

test('a name that the file deletes and makes again is created, not compared', async () => {
  await apply(shop('twice'));
  const planned = await plan(`
name: twice
operations:
  - { id: old, type: vm.delete, with: { name: twice-web } }
  - { id: new, type: vm.create, region: nrt-1, dependsOn: [old], with: { name: twice-web, flavor: small, image: debian-13 } }
`);
  expect(actions(planned)).toEqual({ old: 'delete', new: 'create' });
});

test('what does not fit into the quota is shown as such and refused, all of it; what deletes first fits', async () => {
  const { api } = platform;
  await apply(shop('tight'));
  const { body: quotas } = await api.tenant('GET', '/quota');
  const { id, metrics } = quotas.items.find(({ scope }: { scope: string }) => scope === 'project');
  const limits = { vms: metrics.vms.used, volumes: metrics.volumes.used };
  expect(await api.request('PATCH', `/api/ops/v1/projects/${id}/quota`, { limits })).toMatchObject({ status: 200 });
  try {
    const planned = await plan(shop('toomuch'));
    expect(planned.quota.fits).toBe(false);
    const refused = await ask(shop('toomuch'));
    expect(refused.body).toMatchObject({ code: 'quota' });
    expect(refused.body.detail).toMatch(/vms: 2 more wanted, \d+ of \d+ in use; volumes: 1 more wanted/);
    // The replacement takes what its old gives back.
    expect((await plan(shop('tight').replace('flavor: small', 'flavor: medium'))).quota.fits).toBe(true);
  } finally {
    await api.request('PATCH', `/api/ops/v1/projects/${id}/quota`, {
      limits: { vms: metrics.vms.limit, volumes: metrics.volumes.limit },
    });
  }
});

test('the contract has the plan, and that whether it is a dry run is true or false', async () => {
  const { body: document } = await platform.api.get('/api/openapi.json');
  const { parameters, responses } = document.paths['/api/tenant/v1/batches'].post;
  const dryRun = parameters.find(({ name }: { name: string }) => name === 'dryRun');
  expect(dryRun.schema).toMatchObject({ type: 'boolean' });
  expect(responses['200'].content['application/json'].schema.$ref).toBe('#/components/schemas/Plan');
  expect(await ask(shop('wrong'), '?dryRun=perhaps')).toMatchObject({ status: 400 });
});

test('a group is planned member by member, with the waits before and after it', async () => {
  const planned = await plan(`
name: fleet
operations:
  - { id: ok, type: wait.approval, with: { message: "Go?" } }
  - { id: note, type: wait.for, dependsOn: [web], with: { duration: 2m } }
  - id: web
    type: vm.create
    region: tpe-1
    forEach: [blue, green]
    dependsOn: [ok]
    with: { name: "fleet-\${each.key}", flavor: small, image: debian-13, userData: ${secret} }
`);
  expect(actions(planned)).toEqual({
    ok: 'run',
    note: 'run',
    'web/blue': 'create',
    'web/green': 'create',
    web: 'run',
  });
  expect(find(planned, 'note')).toMatchObject({ seconds: 120, estimatedFrom: 'file' });
  expect(planned.waves).toEqual([['ok'], ['web/blue', 'web/green'], ['web'], ['note']]);
  expect(JSON.stringify(planned)).not.toContain(secret);
});

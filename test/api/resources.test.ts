import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectConsistent } from '../harness/consistency.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform();
});
afterAll(() => platform.stop());

const vm = (name: string, more: object = {}) => ({
  name,
  region: 'tpe-1',
  flavor: 'small',
  image: 'debian-13',
  ...more,
});
const network = (name: string, more: object = {}) => ({ name, region: 'tpe-1', cidr: '10.20.0.0/24', ...more });
const volume = (name: string, more: object = {}) => ({ name, region: 'tpe-1', sizeGib: 10, ...more });

describe('a create', () => {
  test('is accepted at once, runs, and can be read by id and by name', async () => {
    const { api, simulator } = platform;
    const answer = await api.tenant('POST', '/vms', vm('web-1'));
    expect(answer).toMatchObject({
      status: 202,
      body: {
        resource: { kind: 'vm', name: 'web-1', status: 'provisioning', vcpus: 1 },
        job: { type: 'vm.create', state: 'PENDING' },
      },
    });
    expect(answer.headers.get('location')).toBe(`/api/tenant/v1/jobs/${answer.body.job.id}`);
    const job = await api.jobWhen(answer.body.job.id);
    expect(job).toMatchObject({
      state: 'SUCCEEDED',
      rollback: 'none',
      steps: [{ name: 'create', state: 'SUCCEEDED', attempts: 1 }],
    });
    expect(job.workflowId).toMatch(/^vm\/create\/web-1\.[0-9a-f]{12}$/);
    expect(job.temporalUiUrl).toContain(encodeURIComponent(job.workflowId));
    const byName = await api.tenant('GET', '/vms/web-1');
    const byId = await api.tenant('GET', `/vms/${answer.body.resource.id}`);
    expect(byName.body).toMatchObject({
      id: answer.body.resource.id,
      status: 'running',
      currentJobId: null,
      providerReference: expect.stringContaining('sim-vm'),
    });
    expect(byId.body).toEqual(byName.body);
    expect(await simulator.inventory()).toContainEqual({
      kind: 'vm',
      key: byId.body.id,
      name: 'web-1',
      region: 'tpe-1',
      state: 'running',
    });
  });

  test('of a VM joins its networks, attaches its volumes and shows its addresses', async () => {
    const { api } = platform;
    await Promise.all([api.done('POST', '/networks', network('front')), api.done('POST', '/volumes', volume('data'))]);
    await api.done('POST', '/vms', vm('db-1', { networks: ['front'], volumes: ['data'] }));
    const { body } = await api.tenant('GET', '/vms/db-1');
    expect(body).toMatchObject({
      networks: [{ name: 'front' }],
      volumes: [{ name: 'data' }],
      addresses: [{ network: 'front' }],
    });
    expect(body.address).toMatch(/^10\.20\.0\./);
    for (const [path, name] of [
      ['networks', 'front'],
      ['volumes', 'data'],
    ]) {
      expect(await api.tenant('DELETE', `/${path}/${name}`)).toMatchObject({
        status: 409,
        body: { detail: expect.stringContaining('vm "db-1"') },
      });
    }
  });

  test('lists every fault at once, each with its pointer', async () => {
    const answer = await platform.api.tenant('POST', '/vms', {
      name: 'Bad_Name',
      region: 'tpe-1',
      flavour: 'small',
      sshKeys: ['nonsense'],
      image: 7,
    });
    expect(answer.status).toBe(400);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(answer.body.errors.map(({ pointer }: { pointer: string }) => pointer).toSorted()).toEqual(
      expect.arrayContaining(['/flavour', '/image', '/name', '/sshKeys/0']),
    );
    expect(await platform.api.tenant('GET', '/vms/Bad_Name')).toMatchObject({ status: 404 });
  });

  test('naming what does not exist lists what there is', async () => {
    const answer = await platform.api.tenant(
      'POST',
      '/vms',
      vm('lost', { region: 'atlantis-1', flavor: 'huge', image: 'cpm-80', networks: ['nowhere'] }),
    );
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid' } });
    expect(answer.body.errors).toEqual([
      { pointer: '/region', detail: 'There is no region "atlantis-1". There are: nrt-1, tpe-1.' },
      { pointer: '/flavor', detail: 'There is no flavor "huge". There are: large, medium, small.' },
      { pointer: '/image', detail: 'There is no image "cpm-80". There are: debian-13.' },
      { pointer: '/networks/0', detail: 'There is no network "nowhere" in this project.' },
    ]);
  });

  test('cannot use what is in another region', async () => {
    await platform.api.done('POST', '/networks', network('tokyo', { region: 'nrt-1' }));
    const answer = await platform.api.tenant('POST', '/vms', vm('astray', { networks: ['tokyo'] }));
    expect(answer.body.errors).toEqual([
      { pointer: '/networks/0', detail: 'The network "tokyo" is in region "nrt-1", not in "tpe-1".' },
    ]);
  });

  test('beyond the quota says what was wanted and what is in use, and leaves nothing', async () => {
    const answer = await platform.api.tenant('POST', '/vms', {
      name: 'giant',
      region: 'tpe-1',
      image: 'debian-13',
      vcpus: 200,
      memoryMib: 4_000_000,
      diskGib: 65_000,
    });
    expect(answer.status).toBe(202);
    await platform.sql`UPDATE quotas SET vms_limit = vms`;
    const refused = await platform.api.tenant('POST', '/vms', vm('one-too-many'));
    await platform.sql`UPDATE quotas SET vms_limit = 20000`;
    expect(refused).toMatchObject({
      status: 403,
      body: { code: 'quota', detail: expect.stringMatching(/vms: 1 wanted, (\d+) of \1 in use/) },
    });
    expect(await platform.sql`SELECT 1 FROM resources WHERE name = 'one-too-many'`).toEqual([]);
    await platform.api.jobWhen(answer.body.job.id);
  });

  test('of a name that is taken is a conflict that names the job at work', async () => {
    const { api, simulator } = platform;
    await simulator.fault({ effect: 'slow', operation: 'vm.create', name: 'taken', afterMs: 300, times: 1 });
    const first = await api.tenant('POST', '/vms', vm('taken'));
    const second = await api.tenant('POST', '/vms', vm('taken'));
    expect(second).toMatchObject({ status: 409, body: { code: 'conflict', jobId: first.body.job.id } });
    await api.jobWhen(first.body.job.id);
    expect(await api.tenant('POST', '/vms', vm('taken'))).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining('already') },
    });
  });
});

describe('an Idempotency-Key', () => {
  test('fifty times at once is one resource and one job', async () => {
    const { api, simulator } = platform;
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => api.tenant('POST', '/vms', vm('once'), { 'idempotency-key': 'k-once' })),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    expect(new Set(answers.map(({ body }) => body.resource.id)).size).toBe(1);
    expect(new Set(answers.map(({ body }) => body.job.id)).size).toBe(1);
    await api.jobWhen(answers[0]?.body.job.id);
    expect((await simulator.inventory()).filter(({ name }) => name === 'once')).toHaveLength(1);
  });

  test('with another body is a conflict', async () => {
    const answer = await platform.api.tenant('POST', '/vms', vm('twice'), { 'idempotency-key': 'k-once' });
    expect(answer).toMatchObject({ status: 409, body: { detail: expect.stringContaining('k-once') } });
    expect(await platform.api.tenant('GET', '/vms/twice')).toMatchObject({ status: 404 });
  });

  test('answers the same when what it made is deleted again', async () => {
    const { api } = platform;
    const headers = { 'idempotency-key': 'k-gone' };
    const first = await api.tenant('POST', '/volumes', volume('gone'), headers);
    await api.jobWhen(first.body.job.id);
    const removal = await api.tenant('DELETE', '/volumes/gone', undefined, { 'idempotency-key': 'k-gone-delete' });
    await api.jobWhen(removal.body.job.id);
    const [again, removedAgain] = [
      await api.tenant('POST', '/volumes', volume('gone'), headers),
      await api.tenant('DELETE', '/volumes/gone', undefined, { 'idempotency-key': 'k-gone-delete' }),
    ];
    expect(again.body.job.id).toBe(first.body.job.id);
    expect(removedAgain).toMatchObject({
      status: 202,
      body: { job: { id: removal.body.job.id }, resource: { status: 'deleted' } },
    });
  });
});

describe('a delete', () => {
  test('takes the resource away here and there, and frees its name', async () => {
    const { api, simulator } = platform;
    await api.done('POST', '/networks', network('brief'));
    expect(await api.done('DELETE', '/networks/brief')).toMatchObject({ type: 'network.delete', state: 'SUCCEEDED' });
    expect(await api.tenant('GET', '/networks/brief')).toMatchObject({ status: 404 });
    expect(await simulator.names()).not.toContain('network brief');
    expect(await api.done('POST', '/networks', network('brief'))).toMatchObject({ state: 'SUCCEEDED' });
  });

  test('of what another job is at work on is a conflict that names the job', async () => {
    const { api, simulator } = platform;
    await simulator.fault({ effect: 'slow', operation: 'vm.create', name: 'busy', afterMs: 300, times: 1 });
    const create = await api.tenant('POST', '/vms', vm('busy'));
    expect(await api.tenant('DELETE', '/vms/busy')).toMatchObject({ status: 409, body: { jobId: create.body.job.id } });
    await api.jobWhen(create.body.job.id);
  });

  test('of what is protected is refused', async () => {
    await platform.api.done('POST', '/volumes', volume('precious', { deletionProtection: true }));
    expect(await platform.api.tenant('DELETE', '/volumes/precious')).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining('protected') },
    });
  });

  test('of a network that a VM is just being created in: one of the two is refused, never both done', async () => {
    const { api } = platform;
    for (const round of [1, 2, 3, 4, 5]) {
      await api.done('POST', '/networks', network(`contested-${round}`));
      const [create, remove] = await Promise.all([
        api.tenant('POST', '/vms', vm(`contender-${round}`, { networks: [`contested-${round}`] })),
        api.tenant('DELETE', `/networks/contested-${round}`),
      ]);
      expect([create.status, remove.status].filter((status) => status === 202)).toHaveLength(1);
      await Promise.all([create, remove].map(({ body }) => body.job && api.jobWhen(body.job.id)));
    }
  });
});

describe('a list', () => {
  test('pages by cursor without gap or repetition', async () => {
    const { api } = platform;
    const names = Array.from({ length: 7 }, (_, index) => `page-${index}`);
    await Promise.all(names.map((name) => api.done('POST', '/volumes', volume(name))));
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const { body }: { body: { items: { name: string }[]; nextCursor: string | null } } = await api.tenant(
        'GET',
        `/volumes?limit=3${cursor ? `&cursor=${cursor}` : ''}`,
      );
      expect(body.items.length).toBeLessThanOrEqual(3);
      seen.push(...body.items.map(({ name }) => name));
      cursor = body.nextCursor;
    } while (cursor);
    expect(seen.filter((name) => name.startsWith('page-')).toSorted()).toEqual(names);
    expect(new Set(seen).size).toBe(seen.length);
  });

  test('has what has the status, the region and the labels that were asked for', async () => {
    const { api } = platform;
    const labels = { team: 'a=b', env: 'prod' };
    await api.done('POST', '/volumes', { ...volume('labelled'), labels });
    await api.done('POST', '/volumes', volume('bare'));
    const names = async (query: string): Promise<string[]> =>
      (await api.tenant('GET', `/volumes?${query}`)).body.items.map(({ name }: { name: string }) => name);
    expect(await names('label=team%3Da%3Db&label=env%3Dprod&status=available&region=tpe-1')).toEqual(['labelled']);
    expect(await names('label=env%3Dtest')).toEqual([]);
    expect(await names('status=available')).toEqual(expect.arrayContaining(['labelled', 'bare']));
    expect(await names('region=nrt-1')).not.toContain('bare');
    for (const wrong of ['label=env', 'label=a%3D1&label=a%3D2', 'status=deleted'])
      expect(await api.tenant('GET', `/volumes?${wrong}`)).toMatchObject({ status: 400, body: { code: 'invalid' } });
  });

  test('refuses a cursor that it did not make', async () => {
    expect(await platform.api.tenant('GET', '/vms?cursor=nonsense')).toMatchObject({
      status: 400,
      body: { errors: [{ pointer: '/cursor' }] },
    });
  });
});

test('two hundred creates at once all come about, each once', async () => {
  const { api, simulator } = platform;
  const answers = await Promise.all(
    Array.from({ length: 200 }, (_, index) => api.tenant('POST', '/vms', vm(`crowd-${index}`))),
  );
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
  const jobs = await Promise.all(answers.map(({ body }) => api.jobWhen(body.job.id)));
  expect(new Set(jobs.map(({ state }) => state))).toEqual(new Set(['SUCCEEDED']));
  expect((await simulator.names()).filter((name) => name.startsWith('vm crowd-'))).toHaveLength(200);
});

test('afterwards the data centre has what the database says, and every quota equals a recount', () =>
  expectConsistent(platform));

test('a VM with a volume that another VM has is refused, and leaves nothing', async () => {
  const { api } = platform;
  const vm = (name: string) => ({ name, region: 'tpe-1', flavor: 'small', image: 'debian-13', volumes: ['only-one'] });
  await api.done('POST', '/volumes', { name: 'only-one', region: 'tpe-1', sizeGib: 1 });
  expect(await api.done('POST', '/vms', vm('has-it'))).toMatchObject({ state: 'SUCCEEDED' });
  expect(await api.tenant('POST', '/vms', vm('wants-it'))).toMatchObject({
    status: 409,
    body: { detail: 'The volume "only-one" is attached to the VM "has-it". Detach it first, or name another.' },
  });
  expect((await api.tenant('GET', '/vms/wants-it')).status).toBe(404);
});

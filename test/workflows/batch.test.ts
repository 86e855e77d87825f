import { afterAll, beforeAll, expect, test } from 'vitest';
import { openInput, openSealer } from '../../src/secrets/specs.ts';
import { expectConsistent } from '../harness/consistency.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform();
});
afterAll(() => platform.stop());

const site = (name: string, more = ''): string => `
name: ${name}
parallelLimit: 3
operations:
  - { id: net, type: network.create, region: tpe-1, with: { name: ${name}-net, cidr: 10.40.0.0/24 } }
  - { id: data, type: volume.create, region: tpe-1, with: { name: ${name}-data, sizeGib: 20 } }
  - id: db
    type: vm.create
    region: tpe-1
    with: { name: ${name}-db, flavor: medium, image: debian-13, networks: [${name}-net], volumes: [${name}-data] }
  - id: web
    type: vm.create
    region: tpe-1
    with:
      name: ${name}-web
      flavor: small
      image: debian-13
      networks: ["\${operations.net.outputs.name}"]
      userData: "DB=\${operations.db.outputs.address}"
${more}`;

const apply = (file: string, headers?: Record<string, string>) =>
  platform.api.tenant('POST', '/batches', file, headers);

test('a batch builds what its file says, dependencies first, outputs filled in', async () => {
  const { api } = platform;
  const answer = await apply(site('shop'));
  expect(answer).toMatchObject({
    status: 202,
    body: { resource: { name: 'shop', state: 'PENDING', counts: { PENDING: 4 } }, job: { type: 'batch.apply' } },
  });
  expect(await api.jobWhen(answer.body.job.id)).toMatchObject({ state: 'SUCCEEDED' });
  const { body: batch } = await api.tenant('GET', '/batches/shop');
  expect(batch.counts).toEqual({ SUCCEEDED: 4 });
  const [, , db, web] = batch.operations;
  expect(db.outputs.address).toMatch(/^10\.40\.0\.\d+$/);
  expect(web.dependsOn.toSorted()).toEqual(['db', 'net']);
  const job = await platform.sql`SELECT input FROM jobs WHERE id = ${web.jobId}`;
  const input = await openInput(openSealer(platform.config, platform.sql), web.jobId, job[0]?.input);
  expect(input).toMatchObject({ spec: { userData: `DB=${db.outputs.address}` } });
  await expectConsistent(platform);
});

test('the same file again has nothing to do', async () => {
  const before = await platform.simulator.calls();
  const answer = await apply(site('shop'));
  expect(answer).toMatchObject({
    status: 202,
    body: { resource: { state: 'SUCCEEDED', counts: { UNCHANGED: 4 } }, job: { state: 'SUCCEEDED' } },
  });
  expect(await platform.simulator.calls()).toHaveLength(before.length);
});

test('when an operation fails, the rest is taken back in reverse order and nothing is left', async () => {
  const { api, simulator } = platform;
  await simulator.fault({ effect: 'permanent', operation: 'vm.create', name: 'doomed-web' });
  const answer = await apply(
    site(
      'doomed',
      '  - { id: late, type: volume.create, region: nrt-1, dependsOn: [web], with: { name: doomed-late, sizeGib: 1 } }',
    ),
  );
  const job = await api.jobWhen(answer.body.job.id);
  expect(job).toMatchObject({
    state: 'FAILED',
    rollback: 'complete',
    error: { message: expect.stringContaining('Operation "web"') },
  });
  const { body: batch } = await api.tenant('GET', `/batches/${answer.body.resource.id}`);
  expect(
    Object.fromEntries(
      batch.operations.map((operation: { id: string; state: string }) => [operation.id, operation.state]),
    ),
  ).toEqual({
    net: 'ROLLED_BACK',
    data: 'ROLLED_BACK',
    db: 'ROLLED_BACK',
    web: 'FAILED',
    late: 'SKIPPED',
  });
  const deletions = (await simulator.calls())
    .filter(({ operation, name }) => operation.endsWith('.delete') && name?.startsWith('doomed'))
    .map(({ name }) => name);
  expect(deletions.indexOf('doomed-db')).toBeLessThan(deletions.indexOf('doomed-net'));
  expect((await simulator.names()).filter((name) => name.includes('doomed'))).toEqual([]);
  await expectConsistent(platform);
});

test('an operation that is held holds its batch up, which says so; settled, both end', async () => {
  const { api, simulator } = platform;
  await simulator.fault({ effect: 'accept-then-drop', operation: 'vm.create', name: 'held-db' });
  for (const operation of ['vm.get', 'vm.delete'])
    await simulator.fault({ effect: 'permanent', operation, name: 'held-db' });
  const answer = await apply(site('held'));
  const waiting = await api.jobWhen(answer.body.job.id, ({ waitingFor }) => waitingFor?.includes('decision') ?? false);
  expect(waiting).toMatchObject({ state: 'RUNNING', waitingFor: expect.stringContaining('operation "db"') });
  const { body } = await api.tenant('GET', `/jobs?batch=${answer.body.resource.id}&state=HELD`);
  await simulator.clearFaults();
  await api.tenant('POST', `/jobs/${body.items[0].id}/settle`, { action: 'retry', reason: 'the provider is mended' });
  expect(await api.jobWhen(answer.body.job.id)).toMatchObject({ state: 'FAILED', rollback: 'complete' });
  expect((await simulator.names()).filter((name) => name.includes('held'))).toEqual([]);
  await expectConsistent(platform);
});

test('a batch whose rollback is stuck is held, and ends when it is settled', async () => {
  const { api, simulator } = platform;
  await simulator.fault({ effect: 'permanent', operation: 'vm.create', name: 'jammed-web' });
  await simulator.fault({ effect: 'permanent', operation: 'vm.delete', name: 'jammed-db' });
  const answer = await apply(site('jammed'));
  const held = await api.jobWhen(answer.body.job.id, ({ state }) => state === 'HELD');
  expect(held).toMatchObject({ rollback: 'stuck', leftovers: expect.arrayContaining(['db']) });
  await simulator.clearFaults();
  await api.tenant('POST', `/jobs/${held.id}/settle`, { action: 'retry', reason: 'the provider is mended' });
  expect(await api.jobWhen(held.id)).toMatchObject({ state: 'FAILED', rollback: 'complete', leftovers: [] });
  expect((await simulator.names()).filter((name) => name.includes('jammed'))).toEqual([]);
  await expectConsistent(platform);
});

test('hundreds of operations a hundred at a time all come about', async () => {
  const { api } = platform;
  const operations = Array.from(
    { length: 400 },
    (_, index) =>
      `  - { id: v${index}, type: volume.create, region: nrt-1, with: { name: wide-${index}, sizeGib: 1 } }`,
  );
  const answer = await apply(`name: wide\nparallelLimit: 100\noperations:\n${operations.join('\n')}\n`);
  expect(await api.jobWhen(answer.body.job.id)).toMatchObject({ state: 'SUCCEEDED' });
  expect((await api.tenant('GET', '/batches/wide')).body.counts).toEqual({ SUCCEEDED: 400 });
  await expectConsistent(platform);
});

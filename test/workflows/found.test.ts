import { randomUUID } from 'node:crypto';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createControlActivities } from '../../activities/control/index.ts';
import { openDatabase } from '../../src/db/client.ts';
import { recordTransitions } from '../../src/db/queries/record.ts';
import type { JobView } from '../../src/domain/job.ts';
import { createLogger } from '../../src/log.ts';
import { catalogReader } from '../../src/requests/catalog.ts';
import { jobLimits } from '../../src/requests/limits.ts';
import { openSealer } from '../../src/secrets/specs.ts';
import { reviveJob } from '../../temporal/revive.ts';
import { expectConsistent } from '../harness/consistency.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { until } from '../harness/until.ts';

// Each of these was found by a reviewer or a user, and is named after what went wrong.

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform();
});
afterAll(() => platform.stop());

const newName = (): string => `f-${randomUUID().slice(0, 8)}`;
const held = ({ state }: JobView): boolean => state === 'HELD';
const atProvider = (name: string): Promise<unknown> =>
  until(`${name} at the provider`, async () => (await platform.simulator.calls()).some((call) => call.name === name));
const operationJob = async (batch: string, id: string): Promise<string> => {
  const { operations } = (await platform.api.tenant('GET', `/batches/${batch}`)).body;
  return operations.find((operation: { id: string }) => operation.id === id).jobId;
};

test('a canceled batch does not leave an operation behind whose undo is stuck', async () => {
  const { api, simulator } = platform;
  const name = newName();
  await simulator.settings({ latencyMs: { 'volume.create': 1500 } });
  const file = `name: ${name}
operations: [{ id: v, type: volume.create, region: tpe-1, with: { name: ${name}-w, sizeGib: 1 } }]`;
  const fault = await simulator.fault({ effect: 'permanent', operation: 'volume.delete', name: `${name}-w` });
  const batch = (await api.tenant('POST', '/batches', file)).body.job.id;
  await atProvider(`${name}-w`);
  const canceling = await api.tenant('POST', `/jobs/${batch}/cancel`, { reason: 'not wanted' });
  expect(canceling.status).toBe(202);
  const operation = await operationJob(name, 'v');
  expect(await api.jobWhen(operation, held)).toMatchObject({ rollback: 'stuck', leftovers: ['create'] });
  expect((await api.job(batch)).state).toBe('RUNNING');
  await simulator.settings({ latencyMs: {} });
  await simulator.removeFault(fault);
  await api.settled(operation, 'retry');
  expect(await api.jobWhen(batch)).toMatchObject({ state: 'CANCELED', rollback: 'complete', leftovers: [] });
  expect((await simulator.inventory()).filter((resource) => resource.name === `${name}-w`)).toEqual([]);
});

test('a cancel that was accepted is kept, though the step is done by then', async () => {
  const { api, simulator } = platform;
  const name = newName();
  await simulator.settings({ latencyMs: { 'volume.create': 1000 } });
  const { body } = await api.tenant('POST', '/volumes', { name, region: 'tpe-1', sizeGib: 1 });
  await until('the volume to be nearly made', async () => {
    const [call] = (await simulator.calls()).filter((found) => found.name === name && found.operation === 'volume.get');
    return call;
  });
  expect(await api.canceled(body.job.id)).toMatchObject({ state: 'CANCELED', rollback: 'complete' });
  await simulator.settings({ latencyMs: {} });
  expect((await api.tenant('GET', `/volumes/${name}`)).status).toBe(404);
});

test('many large operations begin together without an answer that is too large', async () => {
  const { api } = platform;
  const name = newName();
  const userData = 'x'.repeat(60_000);
  const operations = Array.from({ length: 40 }, (_, index) => ({
    id: `v${index}`,
    type: 'vm.create',
    region: 'tpe-1',
    with: { name: `${name}-${index}`, flavor: 'small', image: 'debian-13', userData },
  }));
  const answer = await api.tenant('POST', '/batches', JSON.stringify({ name, parallelLimit: 40, operations }));
  expect(await api.jobWhen(answer.body.job.id)).toMatchObject({ state: 'SUCCEEDED' });
});

test('what an operator gave up is not said to be undone', async () => {
  const { api, simulator } = platform;
  const name = newName();
  const faults = [
    await simulator.fault({ effect: 'accept-then-drop', operation: 'volume.create', name }),
    await simulator.fault({ effect: 'permanent', operation: 'volume.get', name }),
    await simulator.fault({ effect: 'permanent', operation: 'volume.delete', name }),
  ];
  const file = `name: ${name}
operations:
  - { id: other, type: volume.create, region: tpe-1, with: { name: ${name}-o, sizeGib: 1 } }
  - { id: v, type: volume.create, region: tpe-1, dependsOn: [other], with: { name: ${name}, sizeGib: 1 } }`;
  const batch = (await api.tenant('POST', '/batches', file)).body.job.id;
  const operation = await until('the operation to be held', async () => {
    const id = await operationJob(name, 'v');
    return id !== null && (await api.job(id)).state === 'HELD' && id;
  });
  await api.settled(operation, 'abandon');
  expect(await api.jobWhen(batch)).toMatchObject({ state: 'FAILED', rollback: 'stuck', leftovers: ['v'] });
  for (const id of faults) await simulator.removeFault(id);
  expect(await api.done('DELETE', `/volumes/${name}`)).toMatchObject({ state: 'SUCCEEDED' });
});

test('an operation that is held does not keep the rest of its batch waiting for its slot', async () => {
  const { api, simulator } = platform;
  const name = newName();
  const fault = await simulator.fault({ effect: 'permanent', operation: 'volume.create', name: `${name}-a` });
  const file = `name: ${name}
onFailure: hold
parallelLimit: 1
operations:
  - { id: a, type: volume.create, region: tpe-1, with: { name: ${name}-a, sizeGib: 1 } }
  - { id: b, type: volume.create, region: tpe-1, with: { name: ${name}-b, sizeGib: 1 } }`;
  const batch = (await api.tenant('POST', '/batches', file)).body.job.id;
  await until('b to be done', async () => {
    const { counts } = (await api.tenant('GET', `/batches/${name}`)).body;
    return counts.SUCCEEDED === 1;
  });
  await simulator.removeFault(fault);
  await api.settled(await operationJob(name, 'a'), 'retry');
  expect(await api.jobWhen(batch)).toMatchObject({ state: 'SUCCEEDED' });
});

test('a job that nobody has begun is canceled without anybody', async () => {
  const idle = await startTestPlatform({ control: false });
  try {
    const { body } = await idle.api.tenant('POST', '/volumes', { name: 'waits', region: 'tpe-1', sizeGib: 1 });
    expect(await idle.api.canceled(body.job.id)).toMatchObject({ state: 'CANCELED', rollback: 'none' });
    expect((await idle.api.tenant('GET', '/volumes/waits')).status).toBe(404);
    await expectConsistent(idle);
  } finally {
    await idle.stop();
  }
});

test('an activity that comes late begins nothing for a batch that has ended', async () => {
  const { api, sql } = platform;
  const name = newName();
  const fault = await platform.simulator.fault({ effect: 'permanent', operation: 'volume.create', name: `${name}-a` });
  const file = `name: ${name}
operations:
  - { id: a, type: volume.create, region: tpe-1, with: { name: ${name}-a, sizeGib: 1 } }
  - { id: b, type: volume.create, region: tpe-1, dependsOn: [a], with: { name: ${name}-b, sizeGib: 1 } }`;
  const { body } = await api.tenant('POST', '/batches', file);
  expect(await api.jobWhen(body.job.id)).toMatchObject({ state: 'FAILED' });
  await platform.simulator.removeFault(fault);
  const { config } = platform;
  const database = openDatabase(config.DATABASE_URL ?? '');
  const activities = createControlActivities({
    database,
    catalog: catalogReader(database),
    limits: jobLimits(config),
    sealer: openSealer(config, database.sql),
    suspectShare: 0.2,
    registry: new Registry(),
    log: createLogger('test', 'silent'),
  });
  const begun = await activities.beginOperations(body.resource.id, [{ operationId: 'b', direction: 'forth' }]);
  await database.close();
  expect(begun).toEqual([{ error: expect.objectContaining({ code: 'conflict' }) }]);
  expect(await sql`SELECT FROM resources WHERE name = ${`${name}-b`}`).toEqual([]);
});

test('the job of an operation whose batch has ended without it is found, and undone', async () => {
  const { api, simulator, sql } = platform;
  const name = newName();
  await simulator.settings({ latencyMs: { 'volume.create': 1500 } });
  const file = `name: ${name}
operations: [{ id: v, type: volume.create, region: tpe-1, with: { name: ${name}, sizeGib: 1 } }]`;
  const { body } = await api.tenant('POST', '/batches', file);
  await atProvider(name);
  const operation = await operationJob(name, 'v');
  await platform.terminate(body.job.workflowId);
  // What no release should do, and none is known to.
  const end = { state: 'CANCELED', rollback: 'none', error: null, cancelRequested: true, nextAttemptAt: null } as const;
  const at = new Date().toISOString();
  await recordTransitions(sql, [{ ...end, jobId: body.job.id, sequence: 99, epoch: 99, at, leftovers: [] }]);
  const ended = await api.jobWhen(operation);
  expect(ended).toMatchObject({ state: 'CANCELED', rollback: 'complete' });
  expect(ended.workflowId).not.toBe(body.job.workflowId);
  await simulator.settings({ latencyMs: {} });
});

test('a job whose workflow runs is not said to be revived, and what that workflow records is not refused', async () => {
  const { api, simulator, sql, config, temporal } = platform;
  const name = newName();
  await simulator.settings({ latencyMs: { 'volume.create': 1500 } });
  const { body } = await api.tenant('POST', '/volumes', { name, region: 'tpe-1', sizeGib: 1 });
  await atProvider(name);
  const hosting = { sql, client: temporal, sealer: openSealer(config, sql) };
  // As for whoever looked for it where it is not.
  const looked = { id: body.job.id, workflowId: `${body.job.workflowId}-elsewhere` };
  expect(await reviveJob(hosting, looked)).toBe('running');
  await simulator.settings({ latencyMs: {} });
  expect(await api.jobWhen(body.job.id)).toMatchObject({ state: 'SUCCEEDED', steps: [{ attempts: 1 }] });
  expect(await sql`SELECT epoch FROM jobs WHERE id = ${body.job.id}`).toEqual([{ epoch: 0 }]);
});

test('afterwards the data centre has what the database says', async () => {
  await expectConsistent(platform);
});

import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectConsistent } from '../harness/consistency.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { readEvents } from '../harness/sse.ts';
import { until } from '../harness/until.ts';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform();
});
afterAll(() => platform.stop());

const volume = (name: string) => ({ name, region: 'tpe-1', sizeGib: 1 });

test('a step that fails transiently shows RETRYING with its error and next try, then succeeds', async () => {
  const { api, simulator } = platform;
  await simulator.fault({
    effect: 'throttle',
    operation: 'volume.create',
    name: 'shaky',
    retryAfterSeconds: 1,
    times: 1,
  });
  const asked = Date.now();
  const answer = await api.tenant('POST', '/volumes', volume('shaky'));
  const retrying = await api.jobWhen(answer.body.job.id, ({ state }) => state === 'RETRYING');
  expect(retrying).toMatchObject({
    waitingFor: expect.stringContaining('next attempt'),
    steps: [{ name: 'create', state: 'RETRYING', attempts: 1, error: { providerClass: 'transient' } }],
  });
  expect(Date.parse(retrying.nextAttemptAt ?? '') - asked).toBeGreaterThanOrEqual(1000);
  expect(await api.jobWhen(answer.body.job.id)).toMatchObject({
    state: 'SUCCEEDED',
    nextAttemptAt: null,
    error: null,
    steps: [{ attempts: 2, error: null }],
  });
});

test('a step that never succeeds is tried as often as it may be, then undone', async () => {
  const { api, simulator } = platform;
  await simulator.fault({ effect: 'transient', operation: 'volume.create', name: 'never' });
  const job = await api.done('POST', '/volumes', volume('never'));
  expect(job).toMatchObject({ state: 'FAILED', rollback: 'complete', error: { providerClass: 'transient' } });
  expect(
    (await simulator.calls()).filter(({ operation, name }) => operation === 'volume.create' && name === 'never'),
  ).toHaveLength(4);
  expect(await api.tenant('GET', '/volumes/never')).toMatchObject({ status: 404 });
});

test('a permanent error is not tried again', async () => {
  const { api, simulator } = platform;
  await simulator.fault({ effect: 'permanent', operation: 'volume.create', name: 'refused' });
  expect(await api.done('POST', '/volumes', volume('refused'))).toMatchObject({
    state: 'FAILED',
    error: { providerClass: 'permanent' },
  });
  expect(
    (await simulator.calls()).filter(({ operation, name }) => operation === 'volume.create' && name === 'refused'),
  ).toHaveLength(1);
});

test('after a lost answer the resource is looked up by its key before anything else is asked', async () => {
  const { api, simulator } = platform;
  await simulator.fault({ effect: 'accept-then-drop', operation: 'volume.create', name: 'dropped', times: 1 });
  expect(await api.done('POST', '/volumes', volume('dropped'))).toMatchObject({
    state: 'SUCCEEDED',
    steps: [{ attempts: 2 }],
  });
  const { body } = await api.tenant('GET', '/volumes/dropped');
  const calls = (await simulator.calls()).filter(({ key }) => key === body.id).map(({ operation }) => operation);
  expect(calls.filter((operation) => operation === 'volume.create')).toHaveLength(1);
  expect(calls[calls.indexOf('volume.create') + 1]).toBe('volume.get');
});

test('a call that hangs is given up, looked up and made again', async () => {
  const { api, simulator } = platform;
  await simulator.fault({ effect: 'hang', operation: 'volume.create', name: 'hanging', times: 1 });
  expect(await api.done('POST', '/volumes', volume('hanging'))).toMatchObject({
    state: 'SUCCEEDED',
    steps: [{ attempts: 2 }],
  });
});

test('an undo that keeps failing holds the job with what is left, and a settlement ends it', async () => {
  const { api, simulator } = platform;
  // It is made, though every answer is lost; then it can be neither looked up nor deleted.
  await simulator.fault({ effect: 'accept-then-drop', operation: 'volume.create', name: 'stuck' });
  await simulator.fault({ effect: 'permanent', operation: 'volume.get', name: 'stuck' });
  await simulator.fault({ effect: 'permanent', operation: 'volume.delete', name: 'stuck' });
  const answer = await api.tenant('POST', '/volumes', volume('stuck'));
  const held = await api.jobWhen(answer.body.job.id, ({ state }) => state === 'HELD');
  expect(held).toMatchObject({
    rollback: 'stuck',
    leftovers: ['create'],
    waitingFor: expect.stringContaining('settle'),
    endedAt: null,
  });
  await until('the workflow to ask for attention', async () => {
    const { searchAttributes } = await platform.temporal.workflow.getHandle(held.workflowId).describe();
    return searchAttributes.NeedsAttention?.[0] === true;
  });
  await simulator.clearFaults();
  const settled = await api.tenant('POST', `/jobs/${held.id}/settle`, {
    action: 'retry',
    reason: 'the provider is mended',
  });
  expect(settled.status).toBe(200);
  const audited =
    await platform.sql`SELECT actor, reason FROM audit_entries WHERE job_id = ${held.id} AND action = 'job.settle.retry'`;
  expect(audited).toEqual([{ actor: 'operator', reason: 'the provider is mended' }]);
  expect(await api.jobWhen(held.id)).toMatchObject({ state: 'FAILED', rollback: 'complete', leftovers: [] });
  expect((await simulator.names()).filter((name) => name.includes('stuck'))).toEqual([]);
  expect(await api.tenant('POST', `/jobs/${held.id}/settle`, { action: 'retry', reason: 'once more' })).toMatchObject({
    status: 409,
  });
});

test('the events of a job come in order, each once, and go on after the last one seen', async () => {
  const { api } = platform;
  const answer = await api.tenant('POST', '/volumes', volume('watched'));
  const path = `/api/tenant/v1/jobs/${answer.body.job.id}/events`;
  const events = await readEvents(api, path);
  expect(events.map(({ event, data }) => `${event} ${data.state} ${data.step?.state ?? ''}`.trim())).toEqual([
    'job.accepted PENDING',
    'job.step RUNNING RUNNING',
    'job.step RUNNING SUCCEEDED',
    'job.ended SUCCEEDED',
  ]);
  const rest = await readEvents(api, path, events[1]?.id);
  expect(rest.map(({ id }) => id)).toEqual(events.slice(2).map(({ id }) => id));
});

test('a stream refuses an id that is not its own', async () => {
  const answer = await platform.api.tenant('POST', '/volumes', volume('unwatched'));
  const path = `/jobs/${answer.body.job.id}/events`;
  expect(await platform.api.tenant('GET', path, undefined, { 'last-event-id': 'nonsense' })).toMatchObject({
    status: 400,
  });
});

test('an operator sees regions and workers with their heartbeats', async () => {
  const workers = await until('three workers', async () => {
    const { body } = await platform.api.get('/api/ops/v1/workers');
    return body.items.length === 3 && body.items;
  });
  expect(workers).toContainEqual(
    expect.objectContaining({
      role: 'region',
      region: 'tpe-1',
      status: 'running',
      drivers: [expect.stringMatching(/^simulator@/)],
    }),
  );
  expect(await platform.api.get('/api/ops/v1/regions')).toMatchObject({
    status: 200,
    body: {
      items: [
        { name: 'nrt-1', status: 'online' },
        { name: 'tpe-1', status: 'online', providers: ['simulator'] },
      ],
    },
  });
});

test('afterwards the data centre has what the database says, and every quota equals a recount', async () => {
  await until('all jobs to end', async () => {
    const [row] = await platform.sql`SELECT count(*) FROM jobs WHERE ended_at IS NULL`;
    return row?.count === '0';
  });
  await expectConsistent(platform);
});

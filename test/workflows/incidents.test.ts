import { afterAll, beforeAll, expect, test } from 'vitest';
import { hasEnded, type JobView } from '../../src/domain/job.ts';
import { expectConsistent } from '../harness/consistency.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { until } from '../harness/until.ts';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform();
});
afterAll(() => platform.stop());

const machine = (name: string, more: object = {}) => ({
  name,
  region: 'tpe-1',
  flavor: 'small',
  image: 'debian-13',
  ...more,
});

async function accepted(name: string, more: object = {}): Promise<string> {
  const { status, body } = await platform.api.tenant('POST', '/vms', machine(name, more));
  expect(status).toBe(202);
  return body.job.id;
}

const callsOf = async (operation: string, name: string): Promise<number> =>
  (await platform.simulator.calls()).filter((call) => call.operation === operation && call.name === name).length;
/** The provider has so many calls of this, whether or not it answers them. */
const calledFor = (operation: string, name: string, times = 1): Promise<unknown> =>
  until(`${operation} of ${name}`, async () => (await callsOf(operation, name)) >= times);

const held = (id: string): Promise<JobView> =>
  platform.api.jobWhen(id, ({ state }) => state === 'HELD' || hasEnded(state));
const gone = async (name: string): Promise<void> => {
  expect((await platform.api.tenant('GET', `/vms/${name}`)).status).toBe(404);
  expect((await platform.simulator.names()).filter((found) => found === `vm ${name}`)).toEqual([]);
};

test('a create and a delete that each lose three answers leave one machine, and then none', async () => {
  const { api, simulator } = platform;
  await simulator.fault({ effect: 'accept-then-drop', operation: 'vm.*', name: 'unheard', times: 3 });
  expect(await api.jobWhen(await accepted('unheard'))).toMatchObject({ state: 'SUCCEEDED', rollback: 'none' });
  expect((await simulator.names()).filter((name) => name === 'vm unheard')).toHaveLength(1);
  await simulator.fault({ effect: 'accept-then-drop', operation: 'vm.*', name: 'unheard', times: 3 });
  expect(await api.done('DELETE', '/vms/unheard')).toMatchObject({ state: 'SUCCEEDED' });
  await gone('unheard');
});

test('of twenty deletes at once one is done, and the rest name the job that is in the way', async () => {
  const { api, simulator } = platform;
  await api.done('POST', '/vms', machine('wanted-gone'));
  await simulator.fault({ effect: 'slow', operation: 'vm.delete', name: 'wanted-gone', times: 1, afterMs: 600 });
  const answers = await Promise.all(Array.from({ length: 20 }, () => api.tenant('DELETE', '/vms/wanted-gone')));
  const done = answers.filter(({ status }) => status === 202);
  expect(done).toHaveLength(1);
  const jobId = done[0]?.body.job.id;
  for (const { status, body } of answers.filter((answer) => answer !== done[0])) {
    expect({ status, jobId: body.jobId }).toEqual({ status: 409, jobId });
  }
  expect(await api.jobWhen(jobId)).toMatchObject({ state: 'SUCCEEDED' });
  await gone('wanted-gone');
});

test('twenty deletes at once under one key are one job', async () => {
  const { api } = platform;
  await api.done('POST', '/vms', machine('wanted-gone-once'));
  const key = { 'idempotency-key': 'wanted-gone-once' };
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => api.tenant('DELETE', '/vms/wanted-gone-once', undefined, key)),
  );
  expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(202));
  expect(new Set(answers.map(({ body }) => body.job.id)).size).toBe(1);
  expect(await api.jobWhen(answers[0]?.body.job.id)).toMatchObject({ state: 'SUCCEEDED' });
  const late = await api.tenant('DELETE', '/vms/wanted-gone-once', undefined, key);
  expect(late.body.job.id).toBe(answers[0]?.body.job.id);
});

test('a cancel during the undo is refused, and the undo comes to its end', async () => {
  const { api, simulator } = platform;
  await simulator.fault({ effect: 'permanent', operation: 'vm.create', name: 'half-undone' });
  await simulator.fault({ effect: 'slow', operation: 'vm.delete', name: 'half-undone', afterMs: 800 });
  await simulator.fault({ effect: 'hang', operation: 'vm.delete', times: 1 });
  const id = await accepted('half-undone');
  await api.jobWhen(id, ({ rollback }) => rollback === 'running');
  const answer = await api.tenant('POST', `/jobs/${id}/cancel`, { reason: 'too late' });
  expect(answer).toMatchObject({ status: 409, body: { code: 'conflict', jobId: id } });
  // Temporal's own cancel reaches the workflow, and the undo is shielded from it.
  await platform.cancel((await api.job(id)).workflowId);
  expect(await api.jobWhen(id)).toMatchObject({ state: 'FAILED', rollback: 'complete' });
  await gone('half-undone');
});

test('of a cancel and a success at the same moment one wins, and the machine is as the job says', async () => {
  const { api } = platform;
  const names = Array.from({ length: 24 }, (_, index) => `raced-${index}`);
  const raced = await Promise.all(
    names.map(async (name, index) => {
      const id = await accepted(name);
      // Each a little later than the one before, so that some come before the end, some with it, some after it.
      await api.jobWhen(id, ({ state, steps }) => index % 3 === 0 || steps.length > 0 || hasEnded(state));
      const { status } = await api.tenant('POST', `/jobs/${id}/cancel`, { reason: 'changed my mind' });
      return { name, status, job: await api.jobWhen(id) };
    }),
  );
  for (const { name, status, job } of raced) {
    expect([202, 409]).toContain(status);
    expect(['SUCCEEDED', 'CANCELED']).toContain(job.state);
    // A refusal means that nothing was canceled.
    if (status === 409) expect(job.state).toBe('SUCCEEDED');
    if (job.state === 'CANCELED') await gone(name);
    else
      expect((await api.tenant('GET', `/vms/${name}`)).body).toMatchObject({ status: 'running', currentJobId: null });
  }
});

test('of two operators who settle at once one is heard, and the job does that alone', async () => {
  const { api, simulator } = platform;
  const rounds = Array.from({ length: 8 }, async (_, index) => {
    const name = `disputed-${index}`;
    await simulator.fault({ effect: 'permanent', operation: 'vm.create', name, times: 1 });
    const id = await accepted(name, { onFailure: 'hold' });
    expect(await held(id)).toMatchObject({ state: 'HELD' });
    const settle = (action: string) => api.tenant('POST', `/jobs/${id}/settle`, { action, reason: `I say ${action}` });
    const [retry, rollback] = await Promise.all([settle('retry'), settle('rollback')]);
    expect([retry.status, rollback.status].toSorted()).toEqual([200, 409]);
    const job = await api.jobWhen(id);
    expect(job).toMatchObject(
      retry.status === 200 ? { state: 'SUCCEEDED', rollback: 'none' } : { state: 'FAILED', rollback: 'complete' },
    );
    if (rollback.status === 200) await gone(name);
  });
  await Promise.all(rounds);
});

test('a step whose time is up in the middle of a call says so, and is not tried again', async () => {
  const { api, simulator } = platform;
  const fault = await simulator.fault({ effect: 'slow', operation: 'vm.create', name: 'out-of-time', afterMs: 900 });
  await simulator.settings({ latencyMs: { 'vm.create': 60_000 } });
  const job = await api.jobWhen(await accepted('out-of-time', { timeoutSeconds: 2 }));
  await simulator.settings({ latencyMs: {} });
  await simulator.removeFault(fault);
  expect(job).toMatchObject({
    state: 'FAILED',
    rollback: 'complete',
    error: { code: 'unavailable', message: expect.stringContaining('was not done in the time it had') },
    // One try, and one undo.
    steps: [{ attempts: 2 }],
  });
  await gone('out-of-time');
});

/** In which phase a job is when its workflow is terminated, and what it takes to bring it there. */
const phases = {
  'its step is at the provider': {
    fault: { effect: 'hang', operation: 'vm.create', times: 1 },
    there: (job: JobView) => job.steps.some(({ state }) => state === 'RUNNING'),
    end: { state: 'SUCCEEDED', rollback: 'none' },
  },
  'its step waits for the next try': {
    fault: { effect: 'transient', operation: 'vm.create', times: 1, retryAfterSeconds: 3 },
    there: (job: JobView) => job.state === 'RETRYING',
    end: { state: 'SUCCEEDED', rollback: 'none' },
  },
  'it is held': {
    fault: { effect: 'permanent', operation: 'vm.create', times: 1 },
    there: (job: JobView) => job.state === 'HELD',
    end: { state: 'SUCCEEDED', rollback: 'none' },
    settle: true,
  },
  'it is being canceled': {
    fault: { effect: 'hang', operation: 'vm.create', times: 1 },
    there: (job: JobView) => job.cancelRequested,
    end: { state: 'CANCELED', rollback: 'complete' },
    cancel: true,
  },
} as const;

for (const [phase, { fault, there, end, ...more }] of Object.entries(phases)) {
  test(`a job whose workflow is terminated while ${phase} comes to its end all the same`, async () => {
    const { api, simulator } = platform;
    const name = phase.replaceAll(/[^a-z]+/g, '-');
    await simulator.fault({ ...fault, name });
    const id = await accepted(name, { onFailure: 'hold' });
    if ('cancel' in more) {
      await calledFor('vm.create', name);
      await api.tenant('POST', `/jobs/${id}/cancel`, { reason: 'not needed' });
    }
    const { workflowId } = await api.jobWhen(id, there);
    await platform.terminate(workflowId);
    if ('settle' in more) await api.settled(id, 'retry');
    expect(await api.jobWhen(id)).toMatchObject(end);
  });
}

test('a job whose workflow is terminated while it is undone, and again while the undo is stuck, is undone', async () => {
  const { api, simulator } = platform;
  const name = 'undone-twice-over';
  await simulator.fault({ effect: 'accept-then-drop', operation: 'vm.create', name });
  const unseen = await simulator.fault({ effect: 'permanent', operation: 'vm.get', name });
  const jam = await simulator.fault({ effect: 'permanent', operation: 'vm.delete', name });
  const id = await accepted(name);
  const { workflowId } = await api.jobWhen(id, ({ rollback }) => rollback === 'running');
  await platform.terminate(workflowId);
  const stuck = await api.jobWhen(id, ({ state, rollback }) => state === 'HELD' && rollback === 'stuck');
  expect(stuck).toMatchObject({ leftovers: ['create'], settlements: ['retry', 'mark-done', 'abandon'] });
  await platform.terminate(stuck.workflowId);
  await simulator.removeFault(unseen);
  await simulator.removeFault(jam);
  expect(await api.settled(id, 'retry')).toMatchObject({ state: 'FAILED', rollback: 'complete', leftovers: [] });
  await gone(name);
});

test('a batch whose workflow is terminated while an operation is held, and while it rolls back, leaves nothing', async () => {
  const { api, simulator } = platform;
  await simulator.fault({ effect: 'permanent', operation: 'vm.create', name: 'twice-shot-web' });
  await simulator.fault({ effect: 'slow', operation: 'network.delete', name: 'twice-shot-net', afterMs: 700 });
  const file = `name: twice-shot
onFailure: hold
operations:
  - { id: net, type: network.create, region: tpe-1, with: { name: twice-shot-net, cidr: 10.77.0.0/24 } }
  - { id: data, type: volume.create, region: tpe-1, with: { name: twice-shot-data, sizeGib: 1 } }
  - { id: web, type: vm.create, region: tpe-1, with: { name: twice-shot-web, flavor: small, image: debian-13, networks: [twice-shot-net] } }
`;
  const { body } = await api.tenant('POST', '/batches', file);
  const web = await until('web to be held', async () => {
    const { body: page } = await api.tenant('GET', `/jobs?batch=${body.resource.id}&state=HELD`);
    return page.items[0];
  });
  await platform.terminate(web.workflowId);
  await api.settled(web.id, 'rollback');
  await held(body.job.id);
  await api.tenant('POST', `/jobs/${body.job.id}/settle`, { action: 'rollback', reason: 'it will not be' });
  await calledFor('network.delete', 'twice-shot-net');
  await platform.terminate((await api.job(body.job.id)).workflowId);
  expect(await api.jobWhen(body.job.id)).toMatchObject({ state: 'FAILED', rollback: 'complete' });
  expect((await simulator.names()).filter((name) => name.includes('twice-shot'))).toEqual([]);
});

test('afterwards the data centre has what the database says, and every quota equals a recount', async () => {
  await expectConsistent(platform);
});

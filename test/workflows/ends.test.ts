import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasEnded, type JobView, type Settlement } from '../../src/domain/job.ts';
import { cancelSignal, settleSignal } from '../../temporal/names.ts';
import { expectConsistent } from '../harness/consistency.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform();
});
afterAll(() => platform.stop());

const newName = (): string => `e-${randomUUID().slice(0, 8)}`;
const volume = (name: string, more: object = {}) => ({ name, region: 'tpe-1', sizeGib: 1, ...more });
const settledOrHeld = ({ state }: JobView): boolean => hasEnded(state) || state === 'HELD';
const decide = (id: string, action: string, reason = 'seen to') =>
  platform.api.tenant('POST', `/jobs/${id}/settle`, { action, reason });
const cancel = (id: string) => platform.api.tenant('POST', `/jobs/${id}/cancel`, { reason: 'not wanted' });

/** A create whose one step failed for good and that waits for a decision. */
async function held(): Promise<{ name: string; job: JobView; mend: () => Promise<void> }> {
  const { api, simulator } = platform;
  const name = newName();
  const fault = await simulator.fault({ effect: 'permanent', operation: 'volume.create', name });
  const answer = await api.tenant('POST', '/volumes', volume(name, { onFailure: 'hold' }));
  const job = await api.jobWhen(answer.body.job.id, settledOrHeld);
  return { name, job, mend: () => simulator.removeFault(fault) };
}

/** A create whose undo fails as well. */
async function stuck(): Promise<{ name: string; job: JobView; mend: () => Promise<void> }> {
  const { api, simulator } = platform;
  const name = newName();
  const faults = await Promise.all([
    simulator.fault({ effect: 'accept-then-drop', operation: 'volume.create', name }),
    simulator.fault({ effect: 'permanent', operation: 'volume.get', name }),
    simulator.fault({ effect: 'permanent', operation: 'volume.delete', name }),
  ]);
  const answer = await api.tenant('POST', '/volumes', volume(name));
  const job = await api.jobWhen(answer.body.job.id, settledOrHeld);
  return { name, job, mend: async () => void (await Promise.all(faults.map((id) => simulator.removeFault(id)))) };
}

const resource = async (name: string) => (await platform.api.tenant('GET', `/volumes/${name}`)).body;

describe('a held create says why, what it may have left, and its ways out', () => {
  test.concurrent('it shows them', async () => {
    const { job } = await held();
    expect(job).toMatchObject({
      state: 'HELD',
      rollback: 'none',
      error: { providerClass: 'permanent' },
      leftovers: ['create'],
      settlements: ['retry', 'skip', 'rollback', 'mark-done', 'abandon'],
      waitingFor: expect.stringContaining('a decision'),
      steps: [{ name: 'create', state: 'FAILED' }],
    });
    expect(await platform.api.settled(job.id, 'rollback')).toMatchObject({ state: 'FAILED', rollback: 'complete' });
  });

  const ends: readonly (readonly [Settlement, object, string | undefined])[] = [
    ['retry', { state: 'SUCCEEDED', rollback: 'none', error: null, leftovers: [] }, 'available'],
    ['skip', { state: 'SUCCEEDED', rollback: 'none', steps: [{ state: 'SKIPPED' }] }, 'available'],
    ['mark-done', { state: 'SUCCEEDED', rollback: 'none', error: null }, 'available'],
    ['rollback', { state: 'FAILED', rollback: 'complete', leftovers: [], steps: [{ state: 'UNDONE' }] }, undefined],
    ['abandon', { state: 'FAILED', rollback: 'none', leftovers: ['create'] }, 'error'],
  ];
  for (const [action, end, status] of ends) {
    test.concurrent(`${action} ends it as ${JSON.stringify(end)}`, async () => {
      const { name, job, mend } = await held();
      await mend();
      expect(await platform.api.settled(job.id, action)).toMatchObject(end);
      expect((await resource(name)).status).toBe(status ?? 404);
      // Whatever was decided, what is there can be deleted, and nothing is left.
      if (status) expect(await platform.api.done('DELETE', `/volumes/${name}`)).toMatchObject({ state: 'SUCCEEDED' });
    });
  }

  test.concurrent('retried in vain it is held again', async () => {
    const { job } = await held();
    expect((await decide(job.id, 'retry')).status).toBe(200);
    const again = await platform.api.jobWhen(
      job.id,
      ({ state, steps }) => state === 'HELD' && steps[0]?.attempts === 2,
    );
    expect(again.settlements).toContain('retry');
    await platform.api.settled(job.id, 'rollback');
  });
});

describe('a rollback that is stuck', () => {
  for (const [action, end, status] of [
    ['retry', { state: 'FAILED', rollback: 'complete', leftovers: [] }, 404],
    ['mark-done', { state: 'FAILED', rollback: 'complete', leftovers: [] }, 404],
    ['abandon', { state: 'FAILED', rollback: 'stuck', leftovers: ['create'] }, 'error'],
  ] as const) {
    test.concurrent(`${action} ends it as ${JSON.stringify(end)}`, async () => {
      const { name, job, mend } = await stuck();
      expect(job).toMatchObject({
        state: 'HELD',
        rollback: 'stuck',
        leftovers: ['create'],
        settlements: ['retry', 'mark-done', 'abandon'],
      });
      await mend();
      if (action === 'mark-done') await platform.simulator.removeByHand(name);
      expect(await platform.api.settled(job.id, action)).toMatchObject(end);
      expect((await resource(name)).status).toBe(status);
      if (status === 'error') await platform.api.done('DELETE', `/volumes/${name}`);
    });
  }

  test.concurrent('its workflow gone, it is taken up where it was', async () => {
    const { name, job, mend } = await stuck();
    await platform.terminate(job.workflowId);
    await mend();
    expect(await platform.api.settled(job.id, 'retry')).toMatchObject({ state: 'FAILED', rollback: 'complete' });
    expect((await resource(name)).status).toBe(404);
  });
});

test('what does not apply is refused, naming what does; and a decision needs a reason', async () => {
  const { job } = await stuck();
  expect(await decide(job.id, 'skip')).toMatchObject({
    status: 409,
    body: { jobId: job.id, detail: expect.stringContaining('retry, mark-done, abandon') },
  });
  expect(await decide(job.id, 'forget')).toMatchObject({ status: 400 });
  expect(await decide(job.id, 'retry', '   ')).toMatchObject({
    status: 400,
    body: { errors: [{ pointer: '/reason' }] },
  });
  expect(await cancel(job.id)).toMatchObject({
    status: 409,
    body: { detail: expect.stringContaining('undone already') },
  });
  await platform.simulator.clearFaults();
  await platform.api.settled(job.id, 'retry');
  expect(await decide(job.id, 'retry')).toMatchObject({ status: 409 });
  expect(await cancel(job.id)).toMatchObject({ status: 409, body: { detail: expect.stringContaining('has ended') } });
  expect(await decide(randomUUID(), 'retry')).toMatchObject({ status: 404 });
});

test('of two operators who settle at once one is heard', async () => {
  const { job, mend } = await held();
  await mend();
  const answers = await Promise.all([decide(job.id, 'rollback'), decide(job.id, 'retry'), decide(job.id, 'abandon')]);
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  expect(answers.filter(({ status }) => status === 409)).toHaveLength(2);
  expect(hasEnded((await platform.api.jobWhen(job.id)).state)).toBe(true);
});

test('the signal twins settle and cancel from the Temporal Web UI', async () => {
  const [one, other] = await Promise.all([held(), held()]);
  const { workflow } = platform.temporal;
  await workflow.getHandle(one.job.workflowId).signal(settleSignal, { action: 'rollback' });
  expect(await platform.api.jobWhen(one.job.id)).toMatchObject({ state: 'FAILED', rollback: 'complete' });
  await workflow.getHandle(other.job.workflowId).signal(cancelSignal);
  expect(await platform.api.jobWhen(other.job.id)).toMatchObject({ state: 'CANCELED', rollback: 'complete' });
});

test('a job canceled before anything was done leaves the resource as it was', async () => {
  const idle = await startTestPlatform({ control: false });
  try {
    const { api, sql } = idle;
    const create = await api.tenant('POST', '/volumes', volume('kept'));
    await sql`UPDATE resources SET status = 'available', current_job_id = NULL WHERE id = ${create.body.resource.id}`;
    const removal = await api.tenant('DELETE', '/volumes/kept');
    const { recordTransitions } = await import('../../src/db/queries/record.ts');
    await recordTransitions(sql, [
      {
        jobId: removal.body.job.id,
        sequence: 1,
        at: new Date().toISOString(),
        state: 'CANCELED',
        rollback: 'none',
        error: { code: 'conflict', message: 'Canceled.' },
        cancelRequested: true,
        nextAttemptAt: null,
        leftovers: [],
        resource: 'untouched',
      },
    ]);
    expect((await api.tenant('GET', '/volumes/kept')).body).toMatchObject({
      status: 'available',
      statusReason: null,
      currentJobId: null,
    });
  } finally {
    await idle.stop();
  }
});

describe('deadlines', () => {
  test.concurrent('a job that is not done in its time is undone, and says so', async () => {
    const { api, simulator } = platform;
    const name = newName();
    const fault = await simulator.fault({ effect: 'hang', operation: 'volume.create', name });
    const answer = await api.tenant('POST', '/volumes', volume(name, { timeoutSeconds: 1 }));
    expect(answer.body.job.deadlineAt).toEqual(expect.any(String));
    const job = await api.jobWhen(answer.body.job.id, ({ rollback }) => rollback !== 'none');
    expect(job.error?.message).toMatch(/time it had|did not answer/);
    await simulator.removeFault(fault);
    expect(await api.jobWhen(job.id)).toMatchObject({ state: 'FAILED', rollback: 'complete' });
  });

  test.concurrent('one that is held past it can still be retried', async () => {
    const { api, simulator } = platform;
    const name = newName();
    const fault = await simulator.fault({ effect: 'transient', operation: 'volume.create', name });
    const answer = await api.tenant('POST', '/volumes', volume(name, { timeoutSeconds: 1, onFailure: 'hold' }));
    const job = await api.jobWhen(answer.body.job.id, settledOrHeld);
    expect(job.state).toBe('HELD');
    await simulator.removeFault(fault);
    expect(await api.settled(job.id, 'retry')).toMatchObject({ state: 'SUCCEEDED' });
  });

  test.concurrent('no deadline is longer than a year, or shorter than a second', async () => {
    for (const timeoutSeconds of [0, 1.5, 31_536_001, 'soon']) {
      expect(await platform.api.tenant('POST', '/volumes', volume(newName(), { timeoutSeconds }))).toMatchObject({
        status: 400,
        body: { errors: [{ pointer: '/timeoutSeconds' }] },
      });
    }
  });
});

test('afterwards the data centre has what the database says', async () => {
  const { body } = await platform.api.tenant('GET', '/volumes');
  // What an operator marked as done without it being there is the operator's word.
  for (const { name } of body.items) await platform.api.done('DELETE', `/volumes/${name}`);
  await expectConsistent(platform);
});

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasEnded, type JobView } from '../../src/domain/job.ts';
import { expectConsistent } from '../harness/consistency.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { until } from '../harness/until.ts';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform();
});
afterAll(() => platform.stop());

const settledOrHeld = ({ state }: JobView): boolean => hasEnded(state) || state === 'HELD';

/** A chain `a`, `b`, `c` and beside it `x`, of volumes. */
const file = (name: string, onFailure: string): string => `
name: ${name}
onFailure: ${onFailure}
operations:
  - { id: a, type: volume.create, region: tpe-1, with: { name: ${name}-a, sizeGib: 1 } }
  - { id: b, type: volume.create, region: tpe-1, dependsOn: [a], with: { name: ${name}-b, sizeGib: 1 } }
  - { id: c, type: volume.create, region: tpe-1, dependsOn: [b], with: { name: ${name}-c, sizeGib: 1 } }
  - { id: x, type: volume.create, region: tpe-1, with: { name: ${name}-x, sizeGib: 1 } }
`;

async function failing(onFailure: string): Promise<{ name: string; jobId: string; mend: () => Promise<void> }> {
  const name = `b-${randomUUID().slice(0, 8)}`;
  const fault = await platform.simulator.fault({ effect: 'permanent', operation: 'volume.create', name: `${name}-b` });
  const answer = await platform.api.tenant('POST', '/batches', file(name, onFailure));
  expect(answer.status).toBe(202);
  return { name, jobId: answer.body.job.id, mend: () => platform.simulator.removeFault(fault) };
}

const states = async (name: string): Promise<Record<string, string>> => {
  const { body } = await platform.api.tenant('GET', `/batches/${name}`);
  return Object.fromEntries(body.operations.map(({ id, state }: { id: string; state: string }) => [id, state]));
};
const operationJob = async (name: string, id: string): Promise<string | null> => {
  const { body } = await platform.api.tenant('GET', `/batches/${name}`);
  return body.operations.find((operation: { id: string }) => operation.id === id).jobId;
};
const statesWhen = (name: string, wanted: Record<string, string>) =>
  until(`${name} to be ${JSON.stringify(wanted)}`, async () => {
    const now = await states(name);
    return Object.entries(wanted).every(([id, state]) => now[id] === state) && now;
  });

describe('keep', () => {
  test.concurrent('what is done stays, what does not depend on the failure is done, and the rest is skipped', async () => {
    const { name, jobId } = await failing('keep');
    expect(await platform.api.jobWhen(jobId)).toMatchObject({
      state: 'FAILED',
      rollback: 'none',
      error: { message: expect.stringContaining('Operation "b"') },
    });
    expect(await states(name)).toEqual({ a: 'SUCCEEDED', b: 'FAILED', c: 'SKIPPED', x: 'SUCCEEDED' });
  });
});

describe('hold', () => {
  test.concurrent('an operation that fails is held while the rest goes on, and a retry lets the batch end', async () => {
    const { name, jobId, mend } = await failing('hold');
    const held = await platform.api.jobWhen(await heldOperation(name, 'b'), settledOrHeld);
    expect(held).toMatchObject({ state: 'HELD', onFailure: 'hold' });
    await statesWhen(name, { a: 'SUCCEEDED', b: 'RUNNING', x: 'SUCCEEDED' });
    expect(await platform.api.job(jobId)).toMatchObject({
      state: 'RUNNING',
      waitingFor: expect.stringContaining('operation "b"'),
    });
    await mend();
    await platform.api.settled(held.id, 'retry');
    expect(await platform.api.jobWhen(jobId)).toMatchObject({ state: 'SUCCEEDED' });
  });

  test.concurrent('given up, it holds the batch, which can be retried as a whole', async () => {
    const { name, jobId, mend } = await failing('hold');
    await platform.api.settled(await heldOperation(name, 'b'), 'rollback');
    expect(await platform.api.jobWhen(jobId, settledOrHeld)).toMatchObject({
      state: 'HELD',
      rollback: 'none',
      settlements: ['retry', 'rollback', 'abandon'],
    });
    await mend();
    expect(await platform.api.settled(jobId, 'retry')).toMatchObject({ state: 'SUCCEEDED', error: null });
    expect(await states(name)).toEqual({ a: 'SUCCEEDED', b: 'SUCCEEDED', c: 'SUCCEEDED', x: 'SUCCEEDED' });
  });

  test.concurrent('held, it can be rolled back, and abandoned', async () => {
    for (const [action, rollback] of [
      ['rollback', 'complete'],
      ['abandon', 'none'],
    ] as const) {
      const { name, jobId } = await failing('hold');
      await platform.api.settled(await heldOperation(name, 'b'), 'rollback');
      await platform.api.jobWhen(jobId, settledOrHeld);
      expect(await platform.api.settled(jobId, action)).toMatchObject({ state: 'FAILED', rollback });
      const done = action === 'rollback' ? 'ROLLED_BACK' : 'SUCCEEDED';
      expect(await states(name)).toEqual({ a: done, b: 'FAILED', c: 'SKIPPED', x: done });
    }
  });

  test.concurrent('its workflow gone, the operation is settled all the same, and nothing is done twice', async () => {
    const { name, jobId, mend } = await failing('hold');
    const held = await platform.api.jobWhen(await heldOperation(name, 'b'), settledOrHeld);
    await statesWhen(name, { x: 'SUCCEEDED' });
    await platform.terminate(held.workflowId);
    await mend();
    await platform.api.settled(held.id, 'retry');
    expect(await platform.api.jobWhen(jobId)).toMatchObject({ state: 'SUCCEEDED' });
    const creates = (await platform.simulator.calls()).filter(
      ({ operation, name: of, fault }) => operation === 'volume.create' && of.startsWith(name) && fault === null,
    );
    expect(creates.map((call) => call.name).toSorted()).toEqual(['a', 'b', 'c', 'x'].map((id) => `${name}-${id}`));
  });
});

async function heldOperation(name: string, id: string): Promise<string> {
  return until(`operation ${id} of ${name} to be held`, async () => {
    const jobId = await operationJob(name, id);
    return jobId !== null && (await platform.api.job(jobId)).state === 'HELD' && jobId;
  });
}

describe('cancel', () => {
  async function underWay(): Promise<{ name: string; jobId: string; mend: () => Promise<void> }> {
    const name = `b-${randomUUID().slice(0, 8)}`;
    const fault = await platform.simulator.fault({ effect: 'hang', operation: 'volume.create', name: `${name}-b` });
    const answer = await platform.api.tenant('POST', '/batches', file(name, 'rollback'));
    await statesWhen(name, { a: 'SUCCEEDED', b: 'RUNNING', x: 'SUCCEEDED' });
    return { name, jobId: answer.body.job.id, mend: () => platform.simulator.removeFault(fault) };
  }

  test.concurrent('a canceled batch takes back what it did', async () => {
    const { name, jobId } = await underWay();
    expect(await platform.api.canceled(jobId)).toMatchObject({
      state: 'CANCELED',
      rollback: 'complete',
      error: { message: 'Canceled: the test wants it so' },
    });
    expect(await states(name)).toEqual({ a: 'ROLLED_BACK', b: 'CANCELED', c: 'SKIPPED', x: 'ROLLED_BACK' });
  });

  test.concurrent('its workflow terminated, it can still be canceled', async () => {
    const { name, jobId, mend } = await underWay();
    await platform.terminate((await platform.api.job(jobId)).workflowId);
    await platform.simulator.fault({ effect: 'hang', operation: 'volume.create', name: `${name}-c` });
    expect(await platform.api.canceled(jobId)).toMatchObject({ state: 'CANCELED', rollback: 'complete' });
    await mend();
    expect((await states(name)).a).toBe('ROLLED_BACK');
  });

  test.concurrent('terminated, and nobody does anything, it goes on by itself', async () => {
    const { name, jobId, mend } = await underWay();
    await platform.terminate((await platform.api.job(jobId)).workflowId);
    await mend();
    expect(await platform.api.jobWhen(jobId)).toMatchObject({ state: 'SUCCEEDED' });
    expect(await states(name)).toEqual({ a: 'SUCCEEDED', b: 'SUCCEEDED', c: 'SUCCEEDED', x: 'SUCCEEDED' });
  });
});

test('afterwards the data centre has what the database says', async () => {
  await platform.simulator.clearFaults();
  const { body } = await platform.api.tenant('GET', '/volumes');
  for (const { name, status } of body.items)
    if (status === 'error') await platform.api.done('DELETE', `/volumes/${name}`);
  await expectConsistent(platform);
});

import { afterAll, beforeAll, expect, test } from 'vitest';
import { createLogger } from '../../src/log.ts';
import { startRegionWorker } from '../../workers/region.ts';
import { expectConsistent } from '../harness/consistency.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { until } from '../harness/until.ts';

const log = createLogger('test', 'silent');
let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform({ regions: [], environment: { MILLWRIGHT_UNDO_WAIT_SECONDS: '2' } });
});
afterAll(() => platform.stop());

test('an undo whose region has no worker is held long before a step would be, says which region, and goes on by retry', async () => {
  const { api, simulator } = platform;
  const worker = await startRegionWorker('tpe-1')(platform.config, log);
  // Half done: there is something to take away.
  await simulator.fault({ effect: 'accept-then-drop', operation: 'volume.create', times: 1 });
  await simulator.fault({ effect: 'transient', operation: 'volume.get' });
  const { body } = await api.tenant('POST', '/volumes', {
    name: 'left',
    region: 'tpe-1',
    sizeGib: 1,
    onFailure: 'hold',
  });
  await api.jobWhen(body.job.id, ({ state }) => state === 'HELD');
  await worker.stop();
  await simulator.clearFaults();
  const settled = await api.tenant('POST', `/jobs/${body.job.id}/settle`, { action: 'rollback', reason: 'not wanted' });
  expect(settled.status).toBe(200);
  const held = await api.jobWhen(body.job.id, ({ rollback }) => rollback === 'stuck');
  expect(held).toMatchObject({
    state: 'HELD',
    leftovers: ['create'],
    settlements: ['retry', 'mark-done', 'abandon'],
    steps: [{ state: 'UNDO_FAILED', error: { code: 'unavailable', message: expect.stringContaining('region tpe-1') } }],
  });
  const back = await startRegionWorker('tpe-1')(platform.config, log);
  try {
    expect(await api.settled(held.id, 'retry')).toMatchObject({ state: 'FAILED', rollback: 'complete' });
    await expectConsistent(platform);
  } finally {
    await back.stop();
  }
});

test('a batch whose region has no worker to take it back is held as soon, says why, and goes on by retry', async () => {
  const { api } = platform;
  const worker = await startRegionWorker('tpe-1')(platform.config, log);
  const { body } = await api.tenant(
    'POST',
    '/batches',
    `name: taken-back
operations:
  - { id: made, type: volume.create, region: tpe-1, with: { name: taken-back, sizeGib: 1 } }
  - { id: ok, type: wait.approval, dependsOn: [made], with: { message: May it go on? } }
`,
  );
  await until('the approval to be waited for', async () => {
    const now = await api.tenant('GET', '/batches/taken-back?view=basic');
    return now.body.counts.WAITING === 1;
  });
  await worker.stop();
  expect((await api.tenant('POST', '/batches/taken-back/cancel', { reason: 'not wanted' })).status).toBe(202);
  const held = await api.jobWhen(body.job.id, ({ state }) => state === 'HELD');
  expect(held).toMatchObject({
    rollback: 'stuck',
    leftovers: ['made'],
    settlements: expect.arrayContaining(['retry']),
  });
  const batch = await api.tenant('GET', '/batches/taken-back');
  expect(batch.body.operations[0]).toMatchObject({
    state: 'ROLLBACK_FAILED',
    error: { code: 'unavailable', message: expect.stringContaining('No worker of region tpe-1') },
  });
  const back = await startRegionWorker('tpe-1')(platform.config, log);
  try {
    expect(await api.settled(held.id, 'retry')).toMatchObject({ state: 'CANCELED', rollback: 'complete' });
    await expectConsistent(platform);
  } finally {
    await back.stop();
  }
});

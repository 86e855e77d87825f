import { afterAll, beforeAll, expect, test } from 'vitest';
import { createLogger } from '../../src/log.ts';
import { startRegionWorker } from '../../workers/region.ts';
import { expectConsistent } from '../harness/consistency.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

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

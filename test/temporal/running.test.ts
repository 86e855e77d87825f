import { afterAll, beforeAll, expect, test } from 'vitest';
import { runningAmong } from '../../temporal/running.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { until } from '../harness/until.ts';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform({ regions: [] });
});
afterAll(() => platform.stop());

test('of many workflows those that run are found by their ids, and no others', async () => {
  const { api, temporal, terminate } = platform;
  const ids = await Promise.all(
    ['stays', 'other', 'goes'].map(async (name) => {
      const { body } = await api.tenant('POST', '/volumes', { name, region: 'tpe-1', sizeGib: 1 });
      return (await api.jobWhen(body.job.id, ({ state }) => state === 'RUNNING')).workflowId;
    }),
  );
  const [stays = '', other = '', goes = ''] = ids;
  await terminate(goes);
  // More than one question names, and some that need quoting.
  const unknown = Array.from({ length: 250 }, (_, index) => `no'such/${index}`);
  await until('the list to have caught up', async () => {
    const running = await runningAmong(temporal, [...unknown, stays, goes]);
    return running.size === 1 && running.has(stays);
  });
  expect(await runningAmong(temporal, unknown)).toEqual(new Set());
  expect(await runningAmong(temporal, [...unknown, other])).toEqual(new Set([other]));
});

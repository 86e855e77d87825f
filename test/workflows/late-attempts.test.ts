import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RegionActivities } from '../../activities/types.ts';
import { createLogger } from '../../src/log.ts';
import { startRegionWorker } from '../../workers/region.ts';
import { expectConsistent } from '../harness/consistency.ts';
import { startFrozenProxy } from '../harness/frozen-proxy.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { killNow, startRoleProcess } from '../harness/role-process.ts';
import { until } from '../harness/until.ts';

const log = createLogger('test', 'silent');
let platform: TestPlatform;
beforeAll(async () => {
  // Each lookup of a call is answered as late as the test wants it.
  platform = await startTestPlatform({ regions: [], environment: { MILLWRIGHT_PROVIDER_TIMEOUT_MS: '60000' } });
});
afterAll(() => platform.stop());

const volume = (name: string): object => ({ name, region: 'tpe-1', sizeGib: 1 });

/** Begins a create whose first lookup takes so long, and gives its job's id while that is under way. */
async function lookingUp(name: string, afterMs: number): Promise<string> {
  const { api, simulator } = platform;
  await simulator.clearCalls();
  await simulator.fault({ effect: 'slow', operation: 'volume.get', times: 1, afterMs });
  const { body } = await api.tenant('POST', '/volumes', volume(name));
  await until('the lookup', async () => (await simulator.calls()).some(({ operation }) => operation === 'volume.get'));
  return body.job.id;
}

/** Cancels the job, which another worker undoes; its own attempt is lost to Temporal meanwhile. */
async function undoneByAnother(jobId: string): Promise<() => Promise<void>> {
  const other = await startRegionWorker('tpe-1')(platform.config, log);
  expect(await platform.api.canceled(jobId)).toMatchObject({ state: 'CANCELED', rollback: 'complete' });
  return other.stop;
}

async function expectNothingChanged(): Promise<void> {
  const mutations = (await platform.simulator.calls()).filter(({ operation }) => !operation.endsWith('.get'));
  expect(mutations.map(({ operation }) => operation)).toEqual(['volume.delete']);
  expect(await platform.simulator.names()).toEqual([]);
  await expectConsistent(platform);
}

test('an attempt whose worker is cut off from Temporal changes nothing once its job may have been undone', async () => {
  const [host = '', port] = platform.config.TEMPORAL_ADDRESS?.split(':') ?? [];
  const proxy = await startFrozenProxy({ host, port: Number(port) });
  const attempts: Promise<unknown>[] = [];
  const wrap = (activities: RegionActivities): RegionActivities => ({
    ...activities,
    ensureVolume: (call, spec) => {
      const attempt = activities.ensureVolume(call, spec);
      attempts.push(attempt);
      return attempt;
    },
  });
  const cutOff = { ...platform.config, TEMPORAL_ADDRESS: `127.0.0.1:${proxy.port}` };
  const worker = await startRegionWorker('tpe-1', { wrap })(cutOff, log);
  const jobId = await lookingUp('cut-off', 7000);
  proxy.freeze();
  const stopOther = await undoneByAnother(jobId);
  // By its own question, or by the SDK, which gives an attempt up some seconds after Temporal does.
  await expect(attempts[0]).rejects.toBeInstanceOf(Error);
  await expectNothingChanged();
  proxy.thaw();
  await Promise.all([worker.stop(), stopOther()]);
  proxy.stop();
});

test('an attempt whose worker was frozen for longer than its heartbeat may be late changes nothing when it wakes', async () => {
  const worker = await startRoleProcess(platform.config, ['worker', 'region', '--region', 'tpe-1']);
  try {
    const jobId = await lookingUp('frozen', 2000);
    worker.kill('SIGSTOP');
    const stopOther = await undoneByAnother(jobId);
    worker.kill('SIGCONT');
    // It is awake again: it has an attempt of its own.
    await stopOther();
    expect(await platform.api.done('POST', '/volumes', volume('awake'))).toMatchObject({ state: 'SUCCEEDED' });
    expect((await platform.simulator.names()).filter((name) => name.includes('frozen'))).toEqual([]);
    await platform.api.done('DELETE', '/volumes/awake');
    await expectConsistent(platform);
  } finally {
    await killNow(worker);
  }
});

test('an attempt that runs too long to be trusted asks Temporal, and goes on', async () => {
  const worker = await startRegionWorker('tpe-1')(platform.config, log);
  try {
    const jobId = await lookingUp('slow', 5000);
    expect(await platform.api.jobWhen(jobId)).toMatchObject({ state: 'SUCCEEDED', steps: [{ attempts: 1 }] });
    await platform.api.done('DELETE', '/volumes/slow');
  } finally {
    await worker.stop();
  }
});

import { afterAll, beforeAll, expect, test } from 'vitest';
import { startApi } from '../../api/server.ts';
import { createLogger } from '../../src/log.ts';
import { startControlWorker } from '../../workers/control.ts';
import { startRegionWorker } from '../../workers/region.ts';
import { Api } from '../harness/api.ts';
import { expectConsistent } from '../harness/consistency.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { killNow, startRoleProcess } from '../harness/role-process.ts';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform({ control: false });
});
afterAll(() => platform.stop());

test('a crash between commit and workflow start loses nothing: the dispatcher starts what was left', async () => {
  const log = createLogger('test', 'silent');
  // An API whose every start is lost: it cannot reach Temporal. Then it dies.
  const config = { ...platform.config, TEMPORAL_ADDRESS: '127.0.0.1:9' };
  const crashing = await startApi(config, log);
  const api = new Api(`http://127.0.0.1:${crashing.port}`, platform.api.token);
  const answers = await Promise.all(
    [1, 2, 3].map((number) => api.tenant('POST', '/volumes', { name: `left-${number}`, region: 'tpe-1', sizeGib: 1 })),
  );
  expect(answers.map(({ status, body }) => [status, body.job.state])).toEqual(Array(3).fill([202, 'PENDING']));
  await crashing.stop();
  const roles = [
    await startControlWorker(platform.config, log),
    await startRegionWorker('tpe-1')(platform.config, log),
  ];
  try {
    const jobs = await Promise.all(answers.map(({ body }) => platform.api.jobWhen(body.job.id)));
    expect(jobs.map(({ state }) => state)).toEqual(['SUCCEEDED', 'SUCCEEDED', 'SUCCEEDED']);
    await expectConsistent(platform);
  } finally {
    await Promise.all(roles.map((role) => role.stop()));
  }
});

test('a job waits for the control worker, says so, and goes on where a killed one left it', async () => {
  const { api, simulator } = platform;
  const log = createLogger('test', 'silent');
  await simulator.settings({ latencyMs: { 'volume.create': 1500 } });
  const answer = await api.tenant('POST', '/volumes', { name: 'interrupted', region: 'tpe-1', sizeGib: 1 });
  expect(await api.job(answer.body.job.id)).toMatchObject({
    state: 'PENDING',
    waitingFor: expect.stringContaining('control worker'),
  });
  const region = await startRegionWorker('tpe-1')(platform.config, log);
  const doomed = await startRoleProcess(platform.config, ['worker', 'control']);
  await api.jobWhen(answer.body.job.id, ({ state }) => state === 'RUNNING');
  await killNow(doomed);
  const successor = await startRoleProcess(platform.config, ['worker', 'control']);
  try {
    expect(await api.jobWhen(answer.body.job.id)).toMatchObject({
      state: 'SUCCEEDED',
      steps: [{ name: 'create', attempts: 1 }],
    });
    const creations = (await simulator.calls()).filter(
      ({ operation, name }) => operation === 'volume.create' && name === 'interrupted',
    );
    expect(creations).toHaveLength(1);
  } finally {
    await Promise.all([killNow(successor), region.stop()]);
  }
});

test('a region without a worker keeps its own jobs waiting and no one else’s', async () => {
  const { api } = platform;
  const log = createLogger('test', 'silent');
  const roles = [
    await startControlWorker(platform.config, log),
    await startRegionWorker('tpe-1')(platform.config, log),
  ];
  try {
    const waiting = await api.tenant('POST', '/networks', { name: 'far', region: 'nrt-1', cidr: '10.1.0.0/24' });
    expect(await api.done('POST', '/networks', { name: 'near', region: 'tpe-1', cidr: '10.1.0.0/24' })).toMatchObject({
      state: 'SUCCEEDED',
    });
    expect(await api.job(waiting.body.job.id)).toMatchObject({
      state: 'RUNNING',
      waitingFor: expect.stringContaining('a worker of region nrt-1'),
    });
    roles.push(await startRegionWorker('nrt-1')(platform.config, log));
    expect(await api.jobWhen(waiting.body.job.id)).toMatchObject({ state: 'SUCCEEDED' });
  } finally {
    await Promise.all(roles.map((role) => role.stop()));
  }
});

import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Config } from '../../src/config/index.ts';
import { createLogger } from '../../src/log.ts';
import { deploymentName } from '../../temporal/deployment.ts';
import { startControlWorker } from '../../workers/control.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { until } from '../harness/until.ts';

let platform: TestPlatform;
let otherHome: string;
const log = createLogger('test', 'silent');

beforeAll(async () => {
  platform = await startTestPlatform();
  otherHome = mkdtempSync(join(tmpdir(), 'millwright-build-'));
});
afterAll(async () => {
  await platform.stop();
  rmSync(otherHome, { recursive: true, force: true });
});

/** A control worker whose workflows are not, byte for byte, those of the platform's. */
function otherBuild(): Config {
  const cache = join(otherHome, 'cache');
  cpSync(join(platform.config.home, 'cache'), cache, { recursive: true, dereference: true });
  for (const file of readdirSync(cache).filter((name) => name.endsWith('.js'))) {
    // Before it: what follows the source map at its end may be taken for a part of that.
    writeFileSync(join(cache, file), `// a later build\n${readFileSync(join(cache, file), 'utf8')}`);
  }
  return { ...platform.config, home: otherHome };
}

async function currentBuild(): Promise<string | null | undefined> {
  const { workerDeploymentInfo } = await platform.temporal.workflowService.describeWorkerDeployment({
    namespace: platform.config.TEMPORAL_NAMESPACE,
    deploymentName,
  });
  return workerDeploymentInfo?.routingConfig?.currentDeploymentVersion?.buildId;
}

const volume = (name: string) => ({ name, region: 'tpe-1', sizeGib: 1 });

test('a newer build takes over what is under way, and an older one only when no newer is left', {
  timeout: 120_000,
}, async () => {
  const { api, simulator } = platform;
  const older = await currentBuild();
  expect(older).toMatch(/^[0-9a-f]{12}$/);
  await simulator.settings({ latencyMs: { 'volume.create': 3000 } });
  const { body } = await api.tenant('POST', '/volumes', volume('under-way'));
  await api.jobWhen(body.job.id, ({ state }) => state === 'RUNNING');

  const successor = await startControlWorker(otherBuild(), log);
  const newer = await currentBuild();
  expect(newer).not.toBe(older);
  await platform.control.stop();
  expect(await api.jobWhen(body.job.id)).toMatchObject({ state: 'SUCCEEDED', steps: [{ attempts: 1 }] });
  await simulator.settings({ latencyMs: {} });

  const straggler = await startControlWorker(platform.config, log);
  expect(await currentBuild()).toBe(newer);
  expect(await api.done('POST', '/volumes', volume('beside'))).toMatchObject({ state: 'SUCCEEDED' });

  await successor.stop();
  await until('the older build to take over', async () => (await currentBuild()) === older, 60_000);
  expect(await api.done('POST', '/volumes', volume('after'))).toMatchObject({ state: 'SUCCEEDED' });
  await straggler.stop();
});

test('a control worker that comes back with the same build is at work at once', async () => {
  const { api, config } = platform;
  const before = await startControlWorker(config, log);
  await before.stop();
  const { body } = await api.tenant('POST', '/volumes', volume('waiting'));
  const again = await startControlWorker(config, log);
  expect(await api.jobWhen(body.job.id, undefined, 5000)).toMatchObject({ state: 'SUCCEEDED' });
  await again.stop();
});

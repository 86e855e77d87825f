import type { ChildProcess } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { OperationType } from '../../src/domain/kinds.ts';
import { operationTypes } from '../../src/domain/kinds.ts';
import { checkSaga, fragileRegion, type SagaCase, Wraps } from '../harness/check-saga.ts';
import { expectConsistent } from '../harness/consistency.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { killNow, startRoleProcess } from '../harness/role-process.ts';

const vm = (name: string, region: string) => ({ name, region, flavor: 'small', image: 'debian-13' });
const network = (name: string, region: string) => ({ name, region, cidr: '10.30.0.0/24' });
const volume = (name: string, region: string) => ({ name, region, sizeGib: 10 });

/** Every saga there is; one that is missing fails the type check. */
const sagas: { readonly [Type in OperationType]: Omit<SagaCase, 'type'> } = {
  'vm.create': { body: vm, steps: [{ name: 'create', operation: 'vm.create' }] },
  'vm.delete': { body: vm, steps: [{ name: 'delete', operation: 'vm.delete' }] },
  'network.create': { body: network, steps: [{ name: 'create', operation: 'network.create' }] },
  'network.delete': { body: network, steps: [{ name: 'delete', operation: 'network.delete' }] },
  'volume.create': { body: volume, steps: [{ name: 'create', operation: 'volume.create' }] },
  'volume.delete': { body: volume, steps: [{ name: 'delete', operation: 'volume.delete' }] },
};

let platform: TestPlatform;
let fragile: ChildProcess;
const wraps = new Wraps();
beforeAll(async () => {
  platform = await startTestPlatform({ regions: ['tpe-1'], wrap: wraps.wrap });
  fragile = await startFragile();
});
afterAll(async () => {
  await killNow(fragile);
  await platform.stop();
});

/** A hanging call must outlast the test: only the kill ends it. */
const startFragile = () =>
  startRoleProcess({ ...platform.config, MILLWRIGHT_PROVIDER_TIMEOUT_MS: 60_000 }, [
    'worker',
    'region',
    '--region',
    fragileRegion,
  ]);

/** One kill for all: each saga comes here when its step is at work, and the last one to come lets the worker die. */
const everySagaAtWork = Promise.withResolvers<void>();
const killed = everySagaAtWork.promise.then(async () => {
  await killNow(fragile);
  fragile = await startFragile();
});
let atWork = 0;
const steps = Object.values(sagas).reduce((sum, saga) => sum + saga.steps.length, 0);
async function killRegionWorker(): Promise<void> {
  atWork += 1;
  if (atWork === steps) everySagaAtWork.resolve();
  await killed;
}

for (const type of operationTypes) {
  checkSaga({ type, ...sagas[type] }, { platform: () => platform, killRegionWorker, wraps });
}

test('afterwards the data centre has what the database says, and every quota equals a recount', async () => {
  expect(atWork).toBe(steps);
  await expectConsistent(platform);
});

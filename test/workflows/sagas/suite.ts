import type { ChildProcess } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { OperationType } from '../../../src/domain/kinds.ts';
import { checkSaga, fragileRegion, type SagaCase, Wraps } from '../../harness/check-saga.ts';
import { expectConsistent } from '../../harness/consistency.ts';
import { startTestPlatform, type TestPlatform } from '../../harness/platform.ts';
import { killNow, startRoleProcess } from '../../harness/role-process.ts';
import { sagas } from './cases.ts';

/** Holds these sagas to what every saga promises. Some at a time: all are at work at once when their worker is killed. */
export const sagaSuite = (...types: readonly OperationType[]): void =>
  sagaSuiteOf(sagas, async () => undefined, ...types);

type Cases = { readonly [Type in OperationType]?: Omit<SagaCase, 'type'> };

/** The same of cases of one's own, on a platform that was prepared for them. */
export function sagaSuiteOf(
  cases: Cases,
  prepare: (platform: TestPlatform) => Promise<void>,
  ...types: readonly OperationType[]
): void {
  const caseOf = (type: OperationType) => cases[type] ?? sagas[type];
  let platform: TestPlatform;
  let fragile: ChildProcess;
  const wraps = new Wraps();
  beforeAll(async () => {
    platform = await startTestPlatform({ regions: ['tpe-1'], wrap: wraps.wrap });
    await prepare(platform);
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
  const steps = types.reduce((sum, type) => sum + caseOf(type).steps.filter(({ operation }) => operation).length, 0);
  async function killRegionWorker(): Promise<void> {
    atWork += 1;
    if (atWork === steps) everySagaAtWork.resolve();
    await killed;
  }

  for (const type of types) {
    checkSaga({ type, ...caseOf(type) }, { platform: () => platform, killRegionWorker, wraps });
  }

  test('afterwards the data centre has what the database says, and every quota equals a recount', async () => {
    expect(atWork).toBe(steps);
    await expectConsistent(platform);
  });
}

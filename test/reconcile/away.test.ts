import { expect, test } from 'vitest';
import { startTestPlatform } from '../harness/platform.ts';
import { driftOf, reconcileNow } from '../harness/reconcile.ts';

test('a region whose worker is away is said to be so, and not compared', async () => {
  const platform = await startTestPlatform({ regions: ['tpe-1'] });
  try {
    const [away, near] = await Promise.all([
      reconcileNow(platform, 'nrt-1/simulator'),
      reconcileNow(platform, 'tpe-1/simulator'),
    ]);
    expect(away).toMatchObject({ state: 'not-compared', reason: 'worker-away' });
    expect(near).toEqual({ state: 'compared', wanted: 0, found: 0, findings: 0 });
    expect(await driftOf(platform)).toEqual([]);
  } finally {
    await platform.stop();
  }
}, 120_000);

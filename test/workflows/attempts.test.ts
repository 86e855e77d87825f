import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RegionActivities } from '../../activities/types.ts';
import { ProviderError } from '../../src/errors.ts';
import { expectConsistent } from '../harness/consistency.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

/** Faults of a driver, by the name of what it is to make. */
const faults: Record<string, () => void> = {
  'says-nul': () => {
    throw new ProviderError('permanent', 'internal', `bad\0frame \ud800${'x'.repeat(10_000)}`);
  },
};
const wrap = (activities: RegionActivities): RegionActivities => ({
  ...activities,
  ensureVolume: async (call, spec) => {
    faults[spec.name]?.();
    const made = await activities.ensureVolume(call, spec);
    return spec.name === 'gives-nul' ? { ...made, providerReference: 'vol\0-\udfff1' } : made;
  },
});

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform({ regions: ['tpe-1'], wrap });
});
afterAll(() => platform.stop());

const volume = (name: string): object => ({ name, region: 'tpe-1', sizeGib: 1 });

test('a provider’s text that no row can hold ends its job like any other, and is cut', async () => {
  const job = await platform.api.done('POST', '/volumes', volume('says-nul'));
  expect(job).toMatchObject({ state: 'FAILED', error: { message: expect.stringMatching(/^badframe \ufffdx+…$/) } });
  expect(job.error?.message).toHaveLength(4096);
  await expectConsistent(platform);
});

test('a reference that no row can hold is kept without what is wrong with it', async () => {
  const job = await platform.api.done('POST', '/volumes', volume('gives-nul'));
  expect(job).toMatchObject({ state: 'SUCCEEDED', steps: [{ providerReference: 'vol-\ufffd1' }] });
});

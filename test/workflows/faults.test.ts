import { afterAll, beforeAll, expect, test } from 'vitest';
import { hasEnded } from '../../src/domain/job.ts';
import { type MadeKind, madeKinds, plural } from '../../src/domain/kinds.ts';
import { faultEffects } from '../../src/providers/simulator/faults.ts';
import { expectConsistent } from '../harness/consistency.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform({ environment: { MILLWRIGHT_PROVIDER_TIMEOUT_MS: String(timeoutMs) } });
  await platform.api.done('POST', '/volumes', { name: 'kept', region: 'tpe-1', sizeGib: 1 });
});
afterAll(() => platform.stop());

// Longer than a busy machine takes to answer: a refusal that comes too late counts as lost, and is asked again.
const timeoutMs = 3000;
const bodies: Readonly<Record<MadeKind, object>> = {
  vm: { flavor: 'small', image: 'debian-13' },
  network: { cidr: '10.50.0.0/24' },
  volume: { sizeGib: 1 },
  snapshot: { region: undefined, volume: 'kept' },
  bucket: {},
};

/** Waits for the end of a job; one that is held ends when its cause is mended and it is settled. */
async function ended(id: string, mend: () => Promise<void>): Promise<string> {
  const { api } = platform;
  const job = await api.jobWhen(id, ({ state }) => hasEnded(state) || state === 'HELD');
  if (job.state !== 'HELD') return job.state;
  expect(job).toMatchObject({ settlements: expect.arrayContaining(['retry']), error: expect.anything() });
  if (job.rollback === 'stuck') expect(job.leftovers).not.toEqual([]);
  await mend();
  await api.tenant('POST', `/jobs/${id}/settle`, { action: 'retry', reason: 'the fault is gone' });
  return (await api.jobWhen(id)).state;
}

for (const kind of madeKinds) {
  for (const call of ['create', 'get', 'delete']) {
    for (const effect of faultEffects) {
      for (const times of [1, undefined]) {
        test.concurrent(`${effect} at ${kind}.${call}, ${times ? 'once' : 'always'}: every job ends, and nothing is left`, async () => {
          const { api, simulator } = platform;
          const name = `${effect}-${kind}-${call}-${times ?? 'always'}`.slice(0, 63);
          const fault = await simulator.fault({
            effect,
            operation: `${kind}.${call}`,
            name,
            ...(times ? { times } : {}),
            ...(effect === 'slow' ? { afterMs: timeoutMs + 1000 } : {}),
          });
          const mend = () => simulator.removeFault(fault);
          const path = `/${plural[kind]}`;
          const create = await api.tenant('POST', path, { name, region: 'tpe-1', ...bodies[kind] });
          expect(create.status).toBe(202);
          const made = await ended(create.body.job.id, mend);
          expect(['SUCCEEDED', 'FAILED']).toContain(made);
          if (times)
            expect(made).toBe(['permanent', 'echo'].includes(effect) && call === 'create' ? 'FAILED' : 'SUCCEEDED');
          if (made === 'FAILED') {
            expect((await api.tenant('GET', `${path}/${name}`)).status).toBe(404);
            return;
          }
          const forced = kind === 'bucket' ? '?force=true' : '';
          const removal = await api.tenant('DELETE', `${path}/${name}${forced}`);
          const removed = await ended(removal.body.job.id, mend);
          // What could not be deleted was held, and went on when the cause was mended.
          expect(removed).toBe('SUCCEEDED');
        });
      }
    }
  }
}

test('afterwards nothing is left anywhere', async () => {
  expect(await platform.api.done('DELETE', '/volumes/kept')).toMatchObject({ state: 'SUCCEEDED' });
  expect(await platform.simulator.names()).toEqual([]);
  await expectConsistent(platform);
});

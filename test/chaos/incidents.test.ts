import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hasEnded, type JobView } from '../../src/domain/job.ts';
import { expectConsistent } from '../harness/consistency.ts';
import { until } from '../harness/until.ts';
import { Auditor } from './auditor.ts';
import { keepAway } from './perform.ts';
import { startWorld, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world?.stop(false));

const volume = (name: string, more: object = {}) => ({ name, region: 'tpe-1', sizeGib: 1, ...more });

async function accepted(path: string, body: unknown): Promise<JobView> {
  const outcome = await world.tenants[0].ask('POST', path, body);
  if (!('answer' in outcome) || outcome.answer.status !== 202) throw new Error(JSON.stringify(outcome));
  return outcome.answer.body.job;
}

const jobWhen = (id: string, wanted: (job: JobView) => boolean, deadlineMs = 60_000): Promise<JobView> =>
  until(
    `job ${id}`,
    async () => {
      const job: JobView = await world.tenants[0].get(`/jobs/${id}`);
      return wanted(job) && job;
    },
    deadlineMs,
  );
const ended = (id: string): Promise<JobView> => jobWhen(id, ({ state }) => hasEnded(state));

test('the database away for twenty seconds in the middle of a batch holds it up, and no more', async () => {
  const file = readFileSync(new URL('../../examples/web-shop.yaml', import.meta.url), 'utf8');
  await world.simulator.settings({ latencyMs: { 'vm.create': 600, 'volume.create': 300 } });
  const { id } = await accepted('/batches', file);
  await until('an operation to be done', async () => (await world.simulator.names()).length > 1);
  await keepAway('postgres', 20, world, new Auditor());
  await world.whole();
  expect(await ended(id)).toMatchObject({ state: 'SUCCEEDED', error: null });
  const names = await world.simulator.names();
  expect(new Set(names).size).toBe(names.length);
  await expectConsistent(world);
});

test('an API that dies between the commit and the start of the workflow leaves a job that runs once', async () => {
  // Temporal stands still, so that what is accepted cannot be started.
  const frozen = world.freeze('temporal', 4);
  const { id, state } = await accepted('/volumes', volume('orphaned-at-birth'));
  expect(state).toBe('PENDING');
  world.kill('api');
  await frozen;
  expect(await ended(id)).toMatchObject({ state: 'SUCCEEDED', steps: [{ attempts: 1 }] });
  await expectConsistent(world);
});

test('a region without its worker keeps its jobs waiting, says so, and finishes them when the worker is back', async () => {
  const away = keepAway('region.tpe-1', 12, world, new Auditor());
  const [waits, limited, elsewhere] = await Promise.all([
    accepted('/volumes', volume('patient')),
    accepted('/volumes', volume('hurried', { timeoutSeconds: 3 })),
    accepted('/volumes', volume('unconcerned', { region: 'nrt-1' })),
  ]);
  expect(await ended(elsewhere.id)).toMatchObject({ state: 'SUCCEEDED' });
  await until(
    'an incident',
    async () => (await world.tenants[0].get(`/incidents?job=${waits.id}&state=open`)).items.length === 1,
  );
  await away;
  await world.whole();
  expect(await ended(waits.id)).toMatchObject({ state: 'SUCCEEDED' });
  expect(await ended(limited.id)).toMatchObject({ state: 'FAILED', rollback: 'complete' });
  await until('no incident', async () => (await world.tenants[0].get('/incidents?state=open')).items.length === 0);
  await expectConsistent(world);
});

const clocks = [
  ['control', 86_400],
  ['control', -86_400],
  ['region.tpe-1', 3600],
  ['region.tpe-1', -3600],
  ['api', -3600],
  ['api', 3600],
] as const;

for (const [role, seconds] of clocks) {
  test(`the clock of ${role} moved by ${seconds} s under running jobs changes no end of them`, async () => {
    const name = `${role.replace('.', '-')}-${seconds < 0 ? 'back' : 'ahead'}`;
    await world.simulator.fault({ effect: 'transient', operation: 'volume.create', name: `${name}-*`, times: 2 });
    await world.simulator.fault({ effect: 'permanent', operation: 'volume.create', name: `${name}-bad` });
    const before = await accepted('/volumes', volume(`${name}-before`));
    world.moveClock(role, seconds);
    // What the process looks at for the clock, it looks at ten times a second.
    await pause(300);
    const after = await accepted('/volumes', volume(`${name}-after`));
    const bad = await accepted('/volumes', volume(`${name}-bad`));
    expect(await ended(before.id)).toMatchObject({ state: 'SUCCEEDED', error: null });
    expect(await ended(after.id)).toMatchObject({ state: 'SUCCEEDED' });
    expect(await ended(bad.id)).toMatchObject({ state: 'FAILED', rollback: 'complete' });
    world.moveClock(role, 0);
    await expectConsistent(world);
  });
}

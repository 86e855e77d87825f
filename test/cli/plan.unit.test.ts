import { afterEach, expect, test } from 'vitest';
import type { Plan, PlanOperation } from '../../src/domain/plan.ts';
import { type FakeApi, json, startApi } from './api.ts';
import { at, millwright } from './millwright.ts';
import { batch, job, operation } from './things.ts';

let api: FakeApi;
afterEach(() => api.stop());

const planned = (id: string, action: PlanOperation['action'], more: Partial<PlanOperation> = {}): PlanOperation => ({
  id,
  type: 'vm.create',
  action,
  region: 'tpe-1',
  provider: null,
  resource: { kind: 'vm', name: `shop-${id}`, id: null },
  replacedBy: null,
  differences: [],
  reasons: [],
  conditional: false,
  dependsOn: [],
  softDependsOn: [],
  wave: action === 'none' ? null : 1,
  seconds: 60,
  estimatedFrom: 'default',
  beginsAfterSeconds: 0,
  ...more,
});

function planOf(operations: PlanOperation[], more: Partial<Plan> = {}): Plan {
  const count = (action: PlanOperation['action']) =>
    operations.filter((one) => one.action === action && one.replacedBy === null).length;
  return {
    name: 'shop',
    version: 1,
    hash: 'aaaa.bbbb.cccc',
    counts: {
      create: count('create'),
      change: count('change'),
      replace: count('replace'),
      delete: count('delete'),
      none: count('none'),
      run: count('run'),
    },
    operations,
    waves: [['web'], ['db']],
    quota: { fits: true, scopes: [] },
    criticalPath: { operations: ['web', 'db'], seconds: 130 },
    estimate: { seconds: 140, parallelLimit: 10 },
    warnings: [],
    ...more,
  };
}

async function answering(plan: Plan): Promise<void> {
  const one = batch([operation('db', 'SUCCEEDED')], { state: 'SUCCEEDED' });
  const accepted = { resource: one, job: job({ type: 'batch.apply', state: 'SUCCEEDED' }) };
  api = await startApi({
    'POST /batches': ({ query }, response) =>
      query.get('dryRun') === 'true' ? json(response, plan) : json(response, accepted, 202),
  });
}

const ofBatch = (...words: string[]) => ['batch', ...words];
/** The plan hash of each request that was no dry run. */
const applied = () => api.asked.flatMap(({ query }) => (query.has('dryRun') ? [] : [query.get('planHash')]));

test('a plan names what each operation does and why, and ends with its sum', async () => {
  await answering(
    planOf(
      [
        planned('web', 'create'),
        planned('db/_old', 'delete', { replacedBy: 'db' }),
        planned('db', 'replace', {
          differences: [
            { field: 'image', before: 'a', after: 'b', replaces: 'the image of a vm cannot be changed in place' },
          ],
          reasons: ['it uses the network "net", which is replaced'],
        }),
        planned('tag', 'change', {
          differences: [{ field: 'labels', before: {}, after: { env: 'prod' }, replaces: null }],
        }),
        planned('key', 'replace', {
          differences: [{ field: 'userData', before: '(secret)', after: '(secret)', replaces: 'why' }],
        }),
        planned('rest', 'none'),
      ],
      {
        quota: {
          fits: false,
          scopes: [
            {
              scope: 'project',
              name: 'web',
              metrics: [{ metric: 'vms', used: 9, limit: 9, delta: 1, peak: 10, fits: false }],
            },
          ],
        },
      },
    ),
  );
  const { code, out } = await millwright(ofBatch('plan', '-'), { env: at(api.url) });
  expect(code).toBe(2);
  expect(out.split('\n')).toEqual([
    '+   web   vm.create  shop-web',
    '-/+ db    vm.create  shop-db',
    '      image: "a" → "b"   (the image of a vm cannot be changed in place)',
    '      because it uses the network "net", which is replaced',
    '~   tag   vm.create  shop-tag',
    '      labels: {} → {"env":"prod"}',
    '-/+ key   vm.create  shop-key',
    '      userData: (secret) changed   (why)',
    '',
    'Waves: 2 (1, 1 operations)',
    'Quota:',
    '  project "web"   vms +1 (0 left)   DOES NOT FIT',
    'Critical path: web → db (about 2m10s)',
    'Estimate: about 2m20s, 10 at a time (0 operations by past runs, 5 by default)',
    'Hash: aaaa.bbbb.cccc',
    '',
    'Plan: 1 to create, 1 to change, 2 to replace, 0 to delete, 1 as they are.',
    '',
  ]);
});

test('a plan without anything to do says so and ends with 0; one that cannot be ends with 1', async () => {
  await answering(planOf([planned('a', 'none'), planned('b', 'none')]));
  expect(await millwright(ofBatch('plan', '-'), { env: at(api.url) })).toMatchObject({
    code: 0,
    out: 'Nothing to do: all 2 are as the file says.\n',
  });
  expect((await millwright(ofBatch('plan', 'no-such-file'), { env: at(api.url) })).code).toBe(1);
});

test('a plan of ten thousand operations is cut with a count, and whole with --all', async () => {
  await answering(planOf(Array.from({ length: 10_000 }, (_, index) => planned(`op-${index}`, 'create'))));
  const { out } = await millwright(ofBatch('plan', '-'), { env: at(api.url) });
  expect(out.split('\n').length).toBeLessThan(120);
  expect(out).toContain('… and 9,900 more; --all shows them.');
  const whole = await millwright(ofBatch('plan', '-', '--all'), { env: at(api.url) });
  expect(whole.out.split('\n').length).toBeGreaterThan(10_000);
});

test('as JSON a plan is what the API gave', async () => {
  const plan = planOf([planned('a', 'create')]);
  await answering(plan);
  const { code, out } = await millwright(ofBatch('plan', '-', '-o', 'json'), { env: at(api.url) });
  expect(code).toBe(2);
  expect(JSON.parse(out)).toEqual(plan);
});

test('at a terminal nothing is deleted or replaced before somebody says yes, and then only what was shown', async () => {
  await answering(planOf([planned('a', 'replace')]));
  const refused = await millwright(ofBatch('apply', '-'), { env: at(api.url), answer: 'no' });
  expect(refused.code).toBe(1);
  expect(refused.err).toContain('-/+ a   vm.create  shop-a');
  expect(refused.err).toContain('Nothing was done.');
  expect(applied()).toEqual([]);
  expect((await millwright(ofBatch('apply', '-'), { env: at(api.url), answer: 'yes' })).code).toBe(0);
  expect(applied()).toEqual(['aaaa.bbbb.cccc']);
});

test('nobody is asked where nothing is taken away, with --yes, with a plan agreed to, or without a terminal', async () => {
  await answering(planOf([planned('a', 'create')]));
  await millwright(ofBatch('apply', '-'), { env: at(api.url), answer: 'no' });
  expect(applied()).toEqual(['aaaa.bbbb.cccc']);
  await api.stop();
  await answering(planOf([planned('a', 'delete')]));
  await millwright(ofBatch('apply', '-', '--yes'), { env: at(api.url), answer: 'no' });
  await millwright(ofBatch('apply', '-', '--plan', 'dddd'), { env: at(api.url), answer: 'no' });
  await millwright(ofBatch('apply', '-'), { env: at(api.url) });
  expect(applied()).toEqual([null, 'dddd', null]);
});

import { randomUUID } from 'node:crypto';
import { afterEach, expect, test } from 'vitest';
import { quotaMetrics } from '../../src/domain/quota.ts';
import { type FakeApi, json, startApi } from './api.ts';
import { at, millwright } from './millwright.ts';

let api: FakeApi | undefined;
afterEach(async () => {
  await api?.stop();
  api = undefined;
});

const quota = {
  scope: 'organization',
  id: randomUUID(),
  name: 'acme',
  metrics: Object.fromEntries(quotaMetrics.map((metric) => [metric, { used: 1, limit: metric === 'vms' ? 5 : null }])),
};

test('"quota set" sends the limits that are named, and "none" as no limit', async () => {
  api = await startApi({ 'PATCH /organizations/acme/quota': (_, response) => json(response, quota) });
  const words = ['quota', 'set', 'organization', 'acme', '--vms', '5', '--volumes', 'none', '--reason', 'contract'];
  const { code, out } = await millwright(words, { env: at(api.url) });
  expect(code).toBe(0);
  expect(JSON.parse(api.asked[0]?.body ?? '')).toEqual({ limits: { vms: 5, volumes: null }, reason: 'contract' });
  expect(out).toMatch(/organization acme +vms +1 +5\n/);
  expect((await millwright(['quota', 'set', 'project', 'x', '--vms', 'many'], { env: at(api.url) })).code).not.toBe(0);
});

test('"quota verify" fails where a count differs from its recount', async () => {
  const difference = { scope: 'project', id: randomUUID(), name: 'web', metric: 'vms', recorded: 3, counted: 2 };
  api = await startApi({
    'GET /quota/differences': (_, response) => json(response, { items: [difference], nextCursor: null }),
  });
  const { code, out } = await millwright(['quota', 'verify'], { env: at(api.url) });
  expect(code).toBe(1);
  expect(out).toMatch(/project web +vms +3 +2\n/);
});

test('"audit verify" sends the head that was kept, and fails with every fault named', async () => {
  const hash = 'a'.repeat(64);
  const report = {
    sealed: 9,
    head: { sequence: 9, hash },
    faults: [{ kind: 'changed', sequence: 7, detail: 'Entry 7 was changed.' }],
    appendOnly: true,
  };
  api = await startApi({ 'GET /audit/verification': (_, response) => json(response, report) });
  const { code, out, err } = await millwright(['audit', 'verify', '--head', `4:${hash}`], { env: at(api.url) });
  expect(code).toBe(1);
  expect(Object.fromEntries(api.asked[0]?.query ?? [])).toMatchObject({ sequence: '4', hash });
  expect(out).toContain(`9:${hash}`);
  expect(err).toContain('changed: Entry 7 was changed.');
});

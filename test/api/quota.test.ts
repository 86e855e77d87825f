import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform({ control: false });
});
afterAll(() => platform.stop());

test('the quota shows what is held and may be held, in the project and in its organization', async () => {
  const { api } = platform;
  await api.tenant('POST', '/volumes', { name: 'one', region: 'tpe-1', sizeGib: 9 });
  const { status, body } = await api.tenant('GET', '/quota');
  expect(status).toBe(200);
  expect(body.items).toMatchObject([
    { scope: 'project', name: 'default', metrics: { volumes: { used: 1, limit: 20_000 }, storageGib: { used: 9 } } },
    { scope: 'organization', name: 'default', metrics: { volumes: { used: 1, limit: null }, storageGib: { used: 9 } } },
  ]);
});

test('operators set limits, with the reason on record, and a refusal names the scope that is short', async () => {
  const { api, sql } = platform;
  const set = await api.request('PATCH', '/api/ops/v1/organizations/default/quota', {
    limits: { volumes: 1 },
    reason: 'the contract says one',
  });
  expect(set).toMatchObject({ status: 200, body: { metrics: { volumes: { used: 1, limit: 1 } } } });
  expect(await api.tenant('POST', '/volumes', { name: 'two', region: 'tpe-1', sizeGib: 1 })).toMatchObject({
    status: 403,
    body: {
      code: 'quota',
      detail: expect.stringContaining('organization "default" does not suffice (volumes: 1 wanted, 1 of 1 in use)'),
    },
  });
  await api.request('PATCH', '/api/ops/v1/projects/default/quota', { limits: { vms: 0 } });
  expect((await api.get('/api/ops/v1/organizations/default/quota')).body.metrics.volumes).toEqual({
    used: 1,
    limit: 1,
  });
  const recorded = await sql`
    SELECT resource_kind, reason, details FROM audit_entries WHERE action = 'quota.set' ORDER BY position`;
  expect(recorded).toEqual([
    { resource_kind: 'organization', reason: 'the contract says one', details: { limits: { volumes: 1 } } },
    { resource_kind: 'project', reason: null, details: { limits: { vms: 0 } } },
  ]);
});

test('an act that takes more than the organization may hold is refused by the same words', async () => {
  const { api, sql } = platform;
  await api.request('PATCH', '/api/ops/v1/organizations/default/quota', { limits: { storageGib: 10 } });
  await sql`UPDATE resources SET status = 'available', current_job_id = NULL WHERE name = 'one'`;
  expect(await api.tenant('POST', '/volumes/one/grow', { sizeGib: 20 })).toMatchObject({
    status: 403,
    body: {
      code: 'quota',
      detail: expect.stringContaining(
        'organization "default" does not suffice (storageGib: 11 wanted, 9 of 10 in use)',
      ),
    },
  });
});

test('a limit that is none is refused with its place', async () => {
  const { api } = platform;
  for (const limits of [{ volumes: -1 }, { volumes: 1.5 }, { floppies: 1 }]) {
    expect((await api.request('PATCH', '/api/ops/v1/organizations/default/quota', { limits })).status).toBe(400);
  }
  expect((await api.request('PATCH', '/api/ops/v1/projects/default/quota', { limits: { vms: null } })).status).toBe(
    400,
  );
  expect((await api.request('PATCH', '/api/ops/v1/projects/nowhere/quota', { limits: {} })).status).toBe(404);
});

test('a recount shows differences and mends nothing', async () => {
  const { api, sql } = platform;
  expect((await api.get('/api/ops/v1/quota/differences')).body).toEqual({ items: [], nextCursor: null });
  await sql`UPDATE quotas SET networks = 3`;
  const { body } = await api.get('/api/ops/v1/quota/differences');
  expect(body.items).toMatchObject([
    { scope: 'organization', metric: 'networks', recorded: 3, counted: 0 },
    { scope: 'project', metric: 'networks', recorded: 3, counted: 0 },
  ]);
});

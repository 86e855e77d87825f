import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AuditAct } from '../../src/domain/audit.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { until } from '../harness/until.ts';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform();
});
afterAll(() => platform.stop());

const acts = async (query = ''): Promise<AuditAct[]> =>
  (await platform.api.get(`/api/ops/v1/audit${query}`)).body.items;

test('a request is on record with who, what, from where, and what came of it', async () => {
  const { api } = platform;
  const job = await api.done('POST', '/volumes', { name: 'recorded', region: 'tpe-1', sizeGib: 1 });
  const act = await until('the act to be sealed', async () => {
    const [first] = (await api.tenant('GET', `/audit?project=default&resource=${job.resource.id}`)).body.items;
    return first.sequence !== null && first;
  });
  expect(act).toMatchObject({
    id: job.id,
    actor: 'operator',
    origin: expect.stringContaining('127.0.0.1'),
    action: 'volume.create',
    resource: { kind: 'volume', id: job.resource.id, name: 'recorded' },
    outcome: 'SUCCEEDED',
    closedAt: expect.any(String),
  });
});

test('the list is filtered and paged without gap or repetition', async () => {
  const { api } = platform;
  for (const volumes of [100, 200, 300, 400, 500])
    await api.request('PATCH', '/api/ops/v1/projects/default/quota', { limits: { volumes }, reason: `to ${volumes}` });
  const all = await acts('?action=quota.set');
  expect(all.map(({ reason }) => reason)).toEqual(['to 500', 'to 400', 'to 300', 'to 200', 'to 100']);
  const paged: AuditAct[] = [];
  for (let cursor = ''; ; ) {
    const { body } = await api.get(`/api/ops/v1/audit?action=quota.set&limit=2${cursor && `&cursor=${cursor}`}`);
    paged.push(...body.items);
    if (body.nextCursor === null) break;
    cursor = body.nextCursor;
  }
  expect(paged).toEqual(all);
  expect(await acts(`?action=quota.set&since=${all[1]?.at}`)).toHaveLength(2);
  expect(await acts(`?action=quota.set&until=${all[1]?.at}`)).toHaveLength(3);
  expect(await acts('?actor=nobody')).toEqual([]);
  expect((await api.get('/api/ops/v1/audit?since=yesterday')).status).toBe(400);
});

test('the record is verified, and a head that was kept is found again', async () => {
  const { api } = platform;
  const { body } = await api.get('/api/ops/v1/audit/verification');
  expect(body).toMatchObject({ faults: [], appendOnly: true, sealed: expect.any(Number) });
  const { sequence, hash } = body.head;
  expect((await api.get(`/api/ops/v1/audit/verification?sequence=${sequence}&hash=${hash}`)).body.faults).toEqual([]);
  const other = await api.get(`/api/ops/v1/audit/verification?sequence=${sequence}&hash=${'0'.repeat(64)}`);
  expect(other.body.faults).toMatchObject([{ kind: 'head', sequence }]);
  expect((await api.get(`/api/ops/v1/audit/verification?sequence=${sequence}`)).status).toBe(400);
});

import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Incident } from '../../src/domain/incident.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { until } from '../harness/until.ts';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform({ environment: { MILLWRIGHT_STEP_LATE_SECONDS: '0.3' } });
});
afterAll(() => platform.stop());

const volume = (name: string, more: object = {}) => ({ name, region: 'tpe-1', sizeGib: 1, ...more });

const incidents = async (job: string): Promise<Incident[]> =>
  (await platform.api.tenant('GET', `/incidents?job=${job}`)).body.items;
const incidentsWhen = (job: string, wanted: (found: readonly Incident[]) => boolean): Promise<readonly Incident[]> =>
  until(`the incidents of job ${job}`, async () => {
    const found = await incidents(job);
    return wanted(found) && found;
  });
const kinds = (found: readonly Incident[]): string[] => found.map(({ kind, state }) => `${kind} ${state}`).toSorted();

test('a step that is late raises one incident, however long it lasts, and its end closes it', async () => {
  const { api, simulator, sql } = platform;
  const fault = await simulator.fault({ effect: 'hang', operation: 'volume.create', name: 'late' });
  const answer = await api.tenant('POST', '/volumes', volume('late', { onFailure: 'hold' }));
  const job = answer.body.job.id;
  const [raised] = await incidentsWhen(job, (found) => found.length > 0);
  expect(raised).toMatchObject({
    kind: 'step-late',
    state: 'open',
    jobId: job,
    resource: { kind: 'volume', name: 'late' },
    region: 'tpe-1',
    summary: expect.stringContaining('Step "create"'),
    resolvedAt: null,
  });
  // The step fails for good; the decision that the job then waits for is an incident of its own.
  const after = await incidentsWhen(job, (found) => found.some(({ kind }) => kind === 'job-held'));
  expect(kinds(after)).toEqual(['job-held open', 'step-late resolved']);
  await simulator.removeFault(fault);
  await api.settled(job, 'retry');
  expect(kinds(await incidentsWhen(job, (found) => found.every(({ state }) => state === 'resolved')))).toEqual([
    'job-held resolved',
    'step-late resolved',
  ]);
  const { body: open } = await api.tenant('GET', '/incidents?state=open');
  expect(open.items).toEqual([]);
  expect(await sql`SELECT FROM incidents WHERE job_id = ${job}`).toHaveLength(2);
  const told = await sql`SELECT type FROM events WHERE resource_name = 'late' AND type LIKE 'incident.%' ORDER BY type`;
  expect(told.map(({ type }) => type)).toEqual([
    ...['incident.opened', 'incident.opened', 'incident.resolved', 'incident.resolved'],
  ]);
});

test('nothing is written while nothing changes', async () => {
  const { sql } = platform;
  const { sweepIncidents } = await import('../../src/db/queries/incidents.ts');
  const written = async () =>
    (await sql`SELECT pg_current_xact_id_if_assigned() AS id, (SELECT count(*) FROM incidents) AS count`)[0];
  const before = await written();
  await sql.begin(async (transaction) => {
    await sweepIncidents(platform.sql, { startSeconds: 1, stepSeconds: 1, quotaPercent: [] });
    const [row] = await transaction`SELECT pg_current_xact_id_if_assigned() AS id`;
    expect(row?.id).toBeNull();
  });
  expect(await written()).toEqual(before);
});

test('a job that nobody begins is an incident as well', async () => {
  const idle = await startTestPlatform({ control: false });
  try {
    const answer = await idle.api.tenant('POST', '/volumes', volume('waits'));
    const { sweepIncidents } = await import('../../src/db/queries/incidents.ts');
    expect(await sweepIncidents(idle.sql, { startSeconds: 0, stepSeconds: 1, quotaPercent: [] })).toEqual({
      opened: 1,
      resolved: 0,
    });
    expect(await sweepIncidents(idle.sql, { startSeconds: 0, stepSeconds: 1, quotaPercent: [] })).toEqual({
      opened: 0,
      resolved: 0,
    });
    const { body } = await idle.api.tenant('GET', `/incidents?job=${answer.body.job.id}`);
    expect(kinds(body.items)).toEqual(['job-pending open']);
    expect(await sweepIncidents(idle.sql, { startSeconds: 3600, stepSeconds: 1, quotaPercent: [] })).toEqual({
      opened: 0,
      resolved: 1,
    });
  } finally {
    await idle.stop();
  }
});

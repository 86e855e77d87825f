import { randomUUID } from 'node:crypto';
import type { Sql } from 'postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { recordTransitions } from '../../src/db/queries/record.ts';
import type { Transition } from '../../src/domain/transition.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

let platform: TestPlatform;
let sql: Sql;
beforeAll(async () => {
  platform = await startTestPlatform({ control: false });
  sql = platform.sql;
});
afterAll(() => platform.stop());

async function accepted(): Promise<{ jobId: string; resourceId: string }> {
  const { body } = await platform.api.tenant('POST', '/volumes', {
    name: `v-${randomUUID().slice(0, 8)}`,
    region: 'tpe-1',
    sizeGib: 7,
  });
  return { jobId: body.job.id, resourceId: body.resource.id };
}

const at = new Date().toISOString();
const now = { at, rollback: 'none', error: null, cancelRequested: false, nextAttemptAt: null, leftovers: [] } as const;
const step = {
  position: 1,
  name: 'create',
  attempts: 1,
  error: null,
  nextAttemptAt: null,
  providerReference: 'ref-1',
  result: null,
  startedAt: at,
  endedAt: null,
};
const running = (jobId: string): Transition => ({
  ...now,
  jobId,
  sequence: 1,
  state: 'RUNNING',
  step: { ...step, state: 'RUNNING' },
});
const succeeded = (jobId: string): Transition => ({
  ...now,
  jobId,
  sequence: 2,
  state: 'SUCCEEDED',
  resource: 'done',
  result: { providerReference: 'ref-1' },
});
const undone = (jobId: string): Transition => ({
  ...now,
  jobId,
  sequence: 2,
  state: 'FAILED',
  rollback: 'complete',
  resource: 'undone',
});
const usedGib = async (): Promise<number> => Number((await sql`SELECT storage_gib FROM quotas`)[0]?.storage_gib);

test('what is recorded twice, alone or with what came after it, changes nothing', async () => {
  const { jobId } = await accepted();
  expect(await recordTransitions(sql, [running(jobId)])).toEqual([null]);
  expect(await recordTransitions(sql, [running(jobId), succeeded(jobId)])).toEqual([null, null]);
  const before = await sql`SELECT position, type FROM events WHERE job_id = ${jobId} ORDER BY position`;
  // The end repeated is no news; who says that it runs has missed that it ended.
  expect(await recordTransitions(sql, [running(jobId), succeeded(jobId)])).toEqual([
    expect.objectContaining({ code: 'precondition' }),
    null,
  ]);
  expect(await sql`SELECT position, type FROM events WHERE job_id = ${jobId} ORDER BY position`).toEqual(before);
  expect(before.map(({ type }) => type)).toEqual(['job.accepted', 'job.step', 'job.ended']);
});

test('a deleted resource gives its quota back once, however often that is recorded', async () => {
  const before = await usedGib();
  const { jobId } = await accepted();
  expect(await usedGib()).toBe(before + 7);
  await Promise.all([1, 2, 3].map(() => recordTransitions(sql, [running(jobId), undone(jobId)])));
  expect(await usedGib()).toBe(before);
});

test('a job that has ended refuses to go on', async () => {
  const { jobId, resourceId } = await accepted();
  await recordTransitions(sql, [running(jobId), succeeded(jobId)]);
  const refusals = await recordTransitions(sql, [{ ...undone(jobId), sequence: 3 }]);
  expect(refusals).toEqual([
    expect.objectContaining({ code: 'precondition', message: expect.stringContaining('SUCCEEDED') }),
  ]);
  expect(await sql`SELECT status FROM resources WHERE id = ${resourceId}`).toEqual([{ status: 'available' }]);
});

test('a move that finds its resource elsewhere is told of, with its job and its resource, and harms no other', async () => {
  const [lost, unlocked, good] = [await accepted(), await accepted(), await accepted()];
  await sql`UPDATE resources SET status = 'error' WHERE id = ${lost.resourceId}`;
  await sql`UPDATE resources SET current_job_id = NULL WHERE id = ${unlocked.resourceId}`;
  const missed: object[] = [];
  const all = [lost, unlocked, good].flatMap(({ jobId }) => [running(jobId), succeeded(jobId)]);
  expect(await recordTransitions(sql, all, { missed: (move) => missed.push(move) })).toEqual(all.map(() => null));
  const miss = { type: 'volume.create', from: 'provisioning', status: 'available' };
  expect(missed).toEqual([
    { ...miss, ...lost },
    { ...miss, ...unlocked },
  ]);
  const statuses = await Promise.all(
    [lost, unlocked, good].map(
      async ({ resourceId }) => (await sql`SELECT status FROM resources WHERE id = ${resourceId}`)[0]?.status,
    ),
  );
  expect(statuses).toEqual(['error', 'provisioning', 'available']);
  // Told again, it is no news.
  await recordTransitions(sql, all, { missed: (move) => missed.push(move) });
  expect(missed).toHaveLength(2);
});

test('of two moves of one job in one flush the second comes to where the first led, as it would in the next', async () => {
  const flushes = async (split: boolean) => {
    const { jobId, resourceId } = await accepted();
    const first: Transition = { ...running(jobId), resource: 'failed', error: { code: 'internal', message: 'first' } };
    const missed: string[] = [];
    const watch = { missed: (move: { status: string }) => void missed.push(move.status) };
    for (const flush of split ? [[first], [succeeded(jobId)]] : [[first, succeeded(jobId)]])
      await recordTransitions(sql, flush, watch);
    const [row] = await sql`SELECT status, status_reason FROM resources WHERE id = ${resourceId}`;
    return { missed, ...row };
  };
  expect(await flushes(false)).toEqual({ missed: ['available'], status: 'error', status_reason: 'first' });
  expect(await flushes(true)).toEqual(await flushes(false));
});

test('one refused transition does not keep the others of its flush from being recorded', async () => {
  const { jobId } = await accepted();
  const refusals = await recordTransitions(sql, [
    { ...now, jobId: randomUUID(), sequence: 1, state: 'RUNNING' },
    running(jobId),
  ]);
  expect(refusals).toEqual([expect.objectContaining({ code: 'not_found' }), null]);
  expect(await sql`SELECT state FROM jobs WHERE id = ${jobId}`).toEqual([{ state: 'RUNNING' }]);
});

test('a text that no row can hold is recorded without what is wrong with it, and harms no other job', async () => {
  const [bad, good] = [(await accepted()).jobId, (await accepted()).jobId];
  const error = { code: 'internal', message: 'bad\0frame \ud800' } as const;
  const failing: Transition = { ...running(bad), error, step: { ...step, state: 'RETRYING', error } };
  expect(await recordTransitions(sql, [failing, running(good)])).toEqual([null, null]);
  expect(await sql`SELECT state, error FROM jobs WHERE id IN (${bad}, ${good}) ORDER BY id = ${good}`).toEqual([
    { state: 'RUNNING', error: { code: 'internal', message: 'badframe \ufffd' } },
    { state: 'RUNNING', error: null },
  ]);
});

test('a job whose rows are refused is refused alone, and can be recorded once they are mended', async () => {
  const [bad, good] = [await accepted(), (await accepted()).jobId];
  const mended = await sql`SELECT quota FROM resources WHERE id = ${bad.resourceId}`;
  await sql`UPDATE resources SET quota = '{"volumes": 1000}' WHERE id = ${bad.resourceId}`;
  expect(await recordTransitions(sql, [running(bad.jobId), undone(bad.jobId), running(good)])).toEqual([
    expect.objectContaining({ code: 'internal' }),
    expect.objectContaining({ code: 'internal' }),
    null,
  ]);
  await sql`UPDATE resources SET quota = ${sql.json(mended[0]?.quota)} WHERE id = ${bad.resourceId}`;
  expect(await recordTransitions(sql, [running(bad.jobId), undone(bad.jobId)])).toEqual([null, null]);
});

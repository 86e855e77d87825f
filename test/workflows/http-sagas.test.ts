import type { ChildProcess } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { JobView } from '../../src/domain/job.ts';
import { type Callee, startCallee } from '../harness/callee.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { killNow, startRoleProcess } from '../harness/role-process.ts';
import { until } from '../harness/until.ts';

/** What `checkSaga` asks of every saga on a resource, of the one that has none: the call of another system. */
let callee: Callee;
let platform: TestPlatform;
/** Of a region of its own: a hanging call must outlast the test, as only the kill ends it. */
let fragile: ChildProcess;
beforeAll(async () => {
  callee = await startCallee();
  platform = await startTestPlatform({
    regions: ['tpe-1'],
    environment: { MILLWRIGHT_HTTP_HOSTS: callee.host, MILLWRIGHT_PROVIDER_TIMEOUT_MS: '4000' },
    wrap: (activities) => ({
      ...activities,
      requestHttp: async (call, spec) => {
        if (spec.url.includes('twice')) await activities.requestHttp(call, spec);
        return activities.requestHttp(call, spec);
      },
    }),
  });
  fragile = await startFragile();
});
afterAll(async () => {
  await killNow(fragile);
  await platform.stop();
  await callee.stop();
});
const startFragile = () =>
  startRoleProcess({ ...platform.config, MILLWRIGHT_PROVIDER_TIMEOUT_MS: 60_000 }, [
    ...['worker', 'region', '--region', 'nrt-1'],
  ]);

interface Asked {
  readonly region?: string;
  readonly onFailure?: string;
  /** Of the batch: another operation that comes after it, and fails. */
  readonly failsLater?: boolean;
  readonly call?: object;
}

/** A batch of one call, a POST to `/NAME` that `/NAME-undo` takes back. */
async function apply(name: string, { region = 'tpe-1', onFailure, failsLater, call }: Asked = {}) {
  const undo = { url: callee.urlOf(`/${name}-undo`), method: 'DELETE' };
  const operations: object[] = [
    {
      ...{ id: 'call', type: 'http.request', region, ...(onFailure && { onFailure }) },
      with: { url: callee.urlOf(`/${name}`), method: 'POST', body: { name }, undo, ...call },
    },
  ];
  const refused = { url: 'http://refused.example.org/' };
  if (failsLater) operations.push({ id: 'later', type: 'http.request', region, dependsOn: ['call'], with: refused });
  const answer = await platform.api.tenant('POST', '/batches', JSON.stringify({ name, operations }));
  expect({ status: answer.status, detail: answer.body.detail }).toEqual({ status: 202, detail: undefined });
  const batchId: string = answer.body.resource.id;
  return { batchId, jobId: String(answer.body.job.id) };
}

const callOf = async (batchId: string) =>
  (await platform.api.tenant('GET', `/batches/${batchId}`)).body.operations.find(
    (one: { id: string }) => one.id === 'call',
  );
const ownJob = async (batchId: string, isWanted: (job: JobView) => boolean = () => true): Promise<JobView> =>
  until('the call’s own job', async () => {
    const { body } = await platform.api.tenant('GET', `/jobs?batch=${batchId}`);
    const [own] = body.items.filter(({ type }: JobView) => type === 'http.request');
    const job = own && (await platform.api.job(own.id));
    return job && isWanted(job) && job;
  });
const held = (batchId: string): Promise<JobView> => ownJob(batchId, ({ state }) => state === 'HELD');
const keysOf = (path: string): unknown[] => callee.to(path).map(({ headers }) => headers['idempotency-key']);

test.concurrent('http.request: in the clear', async () => {
  callee.answer('/clear', { status: 201, headers: { 'set-cookie': 'a=b', 'x-id': '7' }, body: '{"size":[1,2]}' });
  const { batchId, jobId } = await apply('clear');
  expect(await platform.api.jobWhen(jobId)).toMatchObject({ state: 'SUCCEEDED' });
  const { outputs } = await callOf(batchId);
  expect(outputs).toMatchObject({ status: 201, headers: { 'x-id': '7' }, body: { size: [1, 2] } });
  expect(outputs.headers).not.toHaveProperty('set-cookie');
  const job = await ownJob(batchId);
  expect(job).toMatchObject({ rollback: 'none', steps: [{ name: 'request', state: 'SUCCEEDED' }] });
  expect(callee.to('/clear')).toMatchObject([{ method: 'POST', body: '{"name":"clear"}' }]);
  expect(callee.to('/clear-undo')).toEqual([]);
});

test.concurrent('http.request: each call and each undo made twice go out under one key', async () => {
  const { batchId, jobId } = await apply('twice', { failsLater: true });
  expect(await platform.api.jobWhen(jobId)).toMatchObject({ state: 'FAILED', rollback: 'complete' });
  const { jobId: key } = await callOf(batchId);
  expect(keysOf('/twice')).toEqual([key, key]);
  expect(keysOf('/twice-undo')).toEqual([key, key]);
  expect(callee.to('/twice-undo')).toMatchObject(
    Array(2).fill({ method: 'DELETE', headers: { 'millwright-undo': 'true' } }),
  );
});

test.concurrent('http.request: one that is refused fails at once, and is taken back whether or not it was done', async () => {
  callee.answer('/refused', { status: 422 });
  const { batchId, jobId } = await apply('refused');
  expect(await platform.api.jobWhen(jobId)).toMatchObject({ state: 'FAILED', rollback: 'complete' });
  const job = await ownJob(batchId);
  const error = { providerClass: 'permanent', message: expect.stringContaining('was answered 422') };
  expect(job).toMatchObject({ state: 'FAILED', rollback: 'complete', error, steps: [{ state: 'UNDONE' }] });
  expect(callee.to('/refused')).toHaveLength(1);
  expect(keysOf('/refused-undo')).toEqual(keysOf('/refused'));
});

test.concurrent('http.request: an answer that is lost is asked for again, under the same key', async () => {
  callee.answer('/lost', 'drops', { body: '{"done":true}' });
  const { batchId, jobId } = await apply('lost');
  expect(await platform.api.jobWhen(jobId)).toMatchObject({ state: 'SUCCEEDED' });
  expect(await ownJob(batchId)).toMatchObject({ state: 'SUCCEEDED', steps: [{ attempts: 2 }] });
  const { jobId: key, outputs } = await callOf(batchId);
  expect(outputs.body).toEqual({ done: true });
  expect(keysOf('/lost')).toEqual([key, key]);
});

test.concurrent('http.request: held, then retried, skipped, marked as done or abandoned, is what it is', async () => {
  for (const action of ['retry', 'skip', 'mark-done', 'abandon', 'rollback'] as const) {
    const path = `/held-${action}`;
    callee.answer(path, { status: 400 }, {});
    const { batchId, jobId } = await apply(path.slice(1), { onFailure: 'hold' });
    const job = await held(batchId);
    expect(job).toMatchObject({ rollback: 'none', error: { message: expect.stringContaining('400') } });
    const gone = action === 'abandon' || action === 'rollback';
    expect(await platform.api.settled(job.id, action)).toMatchObject({ state: gone ? 'FAILED' : 'SUCCEEDED' });
    expect(callee.to(path)).toHaveLength(action === 'retry' ? 2 : 1);
    expect(callee.to(`${path}-undo`)).toHaveLength(action === 'rollback' ? 1 : 0);
    // What is given up holds its batch.
    const end = await platform.api.jobWhen(jobId, ({ state, endedAt }) => endedAt !== null || state === 'HELD');
    expect(end).toMatchObject({ state: gone ? 'HELD' : 'SUCCEEDED' });
    if (gone) await platform.api.settled(jobId, 'abandon');
  }
});

test.concurrent('http.request: its workflow terminated while the call is under way', async () => {
  callee.answer('/ended', 'hangs', {});
  const { batchId, jobId } = await apply('ended');
  await callee.hears('/ended');
  await platform.terminate((await platform.api.job(jobId)).workflowId);
  expect(await platform.api.jobWhen(jobId)).toMatchObject({ state: 'SUCCEEDED', rollback: 'none' });
  const { jobId: key } = await callOf(batchId);
  expect(new Set(keysOf('/ended'))).toEqual(new Set([key]));
});

test.concurrent('http.request: canceled while the call is under way, it is given up and taken back', async () => {
  callee.answer('/canceled', 'hangs');
  const { batchId, jobId } = await apply('canceled');
  await callee.hears('/canceled');
  expect(await platform.api.canceled(jobId)).toMatchObject({ state: 'CANCELED', rollback: 'complete' });
  expect(await ownJob(batchId)).toMatchObject({ state: 'CANCELED', rollback: 'complete' });
  expect(keysOf('/canceled-undo')).toEqual(keysOf('/canceled').slice(0, 1));
});

test.concurrent('http.request: its region worker killed while the call is under way', async () => {
  callee.answer('/killed', 'hangs', {});
  const { batchId, jobId } = await apply('killed', { region: 'nrt-1' });
  await callee.hears('/killed');
  await killNow(fragile);
  fragile = await startFragile();
  expect(await platform.api.jobWhen(jobId)).toMatchObject({ state: 'SUCCEEDED', rollback: 'none' });
  const { jobId: key } = await callOf(batchId);
  expect(keysOf('/killed')).toEqual([key, key]);
  expect(callee.to('/killed-undo')).toEqual([]);
});

test.concurrent('http.request: an undo that fails leaves the batch held, and is made again when it is settled', async () => {
  callee.answer('/stuck-undo', { status: 409 });
  const { jobId } = await apply('stuck', { failsLater: true });
  const job = await platform.api.jobWhen(jobId, ({ state }) => state === 'HELD');
  expect(job).toMatchObject({ rollback: 'stuck', leftovers: ['call'] });
  callee.answer('/stuck-undo', { status: 204 });
  expect(await platform.api.settled(jobId, 'retry')).toMatchObject({ state: 'FAILED', rollback: 'complete' });
  expect(new Set(keysOf('/stuck-undo'))).toEqual(new Set(keysOf('/stuck')));
});

test.concurrent('http.request: a Retry-After is honoured, as seconds and as a date', async () => {
  const date = new Date(Date.now() + 4000).toUTCString();
  callee.answer('/seconds', { status: 429, headers: { 'retry-after': '2' } }, {});
  callee.answer('/date', { status: 503, headers: { 'retry-after': date } }, {});
  const asked = await Promise.all([apply('seconds'), apply('date')]);
  for (const { jobId } of asked) expect(await platform.api.jobWhen(jobId)).toMatchObject({ state: 'SUCCEEDED' });
  const [first, second] = callee.to('/seconds');
  expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(1900);
  expect(callee.to('/date')[1]?.at).toBeGreaterThanOrEqual(Date.parse(date) - 100);
});

test.concurrent('http.request: 64 KiB of an answer are kept, JSON that is cut as text', async () => {
  const long = 'x'.repeat(200_000);
  callee.answer('/long', { headers: { 'content-type': 'text/plain' }, body: long });
  callee.answer('/long-json', { body: JSON.stringify({ long }) });
  callee.answer('/whole', { body: JSON.stringify({ long: long.slice(0, 60_000), 'with\0nul': '\0' }) });
  const [text, json, whole] = await Promise.all(['long', 'long-json', 'whole'].map((name) => apply(name)));
  for (const one of [text, json, whole])
    expect(await platform.api.jobWhen(one?.jobId ?? '')).toMatchObject({ state: 'SUCCEEDED' });
  expect((await callOf(text?.batchId ?? '')).outputs.body).toBe(long.slice(0, 65_536));
  expect((await callOf(json?.batchId ?? '')).outputs.body).toBe(JSON.stringify({ long }).slice(0, 65_536));
  expect((await callOf(whole?.batchId ?? '')).outputs.body).toEqual({ long: long.slice(0, 60_000), withnul: '' });
});

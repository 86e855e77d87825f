import { afterAll, beforeAll, expect, test } from 'vitest';
import type { BatchOperationView } from '../../src/domain/batch.ts';
import { type PlantedOperation, plantBatch } from '../harness/plant-batch.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { until } from '../harness/until.ts';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform({ regions: ['tpe-1'] });
  await until('the region to be heard of', async () => {
    const { items } = (await platform.api.get('/api/ops/v1/workers')).body;
    return items.some(
      ({ region, status }: { region: string; status: string }) => region === 'tpe-1' && status === 'running',
    );
  });
  // What is planted is to stay as it is.
  await platform.control.stop();
});
afterAll(() => platform.stop());

const at = (minute: number): string => `2026-11-23T12:${String(minute).padStart(2, '0')}:00.000Z`;
const running = (id: string, minute = 1): PlantedOperation => ({
  id,
  state: 'RUNNING',
  startedAt: at(minute),
  job: { state: 'RUNNING', step: { name: 'create', attempts: 1, startedAt: at(minute) } },
});
const get = async (path: string) => (await platform.api.tenant('GET', path)).body;

async function waitsOf(id: string): Promise<Record<string, BatchOperationView['waitingFor']>> {
  const { operations } = await get(`/batches/${id}`);
  return Object.fromEntries(operations.map((one: BatchOperationView) => [one.id, one.waitingFor]));
}

test('everything that waits says why, since when, and until when', async () => {
  const id = await plantBatch(platform.sql, {
    name: 'all-waits',
    parallelLimit: 4,
    limits: { web: 1 },
    onFailure: 'hold',
    startedAt: at(0),
    operations: [
      { id: 'net', state: 'SUCCEEDED', startedAt: at(0), endedAt: at(2) },
      { ...running('far'), region: 'nowhere-1' },
      {
        id: 'db',
        state: 'RUNNING',
        startedAt: at(3),
        job: {
          state: 'RETRYING',
          error: { code: 'unavailable', message: 'No answer.' },
          nextAttemptAt: at(9),
          step: { name: 'create', attempts: 3, startedAt: at(4) },
        },
      },
      {
        id: 'stuck',
        state: 'RUNNING',
        startedAt: at(3),
        job: {
          state: 'HELD',
          error: { code: 'capacity', message: 'No room.' },
          step: { name: 'create', attempts: 1, startedAt: at(5) },
        },
      },
      { id: 'nap', type: 'wait.for', state: 'WAITING', startedAt: at(1), waitUntil: at(8) },
      {
        id: 'ask',
        type: 'wait.approval',
        state: 'WAITING',
        startedAt: at(1),
        spec: { message: 'Go live?', role: 'admin' },
      },
      running('web/blue'),
      { id: 'web/green', dependsOn: ['net'] },
      { id: 'web', type: 'group.join', dependsOn: ['web/blue', 'web/green'] },
      { id: 'late', dependsOn: ['net', 'db', 'stuck', 'nap', 'ask', 'web'] },
      running('other'),
      { id: 'more', dependsOn: ['net'] },
      { id: 'lost', state: 'FAILED', endedAt: at(2) },
      { id: 'soft', softDependsOn: ['lost'] },
      { id: 'hard', dependsOn: ['lost'] },
      { id: 'left-out', state: 'SKIPPED', endedAt: at(1) },
      { id: 'after-left-out', dependsOn: ['left-out'] },
    ],
  });
  const waits = await waitsOf(id);
  expect(waits.far).toMatchObject({ kind: 'region', since: at(1), reason: expect.stringContaining('nowhere-1') });
  expect(waits.db).toEqual({
    kind: 'retry',
    reason: 'the next try of step "create": attempt 3 failed: No answer.',
    since: at(4),
    until: at(9),
  });
  expect(waits.stuck).toMatchObject({ kind: 'decision', since: at(5), reason: expect.stringContaining('No room.') });
  expect(waits.nap).toEqual({ kind: 'time', reason: `its time, ${at(8)}`, since: at(1), until: at(8) });
  expect(waits.ask).toMatchObject({
    kind: 'approval',
    since: at(1),
    reason: `the approval of an admin: Go live?. "millwright batch approve ${id} ask --reason …"`,
  });
  expect(waits['web/green']).toEqual({
    kind: 'group',
    reason: 'a place in group "web": its limit is 1, and 1 have one',
    since: at(2),
    until: null,
  });
  expect(waits.late).toEqual({
    kind: 'operations',
    reason: 'operations "db" (RETRYING: No answer.), "stuck" (HELD: No room.), "nap" (WAITING) and 2 more',
    since: at(2),
    until: null,
  });
  const slot = { kind: 'slot', reason: 'a slot: parallelLimit is 4, and 4 are under way', until: null };
  expect(waits.more).toEqual({ ...slot, since: at(2) });
  expect(waits.soft).toEqual({ ...slot, since: at(2) });
  expect(waits['after-left-out']).toEqual({ ...slot, since: at(1) });
  expect(waits.hard).toMatchObject({ kind: 'operations', reason: 'operation "lost" (FAILED)' });
  expect([waits.net, waits.lost, waits['left-out']]).toEqual([null, null, null]);
});

test('the progress counts what waits by its reason, and the answer without operations has it too', async () => {
  const { operations, progress } = await get('/batches/all-waits?view=basic');
  expect(operations).toBeUndefined();
  const counts = Object.fromEntries(
    progress.waiting.map(({ kind, count }: { kind: string; count: number }) => [kind, count]),
  );
  expect(counts).toEqual({ decision: 1, approval: 1, region: 1, retry: 1, time: 1, group: 1, slot: 3, operations: 3 });
  expect(progress.held.map(({ id }: { id: string }) => id)).toEqual(['stuck']);
  expect(progress.retrying[0]).toMatchObject({ id: 'db', step: 'create', attempts: 3 });
  expect(progress.next).toEqual([
    { id: 'after-left-out', type: 'volume.create' },
    { id: 'more', type: 'volume.create' },
    { id: 'soft', type: 'volume.create' },
  ]);
});

test('what is half replaced keeps its place in its group, and so does what is held', async () => {
  const id = await plantBatch(platform.sql, {
    name: 'groups',
    limits: { web: 1, db: 1 },
    startedAt: at(0),
    operations: [
      { id: 'web/blue/_old', type: 'volume.delete', state: 'SUCCEEDED', startedAt: at(1), endedAt: at(2) },
      { id: 'web/blue', dependsOn: ['web/blue/_old'] },
      { id: 'web/green' },
      { id: 'db/one', state: 'RUNNING', startedAt: at(1), job: { state: 'HELD' } },
      { id: 'db/two' },
    ],
  });
  const waits = await waitsOf(id);
  expect(waits['web/green']).toMatchObject({ kind: 'group' });
  expect(waits['db/two']).toMatchObject({ kind: 'group' });
  expect(waits['web/blue']).toMatchObject({ kind: 'worker' });
  const { progress } = await get(`/batches/${id}?view=basic`);
  expect(progress.next).toEqual([{ id: 'web/blue', type: 'volume.create' }]);
});

test('what is half replaced and never will be whole has given up its place', async () => {
  const id = await plantBatch(platform.sql, {
    name: 'blocked',
    limits: { web: 1 },
    onFailure: 'keep',
    startedAt: at(0),
    operations: [
      { id: 'net', state: 'FAILED', endedAt: at(2) },
      { id: 'db', dependsOn: ['net'] },
      { id: 'web/blue/_old', type: 'volume.delete', state: 'SUCCEEDED', startedAt: at(1), endedAt: at(2) },
      { id: 'web/blue', dependsOn: ['web/blue/_old', 'db'] },
      { id: 'web/green' },
    ],
  });
  expect((await waitsOf(id))['web/green']).toMatchObject({ kind: 'worker' });
  const { progress } = await get(`/batches/${id}?view=basic`);
  expect(progress.next).toEqual([{ id: 'web/green', type: 'volume.create' }]);
});

test('while it runs a batch says when it will have ended, by what is left of it; not where people have to decide', async () => {
  const from = Date.now();
  const inSeconds = (seconds: number): string => new Date(from + seconds * 1000).toISOString();
  // As long as none has succeeded, a volume is expected to take 10 s.
  const operations: PlantedOperation[] = [
    { id: 'done', state: 'SUCCEEDED', startedAt: inSeconds(-60), endedAt: inSeconds(-50) },
    { ...running('a'), startedAt: inSeconds(-4) },
    { id: 'b', dependsOn: ['done', 'a'] },
    { id: 'c', dependsOn: ['b'] },
    { id: 'lost', state: 'FAILED', endedAt: inSeconds(-1) },
    { id: 'never', dependsOn: ['lost', 'c'] },
  ];
  const secondsLeft = async (more: readonly PlantedOperation[], parallelLimit = 10, pausedBy?: string) => {
    const batch = { name: 'foreseen', onFailure: 'keep', startedAt: at(0), parallelLimit };
    const id = await plantBatch(platform.sql, {
      ...batch,
      operations: [...operations, ...more],
      ...(pausedBy && { pausedBy }),
    });
    const { progress } = await get(`/batches/${id}?view=basic`);
    expect((await get(`/batches/${id}`)).progress.estimatedEndAt === null).toBe(progress.estimatedEndAt === null);
    return progress.estimatedEndAt && Math.round((Date.parse(progress.estimatedEndAt) - from) / 1000);
  };
  expect(await secondsLeft([])).toBe(26);
  const nap: PlantedOperation = { id: 'nap', type: 'wait.for', state: 'WAITING', waitUntil: inSeconds(60) };
  expect(await secondsLeft([nap, { id: 'd', dependsOn: ['nap'] }])).toBe(70);
  // Three more, and one slot for all: what is under way has it.
  expect(await secondsLeft([{ id: 'd' }, { id: 'e' }, { id: 'f' }], 1)).toBe(56);
  const approval = { id: 'ask', type: 'wait.approval', spec: { message: 'Go live?' } };
  expect(await secondsLeft([{ ...approval, dependsOn: ['c'] }])).toBe(26);
  expect(await secondsLeft([{ ...approval, state: 'WAITING', startedAt: inSeconds(-1) }])).toBeNull();
  expect(await secondsLeft([], 10, 'ana')).toBeNull();
});

test('a batch that is paused, or stops, says so of what could begin', async () => {
  const paused = await plantBatch(platform.sql, {
    name: 'paused',
    pausedBy: 'ana',
    startedAt: at(0),
    operations: [{ id: 'a' }],
  });
  expect((await waitsOf(paused)).a).toMatchObject({
    kind: 'paused',
    since: at(30),
    reason: expect.stringContaining('ana'),
  });
  const stops = await plantBatch(platform.sql, {
    name: 'stops',
    operations: [{ id: 'a', state: 'FAILED', endedAt: at(1) }, running('b'), { id: 'c' }],
  });
  expect((await waitsOf(stops)).c).toMatchObject({ kind: 'end', reason: expect.stringContaining('"a" failed') });
  const ended = await plantBatch(platform.sql, {
    name: 'ended',
    state: 'FAILED',
    endedAt: at(9),
    operations: [{ id: 'a' }],
  });
  expect((await waitsOf(ended)).a).toBeNull();
});

test('pages go through all operations in the order of the file, of several states too', async () => {
  const states = ['SUCCEEDED', 'PENDING', 'FAILED'];
  const operations = Array.from({ length: 25 }, (_, index) => ({ id: `o${index}`, state: states[index % 3] ?? '' }));
  const id = await plantBatch(platform.sql, { name: 'paged', operations });
  async function all(filter: string): Promise<string[]> {
    const seen: string[] = [];
    for (let cursor = ''; ; ) {
      const page = await get(`/batches/${id}/operations?limit=4${filter}${cursor}`);
      seen.push(...page.items.map((item: { id: string }) => item.id));
      if (page.nextCursor === null) return seen;
      cursor = `&cursor=${page.nextCursor}`;
    }
  }
  expect(await all('')).toEqual(operations.map((one) => one.id));
  const wanted = operations.filter(({ state }) => state !== 'SUCCEEDED').map((one) => one.id);
  expect(await all('&state=FAILED&state=PENDING')).toEqual(wanted);
  expect(await platform.api.tenant('GET', `/batches/${id}/operations?cursor=x`)).toMatchObject({ status: 400 });
});

test('ten thousand operations are answered in a moment, whole or in part', async () => {
  const layer = (index: number) => (index < 100 ? [] : [`o${index - 100}`, `o${index - 100 - (index % 50)}`]);
  const operations = Array.from({ length: 10_000 }, (_, index): PlantedOperation => {
    const dependsOn = layer(index);
    if (index < 1000) return { id: `o${index}`, state: 'SUCCEEDED', startedAt: at(1), endedAt: at(2), dependsOn };
    return index < 1010 ? { ...running(`o${index}`, 3), dependsOn } : { id: `o${index}`, dependsOn };
  });
  await plantBatch(platform.sql, { name: 'vast', startedAt: at(0), operations });
  await platform.sql`ANALYZE`;
  async function leastMs(what: () => Promise<unknown>): Promise<number> {
    const times: number[] = [];
    for (let round = 0; round < 4; round += 1) {
      const startedAt = performance.now();
      await what();
      times.push(performance.now() - startedAt);
    }
    return Math.min(...times);
  }
  const tookMs = (path: string) => leastMs(() => get(path));
  // Seconds depend on what else the machine does; the same rows read and written as JSON, and nothing else, do as well.
  const bare = await leastMs(async () =>
    JSON.parse(JSON.stringify(await platform.sql`SELECT * FROM batch_operations`)),
  );
  const [whole, basic] = [await tookMs('/batches/vast'), await tookMs('/batches/vast?view=basic')];
  const cursor = Buffer.from(JSON.stringify({ after: 9800 })).toString('base64url');
  const [first, last] = [
    await tookMs('/batches/vast/operations?state=PENDING'),
    await tookMs(`/batches/vast/operations?state=PENDING&cursor=${cursor}`),
  ];
  expect(whole).toBeLessThan(6 * bare);
  expect(basic).toBeLessThan(2 * bare);
  expect(last).toBeLessThan(first * 3 + 20);
  const { progress } = await get('/batches/vast?view=basic');
  expect(progress).toMatchObject({
    underWay: 10,
    next: expect.arrayContaining([{ id: 'o1010', type: 'volume.create' }]),
  });
});

test('the timeline has what each operation took and its rollback, as JSON and as a picture', async () => {
  const done = { state: 'SUCCEEDED' };
  const id = await plantBatch(platform.sql, {
    name: 'timed',
    state: 'FAILED',
    startedAt: at(0),
    endedAt: at(30),
    operations: [
      {
        id: 'net',
        state: 'ROLLED_BACK',
        startedAt: at(0),
        endedAt: at(5),
        job: { ...done, step: { name: 'create', attempts: 3, startedAt: at(0) } },
        rolledBack: [at(20), at(25)],
      },
      { id: 'db', state: 'FAILED', startedAt: at(6), endedAt: at(16), dependsOn: ['net'], job: { state: 'FAILED' } },
      { id: 'web', state: 'SKIPPED', endedAt: at(16), dependsOn: ['db'] },
    ],
  });
  const timeline = await get(`/batches/${id}/timeline`);
  expect(timeline).toMatchObject({
    name: 'timed',
    lanes: 1,
    criticalPath: [
      { id: 'net', waitedSeconds: 0, seconds: 300 },
      { id: 'db', waitedSeconds: 60, seconds: 600 },
    ],
    operations: [
      { id: 'net', attempts: 3, seconds: 300, rollback: { startedAt: at(20), endedAt: at(25) } },
      { id: 'db', waitedSeconds: 60, critical: true },
      { id: 'web', startedAt: null, lane: null },
    ],
  });
  const picture = await platform.api.tenant('GET', '/batches/timed/timeline?format=svg');
  expect(picture.headers.get('content-type')).toBe('image/svg+xml; charset=utf-8');
  expect(picture.headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(picture.body).toContain('timed: FAILED in 30m00s');
});

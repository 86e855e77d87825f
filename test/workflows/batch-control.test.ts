import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectConsistent } from '../harness/consistency.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { until } from '../harness/until.ts';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform({ environment: { MILLWRIGHT_PROVIDER_TIMEOUT_MS: '5000' } });
});
afterAll(() => platform.stop());

const because = { reason: 'the test wants it so' };
const volume = (name: string, more = ''): string =>
  `  - { id: ${name}, type: volume.create, region: tpe-1, with: { name: ${name}, sizeGib: 1 }${more} }`;

async function apply(name: string, operations: readonly string[], head = ''): Promise<{ id: string; jobId: string }> {
  const file = `name: ${name}\n${head}operations:\n${operations.join('\n')}\n`;
  const { status, body } = await platform.api.tenant('POST', '/batches', file);
  expect({ status, detail: body.detail }).toEqual({ status: 202, detail: undefined });
  return { id: body.resource.id, jobId: body.job.id };
}
const batchOf = async (id: string) => (await platform.api.tenant('GET', `/batches/${id}`)).body;
const statesOf = async (id: string): Promise<Record<string, string>> => {
  const { operations } = await batchOf(id);
  return Object.fromEntries(operations.map((one: { id: string; state: string }) => [one.id, one.state]));
};
const stateIs = (id: string, operationId: string, state: string) =>
  until(`operation ${operationId} to be ${state}`, async () => (await statesOf(id))[operationId] === state);
const ask = async (id: string, what: string, body: object = because) => {
  const answer = await platform.api.tenant('POST', `/batches/${id}/${what}`, body);
  expect({ status: answer.status, detail: answer.body.detail }).toMatchObject({ detail: undefined });
  return answer;
};

test('a paused batch begins nothing more, says so, and goes on when it is resumed', async () => {
  const { api } = platform;
  const { id, jobId } = await apply('paused', [
    '  - { id: go, type: wait.approval, with: { message: May it go on? } }',
    volume('paused-a', ', dependsOn: [go]'),
  ]);
  await stateIs(id, 'go', 'WAITING');
  await ask(id, 'pause');
  await ask(id, 'operations/go/approve');
  await stateIs(id, 'go', 'SUCCEEDED');
  const { operations } = await batchOf(id);
  expect(operations[1]).toMatchObject({ state: 'PENDING', waitingFor: { reason: expect.stringMatching(/paused/) } });
  await ask(id, 'resume');
  expect(await api.jobWhen(jobId)).toMatchObject({ state: 'SUCCEEDED' });
  const again = await api.tenant('POST', `/batches/${id}/resume`, because);
  expect(again).toMatchObject({ status: 409, body: { detail: expect.stringContaining('SUCCEEDED') } });
  await expectConsistent(platform);
});

test('decisions that come all at once are all heard', async () => {
  const { api } = platform;
  const waits = ['a', 'b', 'c'].map((name) => `  - { id: ${name}, type: wait.approval, with: { message: Well? } }`);
  const { id, jobId } = await apply('hasty', [...waits, volume('hasty-v', ', dependsOn: [a, b, c]')]);
  await until('all to be waited for', async () => (await batchOf(id)).counts.WAITING === 3);
  await ask(id, 'pause');
  await Promise.all(['a', 'b', 'c'].map((name) => ask(id, `operations/${name}/approve`)));
  await ask(id, 'resume');
  expect(await api.jobWhen(jobId, undefined, 20_000)).toMatchObject({ state: 'SUCCEEDED' });
});

test('an approval that is rejected fails, and what was built is taken back', async () => {
  const { api, simulator } = platform;
  const { id, jobId } = await apply('rejected', [
    volume('rejected-a'),
    '  - { id: ok, type: wait.approval, dependsOn: [rejected-a], with: { message: Is it good? } }',
    volume('rejected-b', ', dependsOn: [ok]'),
  ]);
  await stateIs(id, 'ok', 'WAITING');
  await ask(id, 'operations/ok/reject', { reason: 'it is not' });
  expect(await api.jobWhen(jobId)).toMatchObject({
    state: 'FAILED',
    rollback: 'complete',
    error: { message: expect.stringContaining('it is not') },
  });
  expect(await statesOf(id)).toEqual({ 'rejected-a': 'ROLLED_BACK', ok: 'FAILED', 'rejected-b': 'SKIPPED' });
  const twice = await api.tenant('POST', `/batches/${id}/operations/ok/approve`, because);
  expect(twice.status).toBe(409);
  expect((await simulator.names()).filter((name) => name.includes('rejected'))).toEqual([]);
});

test('an approval has its time, and a wait ends by itself', async () => {
  const { api } = platform;
  const { id, jobId } = await apply(
    'timed',
    [
      '  - { id: pause, type: wait.for, with: { duration: 1s } }',
      '  - { id: ok, type: wait.approval, timeout: 1s, with: { message: Anybody? } }',
      volume('timed-a', ', dependsOn: [pause]'),
    ],
    'onFailure: keep\n',
  );
  expect(await api.jobWhen(jobId)).toMatchObject({
    state: 'FAILED',
    error: { message: expect.stringContaining('Nobody') },
  });
  expect(await statesOf(id)).toEqual({ pause: 'SUCCEEDED', ok: 'FAILED', 'timed-a': 'SUCCEEDED' });
});

test('what a condition leaves out counts as done, and what refers to it is left out too', async () => {
  const { api } = platform;
  const { id, jobId } = await apply('choosy', [
    volume('choosy-a'),
    volume('choosy-b', ', when: operations.choosy-a.outputs.sizeGib > 5'),
    volume('choosy-c', ', dependsOn: [choosy-b]'),
    volume('choosy-d', ', when: operations.choosy-a.outputs.sizeGib == 1'),
    `  - { id: choosy-e, type: volume.create, region: tpe-1, with: { name: "e-\${operations.choosy-b.outputs.name}", sizeGib: 1 } }`,
  ]);
  expect(await api.jobWhen(jobId)).toMatchObject({ state: 'SUCCEEDED' });
  expect(await statesOf(id)).toEqual({
    'choosy-a': 'SUCCEEDED',
    'choosy-b': 'SKIPPED',
    'choosy-c': 'SUCCEEDED',
    'choosy-d': 'SUCCEEDED',
    'choosy-e': 'SKIPPED',
  });
});

test('a soft dependency that fails does not stop what waits for it, a hard one does', async () => {
  const { api, simulator } = platform;
  await simulator.fault({ effect: 'permanent', operation: 'volume.create', name: 'soft-a' });
  const { id, jobId } = await apply(
    'soft',
    [
      volume('soft-a'),
      volume('soft-b', ', dependsOn: [{ id: soft-a, soft: true }]'),
      volume('soft-c', ', dependsOn: [soft-a]'),
      volume('soft-d', ', dependsOn: [{ id: soft-c, soft: true }]'),
    ],
    'onFailure: keep\n',
  );
  expect(await api.jobWhen(jobId)).toMatchObject({ state: 'FAILED', rollback: 'none' });
  expect(await statesOf(id)).toEqual({
    'soft-a': 'FAILED',
    'soft-b': 'SUCCEEDED',
    'soft-c': 'SKIPPED',
    'soft-d': 'SUCCEEDED',
  });
  await api.done('DELETE', '/volumes/soft-a');
});

test('a batch that failed is resumed from its checkpoint once the cause is mended, and repeats nothing', async () => {
  const { api, simulator } = platform;
  const fault = await simulator.fault({ effect: 'permanent', operation: 'volume.create', name: 'mend-b' });
  const { id, jobId } = await apply(
    'mend',
    [volume('mend-a'), volume('mend-b', ', dependsOn: [mend-a]'), volume('mend-c', ', dependsOn: [mend-b]')],
    'onFailure: keep\n',
  );
  expect(await api.jobWhen(jobId)).toMatchObject({ state: 'FAILED' });
  await simulator.removeFault(fault);
  const { body } = await ask(id, 'resume');
  expect(body.jobId).not.toBe(jobId);
  expect(await api.jobWhen(body.jobId)).toMatchObject({ state: 'SUCCEEDED' });
  // What was kept of the failure goes before it is made anew.
  expect(await statesOf(id)).toEqual({
    'mend-a': 'SUCCEEDED',
    'mend-b/_old': 'SUCCEEDED',
    'mend-b': 'SUCCEEDED',
    'mend-c': 'SUCCEEDED',
  });
  const creates = (await simulator.calls()).filter(
    ({ operation, name, status }) => operation === 'volume.create' && name === 'mend-a' && status === 200,
  );
  expect(creates.length).toBeLessThanOrEqual(1);
  await expectConsistent(platform);
});

test('a batch that was rolled back is resumed with a mended file', async () => {
  const { api, simulator } = platform;
  await simulator.fault({ effect: 'permanent', operation: 'volume.create', name: 'other-b' });
  const { id, jobId } = await apply('other', [volume('other-a'), volume('other-b', ', dependsOn: [other-a]')]);
  expect(await api.jobWhen(jobId)).toMatchObject({ state: 'FAILED', rollback: 'complete' });
  const file = `name: other\noperations:\n${[volume('other-a'), volume('other-c', ', dependsOn: [other-a]')].join('\n')}\n`;
  const resumed = await api.tenant('POST', `/batches/${id}/resume?reason=mended`, file);
  expect(resumed.status).toBe(200);
  expect(await api.jobWhen(resumed.body.jobId)).toMatchObject({ state: 'SUCCEEDED' });
  expect(await statesOf(id)).toEqual({ 'other-a': 'SUCCEEDED', 'other-c': 'SUCCEEDED' });
  expect((await simulator.names()).filter((name) => name.includes('other')).toSorted()).toEqual([
    'volume other-a',
    'volume other-c',
  ]);
  await expectConsistent(platform);
});

test('a file that would change what is done is refused with all that it would change, and nothing is resumed', async () => {
  const { api, simulator, sql } = platform;
  const fault = await simulator.fault({ effect: 'permanent', operation: 'volume.create', name: 'kept-late' });
  await api.done('POST', '/volumes', { name: 'kept-gone', region: 'tpe-1', sizeGib: 1 });
  const fileOf = (change: Partial<Record<'a' | 'b' | 'gone' | 'pause' | 'late', string>> = {}): string => {
    const operations = {
      a: volume('kept-a'),
      b: volume('kept-b'),
      gone: '  - { id: gone, type: volume.delete, with: { name: kept-gone } }',
      pause: '  - { id: pause, type: wait.for, with: { duration: 1s } }',
      late: volume('kept-late', ', dependsOn: [kept-a, kept-b, gone, pause]'),
      ...change,
    };
    return `name: kept\nonFailure: keep\noperations:\n${Object.values(operations).filter(Boolean).join('\n')}\n`;
  };
  const { body } = await api.tenant('POST', '/batches', fileOf());
  const id: string = body.resource.id;
  expect(await api.jobWhen(body.job.id)).toMatchObject({ state: 'FAILED', rollback: 'none' });
  await simulator.removeFault(fault);
  const before = await sql`SELECT * FROM batch_operations WHERE batch_id = ${id} ORDER BY position`;

  const resume = (file: string) => api.tenant('POST', `/batches/${id}/resume?reason=mended`, file);
  const late = volume('kept-late', ', dependsOn: [kept-a]');
  const changes: readonly [Parameters<typeof fileOf>[0], readonly string[]][] = [
    [{ a: volume('kept-a').replace('sizeGib: 1', 'sizeGib: 2') }, ['kept-a']],
    [{ a: volume('kept-a').replace('name: kept-a', 'name: kept-c') }, ['kept-a']],
    [{ a: volume('kept-a').replace('sizeGib: 1', 'sizeGib: 1, labels: { tier: db }') }, ['kept-a']],
    [{ gone: '  - { id: gone, type: volume.delete, with: { name: kept-b } }' }, ['gone']],
    [{ pause: '  - { id: pause, type: wait.for, with: { duration: 9s } }' }, ['pause']],
    [
      { b: '', gone: '', pause: '  - { id: pause, type: wait.approval, with: { message: Well? } }', late },
      ['kept-b', 'gone', 'pause'],
    ],
  ];
  for (const [change, ids] of changes) {
    const answer = await resume(fileOf(change));
    expect({ change, status: answer.status }).toEqual({ change, status: 409 });
    const told: string[] = answer.body.errors.map(({ detail }: { detail: string }) => /"([^"]+)"/.exec(detail)?.[1]);
    expect({ change, told: told.toSorted() }).toEqual({ change, told: ids.toSorted() });
    for (const name of ids) expect(answer.body.detail).toContain(`"${name}"`);
  }
  expect(await sql`SELECT * FROM batch_operations WHERE batch_id = ${id} ORDER BY position`).toEqual(before);
  expect(await batchOf(id)).toMatchObject({ state: 'FAILED', jobId: body.job.id });
  const resumed = await resume(fileOf());
  expect(resumed.status).toBe(200);
  expect(await api.jobWhen(resumed.body.jobId)).toMatchObject({ state: 'SUCCEEDED' });
  await expectConsistent(platform);
});

test('one operation is held and settled by its own name while another branch goes on', async () => {
  const { api, simulator } = platform;
  const fault = await simulator.fault({ effect: 'permanent', operation: 'volume.create', name: 'branch-a' });
  const { id, jobId } = await apply('branch', [
    volume('branch-a', ', onFailure: hold'),
    volume('branch-b', ', dependsOn: [branch-a]'),
    volume('branch-c'),
    volume('branch-d', ', dependsOn: [branch-c]'),
  ]);
  await stateIs(id, 'branch-d', 'SUCCEEDED');
  await until('the operation to be held', async () => {
    const { body } = await api.tenant('GET', `/jobs?batch=${id}&state=HELD`);
    return body.items.length === 1;
  });
  await simulator.removeFault(fault);
  await ask(id, 'operations/branch-a/settle', { action: 'retry', ...because });
  expect(await api.jobWhen(jobId)).toMatchObject({ state: 'SUCCEEDED' });
});

test('labels are changed in place and put back by a rollback; what differs otherwise is replaced', async () => {
  const { api, simulator } = platform;
  const labelled = (labels: string, sizeGib = 1): string =>
    `  - { id: a, type: volume.create, region: tpe-1, with: { name: changing-a, sizeGib: ${sizeGib}, labels: ${labels} } }`;
  await api.jobWhen((await apply('changing', [labelled('{ tier: web }')])).jobId);
  await simulator.fault({ effect: 'permanent', operation: 'volume.create', name: 'changing-b' });
  const failing = await apply('changing', [labelled('{ tier: db }'), volume('changing-b', ', dependsOn: [a]')]);
  expect(await api.jobWhen(failing.jobId)).toMatchObject({ state: 'FAILED', rollback: 'complete' });
  const before = (await api.tenant('GET', '/volumes/changing-a')).body;
  expect(before.labels).toEqual({ tier: 'web' });
  expect(await api.jobWhen((await apply('changing', [labelled('{ tier: web }', 2)])).jobId)).toMatchObject({
    state: 'SUCCEEDED',
  });
  const after = (await api.tenant('GET', '/volumes/changing-a')).body;
  expect(after).toMatchObject({ sizeGib: 2 });
  expect(after.id).not.toBe(before.id);
  await expectConsistent(platform);
});

test('a batch that is not done by its deadline is taken back', async () => {
  const { api, simulator } = platform;
  const { id, jobId } = await apply(
    'late',
    [volume('late-a'), '  - { id: ok, type: wait.approval, dependsOn: [late-a], with: { message: Anybody? } }'],
    'timeout: 3s\n',
  );
  expect(await api.jobWhen(jobId)).toMatchObject({
    state: 'FAILED',
    rollback: 'complete',
    error: { message: expect.stringContaining('deadline') },
  });
  expect(await statesOf(id)).toEqual({ 'late-a': 'ROLLED_BACK', ok: 'CANCELED' });
  expect((await simulator.names()).filter((name) => name.includes('late-'))).toEqual([]);
});

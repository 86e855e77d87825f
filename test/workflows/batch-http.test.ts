import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Callee, startCallee } from '../harness/callee.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

let callee: Callee;
let platform: TestPlatform;
beforeAll(async () => {
  callee = await startCallee();
  platform = await startTestPlatform({ regions: ['tpe-1'], environment: { MILLWRIGHT_HTTP_HOSTS: callee.host } });
});
afterAll(async () => {
  await platform.stop();
  await callee.stop();
});

async function run(file: string) {
  const answer = await platform.api.tenant('POST', '/batches', file);
  expect(answer).toMatchObject({ status: 202 });
  const job = await platform.api.jobWhen(answer.body.job.id);
  const { body } = await platform.api.tenant('GET', `/batches/${answer.body.resource.id}`);
  return { job, operations: body.operations };
}

test('a call that is put off is made again under the same key, and others use what it gave', async () => {
  callee.answer('/busy', { status: 503 }, { body: '{"size":7}' });
  const { job, operations } = await run(`
name: calls
operations:
  - { id: ask, type: http.request, region: tpe-1, with: { url: "${callee.urlOf('/busy')}", method: POST, headers: { x-token: hunter2-long-secret }, body: { a: 1 } } }
  - { id: disk, type: volume.create, region: tpe-1, with: { name: calls-disk, sizeGib: "\${operations.ask.outputs.body.size}" } }`);
  expect(job).toMatchObject({ state: 'SUCCEEDED' });
  expect(operations[0]).toMatchObject({ state: 'SUCCEEDED', outputs: { status: 200, body: { size: 7 } } });
  expect(operations[1].outputs).toMatchObject({ sizeGib: 7 });
  expect(callee.to('/busy').map(({ headers }) => headers['idempotency-key'])).toEqual(
    Array(2).fill(operations[0].jobId),
  );
  expect(callee.to('/busy')[1]).toMatchObject({ headers: { 'x-token': 'hunter2-long-secret' }, body: '{"a":1}' });
  const rows = await platform.sql`SELECT to_jsonb(j)::text AS row FROM jobs j UNION ALL
    SELECT to_jsonb(o)::text FROM batch_operations o UNION ALL SELECT to_jsonb(e)::text FROM events e`;
  expect(JSON.stringify(rows)).not.toContain('hunter2');
});

test('a host that is not allowed is refused, and what was called before is taken back', async () => {
  const { job, operations } = await run(`
name: refused
operations:
  - { id: first, type: http.request, region: tpe-1, with: { url: "${callee.urlOf('/do')}", method: POST, undo: { url: "${callee.urlOf('/undo')}", method: DELETE } } }
  - { id: second, type: http.request, region: tpe-1, dependsOn: [first], with: { url: "http://other.example.org/" } }`);
  expect(job).toMatchObject({ state: 'FAILED', rollback: 'complete' });
  expect(operations[1].error.message).toContain('MILLWRIGHT_HTTP_HOSTS');
  expect(operations[0].state).toBe('ROLLED_BACK');
  expect(callee.to('/undo')[0]?.headers).toMatchObject({
    'millwright-undo': 'true',
    'idempotency-key': operations[0].jobId,
  });
});

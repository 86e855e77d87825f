import { randomUUID } from 'node:crypto';
import type { Sql } from 'postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { audited, auditedAround, closeAudit, openAudit } from '../../src/db/queries/audit.ts';
import type { Act } from '../../src/domain/audit.ts';
import { MillwrightError } from '../../src/errors.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

let platform: TestPlatform;
let sql: Sql;
beforeAll(async () => {
  platform = await startTestPlatform({ control: false });
  sql = platform.sql;
});
afterAll(() => platform.stop());

const act = (action: string): Act => ({
  organizationId: null,
  projectId: null,
  actor: 'somebody',
  origin: '192.0.2.7',
  action,
  resource: { kind: 'token', id: null, name: 'ci' },
  details: { scopes: ['vms'] },
});

const phases = async (action: string): Promise<string[]> => {
  const rows = await sql`
    SELECT e.phase || coalesce(' ' || e.outcome, '') || coalesce(': ' || e.reason, '') AS line FROM audit_entries e
    JOIN audit_entries o ON o.act_id = e.act_id AND o.action = ${action} ORDER BY e.position`;
  return rows.map(({ line }) => line);
};

test('an act is on record before it is done, and is closed once', async () => {
  const id = await openAudit(sql, act('token.open'));
  expect(await phases('token.open')).toEqual(['opened']);
  await closeAudit(sql, id, 'FAILED', 'no');
  await closeAudit(sql, id, 'SUCCEEDED');
  expect(await phases('token.open')).toEqual(['opened', 'closed FAILED: no']);
});

test('an act of the database alone leaves both rows and its result, or nothing', async () => {
  expect(await audited(sql, act('token.create'), async (transaction) => transaction`SELECT 1 AS one`)).toEqual([
    { one: 1 },
  ]);
  expect(await phases('token.create')).toEqual(['opened', 'closed SUCCEEDED']);
  const refused = audited(sql, act('token.refuse'), async () => {
    throw new Error('no');
  });
  await expect(refused).rejects.toThrow('no');
  expect(await phases('token.refuse')).toEqual([]);
});

test('an act beyond the database that fails stays on record, with why', async () => {
  const failing = auditedAround(sql, act('job.settle'), async () => {
    throw new MillwrightError('unavailable', 'Temporal does not answer.');
  });
  await expect(failing).rejects.toThrow('Temporal');
  expect(await phases('job.settle')).toEqual(['opened', 'closed FAILED: Temporal does not answer.']);
});

test('nobody changes, deletes or empties the record', async () => {
  for (const statement of [
    "UPDATE audit_entries SET actor = 'nobody'",
    'DELETE FROM audit_entries',
    'TRUNCATE audit_entries',
    "UPDATE audit_seals SET hash = ''",
    'DELETE FROM audit_seals',
    'TRUNCATE audit_seals',
  ]) {
    await expect(sql.unsafe(statement), statement).rejects.toThrow('only ever added');
  }
});

test('what the release before writes while both run is carried over', async () => {
  const [jobId, other] = [randomUUID(), randomUUID()];
  await sql`INSERT INTO audit_log (organization_id, project_id, actor, action, resource_id, job_id) VALUES
    (${other}, ${other}, 'somebody', 'vm.carried', ${other}, ${jobId}), (${other}, ${other}, 'somebody', 'job.settle.carried', ${other}, ${jobId})`;
  await sql`UPDATE audit_log SET outcome = 'SUCCEEDED', closed_at = now() WHERE job_id = ${jobId}`;
  expect(await phases('vm.carried')).toEqual(['opened', 'closed SUCCEEDED']);
  expect(await phases('job.settle.carried')).toEqual(['opened', 'closed SUCCEEDED']);
  expect(await sql`SELECT 1 FROM audit_entries WHERE act_id = ${jobId}`).toHaveLength(2);
});

import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { countByState, gaugeStatements, lagSeconds } from '../../src/db/queries/gauges.ts';
import { createDatabase } from '../harness/databases.ts';

const ended = 20_000;
let sql: Sql;
beforeAll(async () => {
  sql = postgres(await createDatabase(inject('parts').postgresUrl), { max: 1, onnotice: () => undefined });
  await sql.unsafe(`
    INSERT INTO jobs (organization_id, project_id, type, state, resource_id, resource_kind, resource_name, input, workflow_id, ended_at)
    SELECT uuidv7(), uuidv7(), 'vm.create', CASE WHEN n = 1 THEN 'HELD' ELSE 'SUCCEEDED' END, uuidv7(), 'vm', 'n', '{}', 'w', CASE WHEN n > 1 THEN now() END
    FROM generate_series(1, ${ended}) n;
    INSERT INTO job_steps (job_id, position, name, state, started_at, ended_at)
    SELECT id, 1, 'create', 'SUCCEEDED', now(), ended_at FROM jobs WHERE ended_at IS NOT NULL;
    INSERT INTO incidents (organization_id, project_id, kind, cause, job_id, resource, summary, resolved_at)
    SELECT organization_id, project_id, 'job-held', id::text, id, '{}', 's', ended_at FROM jobs WHERE ended_at IS NOT NULL;
    INSERT INTO audit_entries (act_id, phase, actor, action) SELECT id, 'opened', 'a', 'vm.create' FROM jobs;
    INSERT INTO audit_seals (sequence, transaction_id, position, hash)
    SELECT row_number() OVER (ORDER BY transaction_id, position), transaction_id, position, 'h' FROM audit_entries;
    ANALYZE`);
}, 60_000);
afterAll(() => sql.end());

test('what has ended costs the gauges nothing: no plan reads a whole table of it', async () => {
  for (const [name, statement] of Object.entries(gaugeStatements)) {
    const rows = await sql.unsafe<{ 'QUERY PLAN': string }[]>(`EXPLAIN ${statement}`);
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
    expect(plan, name).not.toMatch(/Seq Scan on (jobs|job_steps|incidents|audit_entries|audit_seals)/);
  }
});

test('the gauges count what is under way, and how old the oldest of it is', async () => {
  const [held] = await countByState(sql, 'jobs');
  expect(held).toMatchObject({ state: 'HELD', count: 1 });
  expect(held?.seconds).toBeGreaterThan(0);
  expect(await countByState(sql, 'deadDeliveries')).toMatchObject([{ state: 'dead', count: 0 }]);
  expect(await lagSeconds(sql, 'sealLag')).toBe(0);
  await sql`INSERT INTO audit_entries (act_id, phase, actor, action, at) VALUES (uuidv7(), 'opened', 'a', 'vm.create', now() - interval '1 minute')`;
  expect(await lagSeconds(sql, 'sealLag')).toBeGreaterThan(59);
});

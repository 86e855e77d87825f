import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { quotaDifferences } from '../../src/db/queries/quota.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform({ control: false });
});
afterAll(() => platform.stop());

const create = (name: string, key?: string) =>
  platform.api.tenant('POST', '/volumes', { name, region: 'tpe-1', sizeGib: 1 }, key ? { 'idempotency-key': key } : {});
const times = <Item>(count: number, make: (index: number) => Item): Item[] =>
  Array.from({ length: count }, (_, index) => make(index));

test('of many creates at once each gets its own answer', async () => {
  const [plain, sameName, sameKey] = await Promise.all([
    Promise.all(times(40, (index) => create(`plain-${index}`))),
    Promise.all(times(20, () => create('wanted-by-all'))),
    Promise.all(times(20, () => create('asked-again', 'one-key'))),
  ]);
  expect(plain.map(({ status }) => status)).toEqual(times(40, () => 202));
  expect(sameName.map(({ status }) => status).toSorted()).toEqual([202, ...times(19, () => 409)]);
  expect(new Set(sameKey.map(({ status, body }) => `${status} ${body.job.id}`)).size).toBe(1);
  const { sql } = platform;
  const [written] = await sql`
    SELECT count(*)::int AS resources, count(DISTINCT j.id)::int AS jobs, count(DISTINCT a.act_id)::int AS acts, count(DISTINCT e.job_id)::int AS events
    FROM resources r JOIN jobs j ON j.resource_id = r.id JOIN audit_entries a ON a.act_id = j.id JOIN events e ON e.job_id = j.id`;
  expect(written).toEqual({ resources: 42, jobs: 42, acts: 42, events: 42 });
  expect(await quotaDifferences(sql)).toEqual([]);
});

test('creates that go together share a transaction, and are answered with what is theirs', async () => {
  const names = times(30, () => `v-${randomUUID().slice(0, 13)}`);
  const answers = await Promise.all(names.map((name) => create(name)));
  expect(answers.map(({ body }) => body.resource.name)).toEqual(names);
  for (const { body } of answers) {
    const { body: job } = await platform.api.tenant('GET', `/jobs/${body.job.id}`);
    expect(job).toMatchObject({
      resource: { id: body.resource.id, name: body.resource.name },
      createdAt: body.job.createdAt,
    });
  }
  const transactions = await platform.sql`
    SELECT DISTINCT transaction_id FROM audit_entries WHERE resource_name = ANY(${names})`;
  expect(transactions.length).toBeLessThan(30);
});

test('machines that go together each hold on to what they use', async () => {
  const { api, sql } = platform;
  const network = (await api.tenant('POST', '/networks', { name: 'shared', region: 'tpe-1', cidr: '10.0.0.0/24' })).body
    .resource;
  await sql`UPDATE resources SET status = 'available', current_job_id = NULL WHERE id = ${network.id}`;
  const vm = (name: string, networks: string[]) =>
    api.tenant('POST', '/vms', { name, region: 'tpe-1', flavor: 'small', image: 'debian-13', networks });
  const answers = await Promise.all(times(20, (index) => vm(`m-${index}`, index % 4 === 0 ? ['missing'] : ['shared'])));
  expect(answers.map(({ status }) => status)).toEqual(times(20, (index) => (index % 4 === 0 ? 400 : 202)));
  expect(await sql`SELECT 1 FROM resource_uses WHERE used_id = ${network.id}`).toHaveLength(15);
});

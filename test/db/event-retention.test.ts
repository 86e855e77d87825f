import { randomUUID } from 'node:crypto';
import postgres, { type Sql } from 'postgres';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { deleteOldEvents } from '../../src/db/queries/event-retention.ts';
import { eventsAfter } from '../../src/db/queries/events.ts';
import { insertEvent } from '../../src/db/queries/outbox.ts';
import { insertWebhook } from '../../src/db/queries/webhooks.ts';
import { beginning } from '../../src/domain/event.ts';
import { createDatabase } from '../harness/databases.ts';

let sql: Sql;
let place: { organizationId: string; projectId: string };
beforeAll(async () => {
  sql = postgres(await createDatabase(inject('parts').postgresUrl), { max: 2, onnotice: () => undefined });
  const [project] = await sql<{ id: string; organization_id: string }[]>`SELECT id, organization_id FROM projects`;
  if (!project) throw new Error('a new database has a project');
  place = { organizationId: project.organization_id, projectId: project.id };
});
afterAll(() => sql.end());

const daysAgo = (days: number): string => new Date(Date.now() - days * 86_400_000).toISOString();
const tell = (type: string, days: number) =>
  insertEvent(sql, { ...place, type, resource: { id: randomUUID(), kind: 'volume', name: 'old' }, at: daysAgo(days) });
const kept = async () => (await eventsAfter(sql, {}, beginning, 100)).events.map(({ type }) => type);

test('old events go in small numbers, from the oldest up to the first that has to stay; a cursor before that is told so', async () => {
  for (const [type, days] of [
    ['one', 35],
    ['two', 34],
    ['three', 33],
    ['young', 1],
    ['late-told', 33],
  ] as const)
    await tell(type, days);
  const { events } = await eventsAfter(sql, {}, beginning, 100);
  expect(await deleteOldEvents(sql, 30, 2)).toBe(2);
  expect(await deleteOldEvents(sql, 30, 2)).toBe(1);
  expect(await deleteOldEvents(sql, 30, 2)).toBe(0);
  expect(await kept()).toEqual(['young', 'late-told']);
  const cursor = (index: number) => {
    const [transaction, position] = (events[index]?.id ?? '').split('-').map(BigInt);
    return { transaction: transaction ?? 0n, position: position ?? 0n };
  };
  await expect(eventsAfter(sql, {}, cursor(1), 10)).rejects.toMatchObject({ code: 'gone' });
  expect((await eventsAfter(sql, {}, cursor(2), 10)).events).toHaveLength(2);
});

test('what an enabled webhook has not had stays, but not for ever', async () => {
  const webhook = { ...place, id: randomUUID(), name: 'behind', url: 'https://example.com/', types: [], kinds: [] };
  await insertWebhook(sql, { ...webhook, concurrency: 1, secret: 'sealed' }, 10);
  await sql`DELETE FROM events`;
  await tell('very-old', 45);
  await tell('waits', 35);
  expect(await deleteOldEvents(sql, 30, 10)).toBe(1);
  expect(await kept()).toEqual(['waits']);
  await sql`UPDATE webhooks SET state = 'disabled'`;
  expect(await deleteOldEvents(sql, 30, 10)).toBe(1);
});

test('where nothing is old nothing is written', async () => {
  const transactions = async () => (await sql`SELECT pg_snapshot_xmax(pg_current_snapshot())::text AS next`)[0]?.next;
  await tell('young', 1);
  const before = await transactions();
  expect(await deleteOldEvents(sql, 30, 10)).toBe(0);
  expect(await transactions()).toBe(before);
});

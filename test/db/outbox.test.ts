import { randomUUID } from 'node:crypto';
import postgres, { type ReservedSql, type Sql } from 'postgres';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { eventsAfter } from '../../src/db/queries/events.ts';
import { insertEvent, insertEvents } from '../../src/db/queries/outbox.ts';
import { beginning, cursorText, type EventCursor } from '../../src/domain/event.ts';
import { createDatabase } from '../harness/databases.ts';

let sql: Sql;
let place: { organizationId: string; projectId: string };
beforeAll(async () => {
  sql = postgres(await createDatabase(inject('parts').postgresUrl), { max: 6, onnotice: () => undefined });
  const [project] = await sql<{ id: string; organization_id: string }[]>`SELECT id, organization_id FROM projects`;
  if (!project) throw new Error('a new database has a project');
  place = { organizationId: project.organization_id, projectId: project.id };
});
afterAll(() => sql.end());

/** An event of a resource, to be told from others by its type. */
const eventOf = (id: string, type: string) => ({ ...place, type, resource: { id, kind: 'volume', name: 'data' } });

/** A transaction that stays open until it is told to commit; it has its id from the beginning. */
async function open(): Promise<{ tx: ReservedSql; commit(): Promise<void> }> {
  const tx = await sql.reserve();
  await tx`BEGIN`;
  await tx`SELECT pg_current_xact_id()`;
  return {
    tx,
    commit: async () => {
      await tx`COMMIT`;
      tx.release();
    },
  };
}

/** What a reader gets that looks again and again: each time from where the time before ended. */
function reader(resourceId: string) {
  let cursor: EventCursor = beginning;
  const seen: string[] = [];
  return {
    seen,
    async look(limit = 100): Promise<void> {
      const { events, end } = await eventsAfter(sql, { resourceId }, cursor, limit);
      seen.push(...events.map(({ type }) => type));
      cursor = end;
    },
  };
}

test('of two transactions that commit in the other order than they began, none is lost and none comes twice', async () => {
  const id = randomUUID();
  const { seen, look } = reader(id);
  const first = await open();
  const second = await open();
  await insertEvent(first.tx, eventOf(id, 'of-first'));
  await insertEvent(second.tx, eventOf(id, 'of-second'));
  await second.commit();
  await look();
  expect(seen).toEqual([]);
  await first.commit();
  await look();
  await look();
  expect(seen).toEqual(['of-first', 'of-second']);
});

test('a position given out early and committed late is not passed over', async () => {
  const id = randomUUID();
  const { seen, look } = reader(id);
  const early = await open();
  const late = await open();
  await insertEvent(late.tx, eventOf(id, 'position-lower'));
  await insertEvent(early.tx, eventOf(id, 'position-higher'));
  await early.commit();
  await look();
  await late.commit();
  await look();
  expect(seen.toSorted()).toEqual(['position-higher', 'position-lower']);
});

test('a transaction of somebody else that runs long delays events, and loses none', async () => {
  const id = randomUUID();
  const { seen, look } = reader(id);
  const foreign = await open();
  await insertEvents(sql, [eventOf(id, 'one'), eventOf(id, 'two')]);
  await look();
  expect(seen).toEqual([]);
  await foreign.commit();
  await look();
  expect(seen).toEqual(['one', 'two']);
});

test('events of one resource are in the order of its changes, whichever transaction began first', async () => {
  const id = randomUUID();
  await sql`CREATE TABLE IF NOT EXISTS locked (id uuid PRIMARY KEY)`;
  await sql`INSERT INTO locked VALUES (${id})`;
  const older = await open();
  const younger = await open();
  await younger.tx`SELECT FROM locked WHERE id = ${id} FOR UPDATE`;
  await insertEvent(younger.tx, eventOf(id, 'changed-first'));
  const waits = older.tx`SELECT FROM locked WHERE id = ${id} FOR UPDATE`.execute();
  await younger.commit();
  await waits;
  await insertEvent(older.tx, eventOf(id, 'changed-then'));
  await older.commit();
  const { seen, look } = reader(id);
  await look();
  expect(seen).toEqual(['changed-first', 'changed-then']);
});

test('whoever reads page by page gets each event once, in order', async () => {
  const id = randomUUID();
  const types = Array.from({ length: 25 }, (_, index) => `step-${index}`);
  await insertEvents(
    sql,
    types.map((type) => eventOf(id, type)),
  );
  const { seen, look } = reader(id);
  for (let page = 0; page < 4; page += 1) await look(7);
  expect(seen).toEqual(types);
});

test('an event that is read while nothing else happens is read at once', async () => {
  const id = randomUUID();
  const holder = await open();
  await sql`SELECT pg_current_xact_id()`;
  await insertEvent(holder.tx, eventOf(id, 'quiet'));
  await holder.commit();
  const { seen, look } = reader(id);
  await look();
  expect(seen).toEqual(['quiet']);
});

test('a cursor from before what is kept is refused; one from after it goes on', async () => {
  const id = randomUUID();
  await insertEvent(sql, eventOf(id, 'deleted'));
  const { end } = await eventsAfter(sql, { resourceId: id }, beginning, 1);
  await insertEvent(sql, eventOf(id, 'kept'));
  const before = { ...end, position: end.position - 1n };
  const [transaction, position] = [String(end.transaction), String(end.position)];
  await sql`INSERT INTO events_deleted (transaction_id, position, at) VALUES (${transaction}::text::xid8, ${position}, now())`;
  await expect(eventsAfter(sql, { resourceId: id }, before, 10)).rejects.toMatchObject({
    code: 'gone',
    message: expect.stringContaining(cursorText(before)),
  });
  expect((await eventsAfter(sql, { resourceId: id }, end, 10)).events.map(({ type }) => type)).toEqual(['kept']);
});

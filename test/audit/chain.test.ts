import type { Sql } from 'postgres';
import postgres from 'postgres';
import { afterAll, beforeEach, expect, inject, test } from 'vitest';
import { sealEntries } from '../../src/audit/seal.ts';
import { verifyAudit } from '../../src/audit/verify.ts';
import { openDatabase } from '../../src/db/client.ts';
import { audited, closeAudit, openAudit } from '../../src/db/queries/audit.ts';
import { closeLost } from '../../src/db/queries/audit-lost.ts';
import { runtimeRole } from '../../src/db/rights.ts';
import { createDatabase } from '../harness/databases.ts';

/** As the superuser that the embedded PostgreSQL has: whoever has that much can take the triggers away. */
let sql: Sql;
let url: string;
const opened: { end(): Promise<void> }[] = [];
beforeEach(async () => {
  url = await createDatabase(inject('parts').postgresUrl);
  sql = postgres(url, { max: 10, onnotice: () => undefined });
  opened.push(sql);
});
afterAll(async () => {
  await Promise.all(opened.map((client) => client.end()));
});

const act = (action: string) => ({
  organizationId: null,
  projectId: null,
  actor: 'somebody',
  origin: null,
  action,
  resource: { kind: 'token', id: null, name: 'ci' },
});
const record = (count: number) =>
  Promise.all(Array.from({ length: count }, (_, index) => audited(sql, act(`act.${index}`), async () => undefined)));

/** What an intruder does who may do anything in the database. */
async function asIntruder(statement: string): Promise<void> {
  await sql.begin(async (transaction) => {
    await transaction`SET LOCAL session_replication_role = replica`;
    await transaction.unsafe(statement);
  });
}
const found = async (kept?: { sequence: number; hash: string }): Promise<string[]> =>
  (await verifyAudit(sql, kept)).faults.map(({ kind, sequence }) => `${kind} ${sequence ?? ''}`.trim());

test('whatever is recorded at once is sealed once, in one chain without a gap, by however many sealers', async () => {
  await Promise.all([record(200), ...Array.from({ length: 5 }, () => sealEntries(sql))]);
  await sealEntries(sql);
  const report = await verifyAudit(sql);
  expect(report).toMatchObject({ sealed: 400, head: { sequence: 400 }, faults: [] });
  expect(await sealEntries(sql)).toBe(0);
});

test('an entry of a transaction that is slow to commit is sealed after it, and nothing is left out', async () => {
  let commit: () => void = () => undefined;
  const mayCommit = new Promise<void>((resolve) => {
    commit = resolve;
  });
  let isOpen: () => void = () => undefined;
  const begun = new Promise<void>((resolve) => {
    isOpen = resolve;
  });
  const slow = sql.begin(async (transaction) => {
    await openAudit(transaction, act('slow'));
    isOpen();
    await mayCommit;
  });
  await begun;
  await record(3);
  expect(await sealEntries(sql)).toBe(0);
  commit();
  await slow;
  expect(await sealEntries(sql)).toBe(7);
  expect(await found()).toEqual([]);
});

test('an edit, a deletion, an insertion and a gap are each found, where they are', async () => {
  await record(20);
  await sealEntries(sql);
  await asIntruder(
    "UPDATE audit_entries SET reason = 'another' WHERE (transaction_id, position) IN (SELECT transaction_id, position FROM audit_seals WHERE sequence = 7)",
  );
  expect(await found()).toEqual(['changed 7']);
  await asIntruder(
    'DELETE FROM audit_entries WHERE (transaction_id, position) IN (SELECT transaction_id, position FROM audit_seals WHERE sequence = 12)',
  );
  expect(await found()).toEqual(['changed 7', 'missing 12']);
  await asIntruder('DELETE FROM audit_seals WHERE sequence BETWEEN 20 AND 22');
  expect(await found()).toEqual(['changed 7', 'missing 12', 'gap 20']);
  await asIntruder(
    `INSERT INTO audit_entries (transaction_id, at, act_id, phase, actor, action) VALUES ('1', now() - interval '1 hour', uuidv7(), 'opened', 'nobody', 'never.happened')`,
  );
  expect(await found()).toEqual(['changed 7', 'missing 12', 'gap 20', 'unsealed']);
});

test('an end that was cut off, or a chain that was made anew, no longer holds the head that was kept', async () => {
  await record(5);
  await sealEntries(sql);
  const { head } = await verifyAudit(sql);
  if (!head) throw new Error('no head');
  await record(2);
  await sealEntries(sql);
  expect(await found(head)).toEqual([]);
  await asIntruder('DELETE FROM audit_seals WHERE sequence > 8');
  await asIntruder(
    'DELETE FROM audit_entries e WHERE NOT EXISTS (SELECT FROM audit_seals s WHERE (s.transaction_id, s.position) = (e.transaction_id, e.position))',
  );
  expect(await found()).toEqual([]);
  expect(await found(head)).toEqual(['head 10']);
  await asIntruder('DELETE FROM audit_seals');
  await asIntruder("UPDATE audit_entries SET actor = 'somebody else' WHERE phase = 'opened'");
  await sealEntries(sql);
  expect(await found()).toEqual([]);
  expect(await found(head)).toEqual(['head 10']);
});

test('a database restored into a new cluster goes on with its chain', async () => {
  await record(3);
  await sealEntries(sql);
  await asIntruder('UPDATE audit_entries SET transaction_id = (transaction_id::text::bigint + 1000000)::text::xid8');
  await asIntruder('DELETE FROM audit_seals');
  await sealEntries(sql);
  expect(await found()).toEqual([]);
  await record(2);
  expect(await sealEntries(sql)).toBe(4);
  await record(2);
  expect(await sealEntries(sql)).toBe(4);
  expect(await verifyAudit(sql)).toMatchObject({ sealed: 14, faults: [] });
});

test('what a crash left open is closed as lost; what is under way, or just begun, is not', async () => {
  const lost = await openAudit(sql, act('lost'));
  const old = await openAudit(sql, act('closed'));
  await closeAudit(sql, old, 'SUCCEEDED');
  await asIntruder("UPDATE audit_entries SET at = at - interval '20 minutes'");
  await openAudit(sql, act('under-way'));
  expect(await closeLost(sql, 30)).toBe(1);
  expect(await closeLost(sql)).toBe(0);
  expect(await sql`SELECT outcome FROM audit_entries WHERE act_id = ${lost} AND phase = 'closed'`).toEqual([
    { outcome: 'LOST' },
  ]);
});

test('the role of the API and the workers may add to the record and not change it, and may do its work', async () => {
  const database = openDatabase(url, { role: runtimeRole });
  opened.push({ end: () => database.close() });
  await openAudit(database.sql, act('added'));
  await sealEntries(database.sql);
  for (const table of ['audit_entries', 'audit_seals']) {
    await expect(database.sql.unsafe(`UPDATE ${table} SET transaction_id = '1'`)).rejects.toThrow('permission denied');
    await expect(database.sql.unsafe(`DELETE FROM ${table}`)).rejects.toThrow('permission denied');
    await expect(database.sql.unsafe(`TRUNCATE ${table}`)).rejects.toThrow('permission denied');
    await expect(database.sql.unsafe(`ALTER TABLE ${table} DISABLE TRIGGER ALL`)).rejects.toThrow('must be owner');
  }
  expect(await verifyAudit(database.sql)).toMatchObject({ appendOnly: true, faults: [] });
  expect(await verifyAudit(sql)).toMatchObject({ appendOnly: false });
});

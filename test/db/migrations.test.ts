import { randomUUID } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate } from 'drizzle-orm/postgres-js/migrator';
import postgres, { type Sql } from 'postgres';
import { describe, expect, inject, test } from 'vitest';
import { runOn } from '../harness/databases.ts';
import { readRecord, recordedReleases, replay, restore, type StatementRecord } from './statements.ts';

const migrationsFolder = fileURLToPath(new URL('../../drizzle', import.meta.url));

/** The first migrations alone, as a folder. */
async function migrateTo(sql: Sql, count?: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'millwright-migrations-'));
  try {
    cpSync(migrationsFolder, folder, { recursive: true });
    const journal = join(folder, 'meta', '_journal.json');
    const { entries, ...rest } = JSON.parse(readFileSync(journal, 'utf8'));
    writeFileSync(journal, JSON.stringify({ ...rest, entries: entries.slice(0, count) }));
    await migrate(drizzle(sql), { migrationsFolder: folder });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

type Upgrade = (count?: number) => Promise<void>;

async function onDatabase(work: (sql: Sql, upgrade: Upgrade) => Promise<void>): Promise<void> {
  const { postgresUrl } = inject('parts');
  const name = `release_${randomUUID().replaceAll('-', '')}`;
  await runOn(postgresUrl, `CREATE DATABASE ${name}`);
  const url = postgresUrl.replace(/\/[^/]*$/, `/${name}`);
  const migrator = postgres(url, { max: 1, onnotice: () => undefined });
  // drizzle replaces its client's serialisers.
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    await work(sql, (count) => migrateTo(migrator, count));
  } finally {
    await Promise.all([sql.end(), migrator.end()]);
  }
}

/** What went otherwise than on the schema of its own release, said so that it can be mended. */
async function differences(sql: Sql, record: StatementRecord, calls: StatementRecord['calls']): Promise<string[]> {
  const outcomes = await replay(sql, record, calls);
  return calls.flatMap(({ text, count }, index) => {
    const outcome = outcomes[index];
    return outcome === count ? [] : [`${outcome} instead of ${count} rows: ${record.texts[text]?.slice(0, 400)}`];
  });
}

describe.each(recordedReleases())('the schema of now beside a process of release %s', (release) => {
  const record = readRecord(release);

  test('every statement of that release works as it did', async () => {
    await onDatabase(async (sql, upgrade) => {
      await upgrade(record.migrations);
      await restore(sql, record.rows);
      await upgrade();
      expect(await differences(sql, record, record.calls)).toEqual([]);
    });
  });

  test('it is migrated in the midst of its work, and goes on', async () => {
    const half = Math.floor(record.calls.length / 2);
    await onDatabase(async (sql, upgrade) => {
      await upgrade(record.migrations);
      await restore(sql, record.rows);
      expect(await differences(sql, record, record.calls.slice(0, half))).toEqual([]);
      await upgrade();
      expect(await differences(sql, record, record.calls.slice(half))).toEqual([]);
    });
  });
});

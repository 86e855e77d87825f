import { randomUUID } from 'node:crypto';
import postgres from 'postgres';

/** Runs one statement on a connection of its own. */
export async function runOn(url: string, statement: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    await sql.unsafe(statement);
  } finally {
    await sql.end();
  }
}

/** A database of its own, at this version's schema. */
export async function createDatabase(postgresUrl: string): Promise<string> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await runOn(postgresUrl, `CREATE DATABASE ${name} TEMPLATE template`);
  return postgresUrl.replace(/\/[^/]*$/, `/${name}`);
}

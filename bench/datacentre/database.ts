import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import postgres, { type Sql } from 'postgres';
import { migrate } from '../../src/db/migrate.ts';
import { createLogger } from '../../src/log.ts';
import { startPostgres } from '../../src/platform/parts.ts';

/** A PostgreSQL of its own with our tables in it, for as long as something is measured. */
export async function withDatabase<Measured>(
  clients: number,
  measure: (sql: Sql) => Promise<Measured>,
): Promise<Measured> {
  const home = mkdtempSync(join(tmpdir(), 'millwright-bench-'));
  const server = await startPostgres();
  const sql = postgres(server.url, { max: clients, onnotice: () => undefined });
  try {
    await migrate(server.url, home, createLogger('bench', 'error'));
    return await measure(sql);
  } finally {
    await sql.end({ timeout: 5 });
    await server.stop();
    rmSync(home, { recursive: true, force: true });
  }
}

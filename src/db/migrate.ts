import { fileURLToPath } from 'node:url';
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate as applyMigrations } from 'drizzle-orm/postgres-js/migrator';
import postgres from 'postgres';
import type { Logger } from '../log.ts';
import { seed } from './seed.ts';

const migrationsFolder = fileURLToPath(new URL('../../drizzle', import.meta.url));
/** Any number that no one else uses; the session that holds it migrates, the others wait. */
const migrationLock = 7_400_001;

/** Brings the database to this version's schema and puts in what a new platform begins with. Safe to run at any time. */
export async function migrate(databaseUrl: string, home: string, log: Logger): Promise<void> {
  const client = postgres(databaseUrl, { max: 1, onnotice: () => undefined });
  try {
    await client`SELECT pg_advisory_lock(${migrationLock})`;
    const orm = drizzle(client);
    await applyMigrations(orm, { migrationsFolder });
    await seed(orm, home);
    log.info('the database is at this version');
  } finally {
    await client.end({ timeout: 5 });
  }
}

import { fileURLToPath } from 'node:url';
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate as applyMigrations } from 'drizzle-orm/postgres-js/migrator';
import postgres from 'postgres';
import { MillwrightError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { isDatabaseAway } from './client.ts';
import { grantRights, runtimeRole } from './rights.ts';
import { seed } from './seed.ts';

const migrationsFolder = fileURLToPath(new URL('../../drizzle', import.meta.url));
/** Any number that no one else uses; the session that holds it migrates, the others wait. */
const migrationLock = 7_400_001;

/** Brings the database to this version's schema and puts in what a new platform begins with. Safe to run at any time. */
export async function migrate(databaseUrl: string, home: string, log: Logger): Promise<void> {
  // Whatever the login's own limits are: a migration may have to wait, and to work, for long.
  const connection = { options: '-c statement_timeout=0 -c lock_timeout=0 -c idle_in_transaction_session_timeout=0' };
  const client = postgres(databaseUrl, { max: 1, onnotice: () => undefined, connection });
  try {
    await client`SELECT pg_advisory_lock(${migrationLock})`;
    const orm = drizzle(client);
    await applyMigrations(orm, { migrationsFolder });
    await seed(orm, home);
    if (!(await grantRights(client))) {
      log.warn(
        `There is no role ${runtimeRole}, and this login may not make it: see that the login of the API and the workers cannot change the audit log.`,
      );
    }
    log.info('the database is at this version');
  } catch (cause) {
    throw refusal(databaseUrl, cause) ?? cause;
  } finally {
    await client.end({ timeout: 5 });
  }
}

/** A database that cannot be used at all, in one sentence and without its password; undefined for any other error. */
function refusal(databaseUrl: string, cause: unknown): MillwrightError | undefined {
  const where = URL.parse(databaseUrl)?.host ?? 'the address in DATABASE_URL';
  const remedy = 'See that it runs, and that DATABASE_URL is right.';
  if (isDatabaseAway(cause)) {
    return new MillwrightError('unavailable', `The database at ${where} does not answer. ${remedy}`, { cause });
  }
  // SQLSTATE classes 28 (authorization) and 3D (no such database).
  if (cause instanceof postgres.PostgresError && /^(28|3D)/.test(cause.code)) {
    return new MillwrightError('unavailable', `The database at ${where} refuses us: ${cause.message}. ${remedy}`, {
      cause,
    });
  }
  return undefined;
}

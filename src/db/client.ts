import { DrizzleQueryError } from 'drizzle-orm';
import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js';
import postgres from 'postgres';

/**
 * Two clients of one database: `sql` for statements written out (hot paths, CTEs), `orm` for plain reads and writes.
 * They are apart because drizzle replaces its client's JSON serialisers, and raw jsonb parameters then throw.
 */
export interface Database {
  readonly sql: postgres.Sql;
  readonly orm: PostgresJsDatabase;
  close(): Promise<void>;
}

interface DatabaseOptions {
  /** Connections of `sql` at most; `orm` takes up to a third as many. */
  readonly connections?: number;
  /** The role to act as; the login's own where it is left out. */
  readonly role?: string | undefined;
}

/** The pause before a lost connection is tried again. The client's own grows to 20 s, which a database that is back after two would cost. */
const reconnectSeconds = (failures: number): number => Math.min(0.05 * 2 ** failures, 0.5) * (0.5 + Math.random() / 2);

export function openDatabase(url: string, { connections = 12, role }: DatabaseOptions = {}): Database {
  const common = {
    connect_timeout: 10,
    idle_timeout: 0,
    backoff: reconnectSeconds,
    onnotice: () => undefined,
    connection: { application_name: 'millwright', ...(role ? { role } : {}) },
  };
  const sql = postgres(url, { ...common, max: connections });
  const ormClient = postgres(url, { ...common, max: Math.max(2, Math.ceil(connections / 3)) });
  return {
    sql,
    orm: drizzle(ormClient),
    close: async () => {
      await Promise.all([sql.end({ timeout: 5 }), ormClient.end({ timeout: 5 })]);
    },
  };
}

/** SQLSTATE class 23505, with the constraint that was violated. */
export function violatedUnique(error: unknown): string | undefined {
  return error instanceof postgres.PostgresError && error.code === '23505' ? error.constraint_name : undefined;
}

/** True where the organisation's quota does not suffice: what the trigger on `quotas` raises. */
export const isQuotaShort = (error: unknown): boolean =>
  error instanceof postgres.PostgresError && error.code === 'MWQ01';

/** What the driver threw: drizzle wraps it in an error of its own. */
function driverError(error: unknown): unknown {
  return error instanceof DrizzleQueryError ? error.cause : error;
}

const awayStates = ['57P01', '57P02', '57P03', '53300'];
const awayCodes = [
  'ECONNREFUSED',
  'ECONNRESET',
  'CONNECTION_CLOSED',
  'CONNECTION_ENDED',
  'CONNECT_TIMEOUT',
  'CONNECTION_DESTROYED',
];

/** True where the database could not be reached, is starting or stopping, or dropped the connection. */
export function isDatabaseAway(thrown: unknown): boolean {
  const error = driverError(thrown);
  if (error instanceof postgres.PostgresError) return awayStates.includes(error.code);
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && awayCodes.includes(code);
}

/** True where the rows that were to be written are themselves at fault (SQLSTATE classes 22 and 23): tried again, they are refused again. */
export function areRowsAtFault(thrown: unknown): boolean {
  const error = driverError(thrown);
  return error instanceof postgres.PostgresError && /^2[23]/.test(error.code);
}

/** True where PostgreSQL refused a text for its characters (SQLSTATE 22021, 22P05; a lone surrogate in JSON is 22P02). */
export function isUnstorableText(thrown: unknown): boolean {
  const error = driverError(thrown);
  return error instanceof postgres.PostgresError && ['22021', '22P05', '22P02'].includes(error.code);
}

import { DrizzleQueryError } from 'drizzle-orm';
import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js';
import postgres from 'postgres';
import { watchSilence } from './silence.ts';
import { encrypt, encryptionOf } from './tls.ts';
import { createTransactions, type Transactions } from './transactions.ts';

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
  /** At most, for single statements and for transactions; `orm` takes up to two more. */
  readonly connections?: { readonly statements: number; readonly transactions: number };
  /** The role to act as; the login's own where it is left out. */
  readonly role?: string | undefined;
  /** How long to wait for anything; without end where it is left out. */
  readonly patience?: Patience;
}

/** How long a role waits for its database. Who waited too long gets an error that `isDatabaseBusy` or `isDatabaseAway` knows. */
export interface Patience {
  /** For a row, or anything else, that another session holds. */
  readonly lockMs: number;
  /** For one statement, the waits for locks included. */
  readonly statementMs: number;
  /** For a transaction that was begun and is not gone on with: PostgreSQL ends its session. */
  readonly idleTransactionMs: number;
}

/** PostgreSQL ends a statement by itself; one that has not even done that so much later is not there. */
const answerGraceMs = 2000;
const connectMs = 5000;

/** The pause before a lost connection is tried again. The client's own grows to 20 s, which a database that is back after two would cost. */
const reconnectSeconds = (failures: number): number => Math.min(0.05 * 2 ** failures, 0.5) * (0.5 + Math.random() / 2);

function settingsOf({ role, patience }: DatabaseOptions) {
  const timeouts = patience
    ? {
        lock_timeout: patience.lockMs,
        statement_timeout: patience.statementMs,
        idle_in_transaction_session_timeout: patience.idleTransactionMs,
      }
    : {};
  return {
    connect_timeout: connectMs / 1000,
    idle_timeout: 0,
    backoff: reconnectSeconds,
    onnotice: () => undefined,
    connection: { application_name: 'millwright', ...(role ? { role } : {}), ...timeouts },
  };
}

const usualConnections = { statements: 6, transactions: 8 };
/** `orm` reads what is small and rarely read. */
const ormConnections = 2;

/** All connections to a database, to be replaced together. */
interface Generation {
  readonly sql: postgres.Sql;
  readonly orm: PostgresJsDatabase;
  readonly transactions: Transactions;
  cutOff(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Where the database has gone silent, its connections are replaced as a whole: whatever waits for it, or for a connection
 * to it, hears so at once, rather than one after the other.
 */
export function openDatabase(url: string, options: DatabaseOptions = {}): Database {
  const renewed = (): Generation =>
    openGeneration(url, options, () => {
      const silent = current;
      current = renewed();
      void silent.cutOff();
    });
  let current = renewed();
  return {
    sql: new Proxy(current.sql, {
      apply: (_, __, parameters) => Reflect.apply(current.sql, undefined, parameters),
      get: (_, name) => (name === 'begin' ? current.transactions.begin : Reflect.get(current.sql, name)),
    }),
    get orm() {
      return current.orm;
    },
    close: () => current.close(),
  };
}

function openGeneration(url: string, options: DatabaseOptions, silent: () => void): Generation {
  const { connections = usualConnections, patience } = options;
  const answerMs = patience ? patience.statementMs + answerGraceMs : Number.POSITIVE_INFINITY;
  const watch = watchSilence({ answerMs, connectMs }, silent);
  // Encrypted here rather than by the client: the watch reads what goes over a connection.
  const encryption = encryptionOf(url);
  const common = { ...settingsOf(options), ssl: false };
  let turn = 0;
  // The client's own would end a connection in the middle of a transaction that is not its own.
  const client = (max: number, more: { readonly max_lifetime?: null } = {}, closed?: () => void) => {
    const socket = ({ host, port, path }: { host: string[]; port: number[]; path?: string }) => {
      turn += 1;
      const at = { host: host[turn % host.length] ?? '', port: port[turn % port.length] ?? 0 };
      if (path) return watch.open({ path }, closed);
      return watch.open(at, closed, encryption && ((raw) => encrypt(raw, at.host, encryption)));
    };
    return postgres(url, { ...common, ...more, max, ...{ socket } });
  };
  const sql = client(connections.statements);
  const ormClient = client(ormConnections);
  const transactions = createTransactions(
    (closed) => client(1, { max_lifetime: null }, closed),
    connections.transactions,
  );
  const end = async (timeout: number): Promise<void> => {
    await Promise.all([
      sql.end({ timeout }),
      ormClient.end({ timeout }),
      timeout === 0 ? transactions.cutOff() : transactions.close(),
    ]);
    watch.cutOff();
  };
  return { sql, orm: drizzle(ormClient), transactions, cutOff: () => end(0), close: () => end(5) };
}

/** SQLSTATE class 23505, with the constraint that was violated. */
export function violatedUnique(error: unknown): string | undefined {
  return error instanceof postgres.PostgresError && error.code === '23505' ? error.constraint_name : undefined;
}

/** True where a subnet would overlap another of its VRF. */
export const isOverlap = (error: unknown): boolean =>
  error instanceof postgres.PostgresError && error.constraint_name === 'subnets_overlap';

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

/**
 * SQLSTATEs of a statement that PostgreSQL gave up, and with it its transaction: 57014 it took too long, 55P03 another
 * session holds what it needs, 40001 and 40P01 it got into another's way, 25P03 and 57P05 its session had been idle.
 */
const busyStates = ['57014', '55P03', '40001', '40P01', '25P03', '57P05'];

/** True where nothing was done, and may be at another time; what needs other rows may fare better now. */
export function isDatabaseBusy(thrown: unknown): boolean {
  const error = driverError(thrown);
  return error instanceof postgres.PostgresError && busyStates.includes(error.code);
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

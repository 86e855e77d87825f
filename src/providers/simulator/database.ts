import { DatabaseSync } from 'node:sqlite';
import { MillwrightError } from '../../errors.ts';

/** The tables, and each change of them since, in order: a file that is older is brought up to date when it is opened. */
const steps: readonly string[] = [
  `
  CREATE TABLE resources (
    id INTEGER PRIMARY KEY,
    region TEXT NOT NULL,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    name TEXT NOT NULL,
    reference TEXT NOT NULL UNIQUE,
    digest TEXT NOT NULL,               -- of the body, to tell a repeated create from another one
    vcpus INTEGER NOT NULL,
    memory_mib INTEGER NOT NULL,
    size_gib INTEGER NOT NULL,
    cidr TEXT,
    next_offset INTEGER,                -- of a network: every address before this one is taken
    ready_at INTEGER NOT NULL,          -- ms since 1970
    gone_at INTEGER,                    -- once its delete was asked for
    UNIQUE (region, kind, key)
  ) STRICT;
  CREATE INDEX resources_gone ON resources (gone_at) WHERE gone_at IS NOT NULL;

  CREATE TABLE addresses (
    network_id INTEGER NOT NULL REFERENCES resources,
    offset INTEGER NOT NULL,            -- from the base of the network
    vm_id INTEGER NOT NULL REFERENCES resources ON DELETE CASCADE,
    position INTEGER NOT NULL,          -- in the order that the VM named its networks
    address TEXT NOT NULL,
    PRIMARY KEY (network_id, offset)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX addresses_vm ON addresses (vm_id);
  CREATE TRIGGER addresses_freed AFTER DELETE ON addresses BEGIN
    UPDATE resources SET next_offset = min(next_offset, OLD.offset) WHERE id = OLD.network_id;
  END;

  CREATE TABLE attachments (
    volume_id INTEGER PRIMARY KEY REFERENCES resources,
    vm_id INTEGER NOT NULL REFERENCES resources ON DELETE CASCADE
  ) STRICT;
  CREATE INDEX attachments_vm ON attachments (vm_id);

  CREATE TABLE faults (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    effect TEXT NOT NULL,
    operation TEXT NOT NULL,
    region TEXT,
    name TEXT,
    times INTEGER,
    after_ms INTEGER,
    retry_after_seconds INTEGER,
    hits INTEGER NOT NULL DEFAULT 0
  ) STRICT;

  CREATE TABLE settings (part TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;`,
  `ALTER TABLE resources ADD COLUMN disk_gib INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE resources ADD COLUMN rest_state TEXT;         -- its kind's own where it was never asked for another
  ALTER TABLE resources ADD COLUMN changing_until INTEGER;  -- ms since 1970
  ALTER TABLE resources ADD COLUMN reboot_token TEXT;
  ALTER TABLE resources ADD COLUMN rebuild_token TEXT;`,
  `ALTER TABLE resources ADD COLUMN volume_id INTEGER REFERENCES resources;  -- of a snapshot
  ALTER TABLE resources ADD COLUMN restore_token TEXT;`,
  `ALTER TABLE resources ADD COLUMN host TEXT; /* of a VM, where it was told */`,
  `CREATE TABLE console (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    vm_id INTEGER NOT NULL REFERENCES resources ON DELETE CASCADE,
    line TEXT NOT NULL
  ) STRICT;
  CREATE INDEX console_vm ON console (vm_id, id);`,
  `ALTER TABLE resources ADD COLUMN objects INTEGER NOT NULL DEFAULT 0; /* that a bucket holds */`,
  `CREATE TABLE bucket_keys (
    access_key TEXT PRIMARY KEY,
    bucket_id INTEGER NOT NULL REFERENCES resources ON DELETE CASCADE,
    digest TEXT NOT NULL                -- of the secret
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX bucket_keys_bucket ON bucket_keys (bucket_id);`,
];

/**
 * Opens the simulator's file, made if need be. A commit survives a kill of the process, not the loss of power: that
 * is what WAL with `synchronous = NORMAL` promises. The file is locked for as long as it is open: two simulators on
 * one would each believe to be the only one.
 */
export function openDatabase(file: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file);
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
    const found = database.prepare('PRAGMA user_version').get()?.user_version;
    if (typeof found !== 'number' || found > steps.length)
      throw new Error(`it has version ${found}, this simulator knows ${steps.length}`);
    database.exec(`BEGIN EXCLUSIVE; ${steps.slice(found).join('')} PRAGMA user_version = ${steps.length}; COMMIT;`);
    return database;
  } catch (cause) {
    database?.close();
    throw new MillwrightError(
      'unavailable',
      `The simulator cannot use its file ${file}: ${cause instanceof Error ? cause.message : cause}. ` +
        'Stop the simulator that has it open; or remove the file, and all that is simulated with it.',
      { cause },
    );
  }
}

/** Runs `work` as one transaction: all of it or, when it throws, nothing. */
export function inTransaction<Result>(database: DatabaseSync, work: () => Result): Result {
  database.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    database.exec('COMMIT');
    return result;
  } catch (error) {
    database.exec('ROLLBACK');
    throw error;
  }
}

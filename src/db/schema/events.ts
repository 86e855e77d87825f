import { sql } from 'drizzle-orm';
import { bigint, customType, index, integer, jsonb, pgTable, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { id, now, time } from './columns.ts';

/** PostgreSQL's 64-bit transaction id, as text. */
const transactionId = customType<{ data: string }>({ dataType: () => 'xid8' });

/**
 * The outbox: every change of state, written by the transaction that makes it. A reader's cursor is the pair
 * (transaction id, position), and it reads only below `pg_snapshot_xmin(pg_current_snapshot())`: a transaction that
 * commits late is then never skipped.
 */
export const events = pgTable(
  'events',
  {
    position: bigint('position', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    transactionId: transactionId('transaction_id').notNull().default(sql`pg_current_xact_id()`),
    projectId: uuid('project_id').notNull(),
    jobId: uuid('job_id').notNull(),
    /** The batch's job, for the job of one of its operations: who watches the batch sees both. */
    parentJobId: uuid('parent_job_id'),
    jobSequence: integer('job_sequence').notNull(),
    type: text('type').notNull(),
    data: jsonb('data').notNull(),
    at: now('at'),
  },
  (table) => [
    uniqueIndex('events_job').on(table.jobId, table.jobSequence),
    index('events_parent').on(table.parentJobId).where(sql`parent_job_id IS NOT NULL`),
  ],
);

/** Who asked for what: a row before the act, closed by its outcome. */
export const auditLog = pgTable(
  'audit_log',
  {
    id: id(),
    at: now('at'),
    organizationId: uuid('organization_id').notNull(),
    projectId: uuid('project_id').notNull(),
    actor: text('actor').notNull(),
    /** The caller's address. */
    origin: text('origin'),
    action: text('action').notNull(),
    resourceId: uuid('resource_id').notNull(),
    jobId: uuid('job_id').notNull(),
    reason: text('reason'),
    outcome: text('outcome'),
    closedAt: time('closed_at'),
  },
  (table) => [index('audit_log_job').on(table.jobId)],
);

import { sql } from 'drizzle-orm';
import { bigint, index, integer, jsonb, pgTable, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { id, now, time, transactionId } from './columns.ts';

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

/** The audit log of the release before. What that release still writes here, a trigger carries over to `audit_entries`. */
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

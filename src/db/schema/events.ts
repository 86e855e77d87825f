import { sql } from 'drizzle-orm';
import { bigint, index, integer, jsonb, pgTable, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { id, now, time, transactionId } from './columns.ts';

/**
 * The outbox: every change of state, written by the transaction that makes it. A reader's cursor is the pair
 * (transaction id, position), and it reads only below `pg_snapshot_xmin(pg_current_snapshot())`: a transaction that
 * commits late is then never skipped. `event_transaction()` makes the order of the pairs that of the changes of any one
 * resource (docs/decisions/011).
 */
export const events = pgTable(
  'events',
  {
    position: bigint('position', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    transactionId: transactionId('transaction_id').notNull().default(sql`event_transaction()`),
    /** Null in what the release before has written: that of the project. */
    organizationId: uuid('organization_id'),
    projectId: uuid('project_id').notNull(),
    /** What changed: a resource, a batch, a webhook… */
    resourceId: uuid('resource_id'),
    resourceKind: text('resource_kind'),
    resourceName: text('resource_name'),
    /** Its status after the change, where this event changed it. */
    resourceStatus: text('resource_status'),
    jobId: uuid('job_id'),
    /** The batch's job, for the job of one of its operations: who watches the batch sees both. */
    parentJobId: uuid('parent_job_id'),
    jobSequence: integer('job_sequence'),
    type: text('type').notNull(),
    data: jsonb('data').notNull(),
    at: now('at'),
  },
  (table) => [
    uniqueIndex('events_job').on(table.jobId, table.jobSequence),
    index('events_operations')
      .on(table.parentJobId, table.transactionId, table.position)
      .where(sql`parent_job_id IS NOT NULL`),
    index('events_all').on(table.transactionId, table.position),
    index('events_project').on(table.projectId, table.transactionId, table.position),
    index('events_resource').on(table.resourceId, table.transactionId, table.position),
  ],
);

/** One row once something was deleted: the last event that is not kept any more. A cursor before it would hide a gap. */
export const eventsDeleted = pgTable('events_deleted', {
  id: integer('id').primaryKey().default(1),
  transactionId: transactionId('transaction_id').notNull(),
  position: bigint('position', { mode: 'number' }).notNull(),
  at: time('at').notNull(),
});

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

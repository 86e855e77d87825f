import { sql } from 'drizzle-orm';
import { bigint, check, index, jsonb, pgTable, primaryKey, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { auditPhases } from '../../domain/audit.ts';
import { now, transactionId } from './columns.ts';

/**
 * The audit log: for each act a row `opened` before it and a row `closed` with its outcome after it, under one
 * `actId` (an accepted job's is the job's id). Rows are only ever added: triggers refuse anything else to everyone, and
 * the role of the API and the workers has no right to it. The sealer chains them in `audit_seals`.
 */
export const auditEntries = pgTable(
  'audit_entries',
  {
    position: bigint('position', { mode: 'number' }).notNull().generatedAlwaysAsIdentity(),
    transactionId: transactionId('transaction_id').notNull().default(sql`pg_current_xact_id()`),
    at: now('at'),
    actId: uuid('act_id').notNull(),
    phase: text('phase', { enum: auditPhases }).notNull(),
    /** Null where the act concerns no organisation, or no project. */
    organizationId: uuid('organization_id'),
    projectId: uuid('project_id'),
    actor: text('actor'),
    /** The caller's address. */
    origin: text('origin'),
    action: text('action'),
    resourceKind: text('resource_kind'),
    resourceId: uuid('resource_id'),
    resourceName: text('resource_name'),
    jobId: uuid('job_id'),
    /** Of an opened row, why it was asked for; of a closed one, why it ended as it did. */
    reason: text('reason'),
    /** What was asked for, where the other columns do not say it. Never a secret. */
    details: jsonb('details'),
    outcome: text('outcome'),
  },
  (table) => [
    primaryKey({ columns: [table.transactionId, table.position] }),
    uniqueIndex('audit_entries_act').on(table.actId, table.phase),
    index('audit_entries_place').on(table.projectId, table.transactionId, table.position).where(sql`phase = 'opened'`),
    index('audit_entries_organization')
      .on(table.organizationId, table.transactionId, table.position)
      .where(sql`phase = 'opened'`),
    index('audit_entries_resource')
      .on(table.resourceId, table.transactionId, table.position)
      .where(sql`phase = 'opened' AND resource_id IS NOT NULL`),
    // A few pages for the whole table: what the sweep for lost acts and `since` look by.
    index('audit_entries_at').using('brin', table.at),
    check(
      'audit_entries_shape',
      sql`CASE phase WHEN 'opened' THEN actor IS NOT NULL AND action IS NOT NULL AND outcome IS NULL WHEN 'closed' THEN outcome IS NOT NULL ELSE false END`,
    ),
  ],
);

/** The chain over the entries: `hash` is made of the seal before and of the entry, so that no entry can be changed unseen. */
export const auditSeals = pgTable(
  'audit_seals',
  {
    /** From 1, without a gap. */
    sequence: bigint('sequence', { mode: 'number' }).primaryKey(),
    transactionId: transactionId('transaction_id').notNull(),
    position: bigint('position', { mode: 'number' }).notNull(),
    /** SHA-256, in hexadecimal. */
    hash: text('hash').notNull(),
    sealedAt: now('sealed_at'),
  },
  (table) => [uniqueIndex('audit_seals_entry').on(table.transactionId, table.position)],
);

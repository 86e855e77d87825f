import { sql } from 'drizzle-orm';
import { index, jsonb, pgTable, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { incidentKinds } from '../../domain/incident.ts';
import { id, now, time } from './columns.ts';

/** What an operator should know of: one row for each cause, however often it is seen, closed when the cause has ended. */
export const incidents = pgTable(
  'incidents',
  {
    id: id(),
    organizationId: uuid('organization_id').notNull(),
    projectId: uuid('project_id').notNull(),
    kind: text('kind', { enum: incidentKinds }).notNull(),
    /** What tells this cause from every other; one open incident for each. */
    cause: text('cause').notNull(),
    jobId: uuid('job_id').notNull(),
    /** As the event of a job shows it. */
    resource: jsonb('resource').notNull(),
    region: text('region'),
    summary: text('summary').notNull(),
    openedAt: now('opened_at'),
    resolvedAt: time('resolved_at'),
  },
  (table) => [
    uniqueIndex('incidents_open').on(table.cause).where(sql`resolved_at IS NULL`),
    index('incidents_page').on(table.projectId, table.id),
    index('incidents_open_page').on(table.projectId, table.id).where(sql`resolved_at IS NULL`),
    index('incidents_resolved_page').on(table.projectId, table.id).where(sql`resolved_at IS NOT NULL`),
    index('incidents_job_page').on(table.jobId, table.id),
  ],
);

import { sql } from 'drizzle-orm';
import { index, integer, jsonb, pgTable, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { incidentKinds } from '../../domain/incident.ts';
import { id, now, time } from './columns.ts';

/** What an operator should know of: one row for each cause, however often it is seen, closed when the cause has ended. */
export const incidents = pgTable(
  'incidents',
  {
    id: id(),
    /** Null: of the platform itself. */
    organizationId: uuid('organization_id'),
    /** Null: of the whole organisation, or of the platform. */
    projectId: uuid('project_id'),
    kind: text('kind', { enum: incidentKinds }).notNull(),
    /** What tells this cause from every other; one open incident for each. */
    cause: text('cause').notNull(),
    /** Null where no job is the cause. */
    jobId: uuid('job_id'),
    /** What it is about, as events show it. */
    resource: jsonb('resource').notNull(),
    region: text('region'),
    summary: text('summary').notNull(),
    openedAt: now('opened_at'),
    /** Somebody sees to it: it is told to nobody else. */
    acknowledgedAt: time('acknowledged_at'),
    acknowledgedBy: text('acknowledged_by'),
    note: text('note'),
    /** How many times it was told again, because nobody saw to it. */
    escalation: integer('escalation').notNull().default(0),
    resolvedAt: time('resolved_at'),
    /** Says that whoever resolved it knows of causes without a job: the release before would resolve all of those. */
    resolution: text('resolution', { enum: ['cause-ended'] }),
  },
  (table) => [
    uniqueIndex('incidents_open').on(table.cause).where(sql`resolved_at IS NULL`),
    index('incidents_page').on(table.projectId, table.id),
    index('incidents_open_page').on(table.projectId, table.id).where(sql`resolved_at IS NULL`),
    index('incidents_resolved_page').on(table.projectId, table.id).where(sql`resolved_at IS NOT NULL`),
    index('incidents_job_page').on(table.jobId, table.id),
    index('incidents_organization').on(table.organizationId, table.id).where(sql`project_id IS NULL`),
  ],
);

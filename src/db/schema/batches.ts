import { sql } from 'drizzle-orm';
import { index, integer, jsonb, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { operationStates } from '../../domain/batch.ts';
import { id, now, time } from './columns.ts';
import { jobs } from './jobs.ts';
import { organizations, projects } from './tenancy.ts';

/** A batch's state, rollback and times are those of its job. */
export const batches = pgTable(
  'batches',
  {
    id: id(),
    organizationId: uuid('organization_id')
      .notNull()
      .references(() => organizations.id),
    projectId: uuid('project_id')
      .notNull()
      .references(() => projects.id),
    name: text('name').notNull(),
    version: integer('version').notNull(),
    parallelLimit: integer('parallel_limit').notNull(),
    onFailure: text('on_failure').notNull(),
    jobId: uuid('job_id')
      .notNull()
      .references(() => jobs.id),
    createdAt: now('created_at'),
  },
  (table) => [index('batches_page').on(table.projectId, table.id)],
);

/** The batch's checkpoint: what is done is never done again. */
export const batchOperations = pgTable(
  'batch_operations',
  {
    batchId: uuid('batch_id')
      .notNull()
      .references(() => batches.id),
    id: text('id').notNull(),
    position: integer('position').notNull(),
    type: text('type').notNull(),
    region: text('region'),
    provider: text('provider'),
    dependsOn: text('depends_on').array().notNull().default(sql`'{}'`),
    /** As the file has it, references to outputs unresolved. */
    spec: jsonb('spec').notNull(),
    state: text('state', { enum: operationStates }).notNull().default('PENDING'),
    /** Fixed beforehand, so that an operation begun twice is one job. */
    jobId: uuid('job_id').notNull().default(sql`uuidv7()`),
    resourceId: uuid('resource_id'),
    /** The job that takes the operation back. */
    rollbackJobId: uuid('rollback_job_id').notNull().default(sql`uuidv7()`),
    error: jsonb('error'),
    startedAt: time('started_at'),
    endedAt: time('ended_at'),
  },
  (table) => [primaryKey({ columns: [table.batchId, table.id] })],
);

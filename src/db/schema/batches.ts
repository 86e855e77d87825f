import { sql } from 'drizzle-orm';
import { index, integer, jsonb, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { operationStates, planActions } from '../../domain/batch.ts';
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
    /** By a group's id: how many of its members may be under way at once. */
    limits: jsonb('limits').notNull().default(sql`'{}'`),
    /** Secret variables by name, each sealed. */
    secrets: jsonb('secrets').notNull().default(sql`'{}'`),
    /** The newest job that is, or was, at work on it: a batch that is resumed gets another. */
    jobId: uuid('job_id')
      .notNull()
      .references(() => jobs.id),
    /** Counts the workflows that have hosted it; the newest has this number. */
    generation: integer('generation').notNull().default(1),
    /** Since when no operation is begun, and who wants it so; null while they are. */
    pausedAt: time('paused_at'),
    pausedBy: text('paused_by'),
    /** The hash of the plan that it was accepted with. */
    planHash: text('plan_hash'),
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
    /** Those that it waits for, whatever becomes of them. */
    softDependsOn: text('soft_depends_on').array().notNull().default(sql`'{}'`),
    /** What it will do to what is there, as its plan says; null where an earlier release accepted it. */
    action: text('action', { enum: planActions }),
    /** All must hold when its turn comes; else it is left out. */
    conditions: jsonb('conditions').notNull().default(sql`'[]'`),
    /** What the file says of the operation itself: `retry`, `timeoutSeconds`, `onFailure`. */
    policy: jsonb('policy').notNull().default(sql`'{}'`),
    /** As the file has it, references to outputs unresolved. */
    spec: jsonb('spec').notNull(),
    state: text('state', { enum: operationStates }).notNull().default('PENDING'),
    /** Fixed beforehand, so that an operation begun twice is one job. */
    jobId: uuid('job_id').notNull().default(sql`uuidv7()`),
    resourceId: uuid('resource_id'),
    /** What it gave, where it has no resource whose fields are its outputs. */
    outputs: jsonb('outputs'),
    /** What a change in place replaced, to be put back by a rollback. */
    before: jsonb('before'),
    /** Why it is in its state, where `error` does not say: what left it out, who approved. */
    reason: text('reason'),
    /** When a wait ends by itself. */
    waitUntil: time('wait_until'),
    /** What was decided of an approval: `approved`, `by`, `reason`, `at`. */
    decision: jsonb('decision'),
    /** The job that takes the operation back. */
    rollbackJobId: uuid('rollback_job_id').notNull().default(sql`uuidv7()`),
    error: jsonb('error'),
    startedAt: time('started_at'),
    endedAt: time('ended_at'),
  },
  (table) => [
    primaryKey({ columns: [table.batchId, table.id] }),
    index('batch_operations_position').on(table.batchId, table.position),
    /** For pages of those in some states, and for counting them. */
    index('batch_operations_state').on(table.batchId, table.state, table.position),
    index('batch_operations_job').on(table.jobId),
  ],
);

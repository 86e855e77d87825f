import { sql } from 'drizzle-orm';
import { boolean, index, integer, jsonb, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { jobStates, rollbackStates, stepStates } from '../../domain/job.ts';
import { id, now, time } from './columns.ts';
import { projects } from './tenancy.ts';

/** With its steps, a job's checkpoint: what they call done is never run again. */
export const jobs = pgTable(
  'jobs',
  {
    id: id(),
    organizationId: uuid('organization_id').notNull(),
    projectId: uuid('project_id').notNull(),
    type: text('type').notNull(),
    state: text('state', { enum: jobStates }).notNull().default('PENDING'),
    rollback: text('rollback', { enum: rollbackStates }).notNull().default('none'),
    /** The resource (or, for `batch.apply`, the batch) it is at work on. */
    resourceId: uuid('resource_id').notNull(),
    resourceKind: text('resource_kind').notNull(),
    resourceName: text('resource_name').notNull(),
    region: text('region'),
    /** Set on the job of a batch's operation: it is hosted by the batch's workflow. */
    batchId: uuid('batch_id'),
    operationId: text('operation_id'),
    /** Set on the job of a cluster's machine: it is hosted by the workflow of this job, its cluster's. */
    hostJobId: uuid('host_job_id'),
    /** What its workflow is started with. */
    input: jsonb('input').notNull(),
    /** What it changes of its resource beside its state, a `ResourceChange`; null where that is nothing. */
    change: jsonb('change'),
    workflowId: text('workflow_id').notNull(),
    /** The last transition that has been recorded; an older one that comes again is dropped. */
    sequence: integer('sequence').notNull().default(0),
    /** Counts the workflows that the job has had beyond its first. Only the newest may record. */
    epoch: integer('epoch').notNull().default(0),
    cancelRequested: boolean('cancel_requested').notNull().default(false),
    error: jsonb('error'),
    result: jsonb('result'),
    leftovers: text('leftovers').array().notNull().default(sql`'{}'`),
    nextAttemptAt: time('next_attempt_at'),
    createdAt: now('created_at'),
    startedAt: time('started_at'),
    endedAt: time('ended_at'),
    /** When it is late. Null for a batch, and in what the release before has accepted: `input` has it. */
    deadlineAt: time('deadline_at'),
  },
  (table) => [
    index('jobs_page').on(table.projectId, table.id),
    index('jobs_state').on(table.projectId, table.state, table.id),
    index('jobs_resource_page').on(table.resourceId, table.id),
    index('jobs_batch_page').on(table.batchId, table.id).where(sql`batch_id IS NOT NULL`),
    index('jobs_held').on(table.batchId).where(sql`state = 'HELD'`),
    index('jobs_deadline').on(table.deadlineAt).where(sql`ended_at IS NULL`),
    index('jobs_pending').on(table.createdAt).where(sql`state = 'PENDING'`),
    index('jobs_unended').on(table.createdAt).where(sql`ended_at IS NULL`),
    /** How long such a job takes: the newest that succeeded. */
    index('jobs_succeeded').on(table.type, table.region, table.id).where(sql`state = 'SUCCEEDED'`),
  ],
);

export const jobSteps = pgTable(
  'job_steps',
  {
    jobId: uuid('job_id')
      .notNull()
      .references(() => jobs.id),
    position: integer('position').notNull(),
    name: text('name').notNull(),
    state: text('state', { enum: stepStates }).notNull(),
    attempts: integer('attempts').notNull().default(0),
    error: jsonb('error'),
    nextAttemptAt: time('next_attempt_at'),
    providerReference: text('provider_reference'),
    result: jsonb('result'),
    startedAt: time('started_at').notNull(),
    endedAt: time('ended_at'),
  },
  (table) => [
    primaryKey({ columns: [table.jobId, table.position] }),
    index('job_steps_unended').on(table.startedAt).where(sql`ended_at IS NULL`),
  ],
);

/** One row for each `Idempotency-Key` that was accepted: the same key and body give the same resource and job again. */
export const idempotencyKeys = pgTable(
  'idempotency_keys',
  {
    projectId: uuid('project_id')
      .notNull()
      .references(() => projects.id),
    key: text('key').notNull(),
    /** SHA-256 of method, path and canonical body. */
    requestHash: text('request_hash').notNull(),
    jobId: uuid('job_id')
      .notNull()
      .references(() => jobs.id),
    createdAt: now('created_at'),
  },
  (table) => [primaryKey({ columns: [table.projectId, table.key] })],
);

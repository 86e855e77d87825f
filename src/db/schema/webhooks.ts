import { sql } from 'drizzle-orm';
import { bigint, index, integer, jsonb, pgTable, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { deliveryStates, webhookStates } from '../../domain/webhook.ts';
import { id, now, time, transactionId } from './columns.ts';
import { projects } from './tenancy.ts';

/** Where a project's events are sent. */
export const webhooks = pgTable(
  'webhooks',
  {
    id: id(),
    organizationId: uuid('organization_id').notNull(),
    projectId: uuid('project_id')
      .notNull()
      .references(() => projects.id),
    name: text('name').notNull(),
    url: text('url').notNull(),
    /** Types and kinds that it wants; none: all. */
    types: text('types').array().notNull().default(sql`'{}'`),
    kinds: text('kinds').array().notNull().default(sql`'{}'`),
    concurrency: integer('concurrency').notNull().default(1),
    state: text('state', { enum: webhookStates }).notNull().default('enabled'),
    stateReason: text('state_reason'),
    /** Sealed; so is the one before, which signs as well until its time is over. */
    secret: text('secret').notNull(),
    previousSecret: text('previous_secret'),
    previousSecretUntil: time('previous_secret_until'),
    /** Up to here every event that it wants has a delivery. */
    cursorTransaction: transactionId('cursor_transaction').notNull(),
    cursorPosition: bigint('cursor_position', { mode: 'number' }).notNull().default(0),
    /** Failures since the last success, the time of the first, and until when it is left alone. */
    failures: integer('failures').notNull().default(0),
    failingSince: time('failing_since'),
    nextAttemptAt: time('next_attempt_at'),
    /** Which process is at work on it; another may take it when the time is over. */
    leaseOwner: uuid('lease_owner'),
    leaseUntil: time('lease_until'),
    createdAt: now('created_at'),
    updatedAt: now('updated_at'),
  },
  (table) => [uniqueIndex('webhooks_name_key').on(table.projectId, table.name)],
);

/** One event on its way to one webhook. */
export const webhookDeliveries = pgTable(
  'webhook_deliveries',
  {
    id: id(),
    webhookId: uuid('webhook_id')
      .notNull()
      .references(() => webhooks.id, { onDelete: 'cascade' }),
    /** The event's place. */
    transactionId: transactionId('transaction_id').notNull(),
    position: bigint('position', { mode: 'number' }).notNull(),
    /** What keeps its order: the id of the resource that the event is about. */
    lane: text('lane').notNull(),
    type: text('type').notNull(),
    /** The event, as it is shown: it may be sent when the outbox has it no more. */
    event: jsonb('event').notNull(),
    state: text('state', { enum: deliveryStates }).notNull().default('pending'),
    attempts: integer('attempts').notNull().default(0),
    nextAttemptAt: time('next_attempt_at').notNull().defaultNow(),
    lastAttemptAt: time('last_attempt_at'),
    /** The HTTP status of the last attempt, or what went wrong without one, and how its answer began. */
    status: integer('status'),
    error: text('error'),
    response: text('response'),
    endedAt: time('ended_at'),
    createdAt: now('created_at'),
  },
  (table) => [
    uniqueIndex('webhook_deliveries_event').on(table.webhookId, table.transactionId, table.position),
    index('webhook_deliveries_pending')
      .on(table.webhookId, table.lane, table.transactionId, table.position)
      .where(sql`state = 'pending'`),
    index('webhook_deliveries_page').on(table.webhookId, table.state, table.id),
    index('webhook_deliveries_ended').on(table.endedAt).where(sql`ended_at IS NOT NULL`),
  ],
);

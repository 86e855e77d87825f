import { sql } from 'drizzle-orm';
import { boolean, index, jsonb, pgTable, primaryKey, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { madeKinds } from '../../domain/kinds.ts';
import { driftClasses, notComparedReasons } from '../../domain/observation.ts';
import { id, now, time } from './columns.ts';

/**
 * Where a provider has something else than the database says.
 *
 * ```
 *   seen once: suspected ──▶ seen by the next run as well: open ──▶ not seen any more: resolved
 *                       └──▶ not seen by it: deleted
 * ```
 *
 * What stays as it is costs no write, however many runs see it.
 */
export const drift = pgTable(
  'drift',
  {
    id: id(),
    region: text('region').notNull(),
    provider: text('provider').notNull(),
    class: text('class', { enum: driftClasses }).notNull(),
    kind: text('kind', { enum: madeKinds }).notNull(),
    /** What the provider knows it by. */
    key: text('key').notNull(),
    name: text('name').notNull(),
    /** Null where no row ever had that key. */
    resourceId: uuid('resource_id'),
    /** Of what is, or was, there for a tenant. */
    organizationId: uuid('organization_id'),
    projectId: uuid('project_id'),
    /** Empty where it is not about one. */
    field: text('field').notNull().default(''),
    wanted: jsonb('wanted'),
    found: jsonb('found'),
    /** The run that saw it last while it was suspected: another one has to see it too. */
    run: text('run').notNull(),
    firstSeenAt: now('first_seen_at'),
    /** When it was believed. */
    confirmedAt: time('confirmed_at'),
    resolvedAt: time('resolved_at'),
  },
  (table) => [
    uniqueIndex('drift_unresolved')
      .on(table.region, table.provider, table.kind, table.key, table.class, table.field)
      .where(sql`resolved_at IS NULL`),
    index('drift_open_page').on(table.id).where(sql`confirmed_at IS NOT NULL AND resolved_at IS NULL`),
    index('drift_project').on(table.projectId, table.id).where(sql`confirmed_at IS NOT NULL AND class <> 'orphaned'`),
  ],
);

/** The providers of regions that the last runs could not compare: a row from the first such run to the next that could. */
export const notCompared = pgTable(
  'not_compared',
  {
    region: text('region').notNull(),
    provider: text('provider').notNull(),
    reason: text('reason', { enum: notComparedReasons }).notNull(),
    message: text('message').notNull(),
    since: now('since'),
    /** Of the first run; a later one has to say so too before anybody is told. */
    run: text('run').notNull(),
    confirmed: boolean('confirmed').notNull().default(false),
  },
  (table) => [primaryKey({ columns: [table.region, table.provider] })],
);

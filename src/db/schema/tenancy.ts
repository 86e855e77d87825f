import { sql } from 'drizzle-orm';
import { pgTable, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { id, now, time } from './columns.ts';

/** One that is deleted stays as a row: what happened in it is on record under its id. Its name is free. */
export const organizations = pgTable(
  'organizations',
  {
    id: id(),
    name: text('name').notNull(),
    createdAt: now('created_at'),
    deletedAt: time('deleted_at'),
  },
  (table) => [uniqueIndex('organizations_name_key').on(table.name).where(sql`deleted_at IS NULL`)],
);

export const projects = pgTable(
  'projects',
  {
    id: id(),
    organizationId: uuid('organization_id')
      .notNull()
      .references(() => organizations.id),
    name: text('name').notNull(),
    createdAt: now('created_at'),
    deletedAt: time('deleted_at'),
  },
  (table) => [
    uniqueIndex('projects_live_name_key').on(table.organizationId, table.name).where(sql`deleted_at IS NULL`),
  ],
);

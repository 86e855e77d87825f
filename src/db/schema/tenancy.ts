import { sql } from 'drizzle-orm';
import { bigint, pgTable, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
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

const held = (name: string) => bigint(name, { mode: 'number' }).notNull().default(0);
const limit = (name: string) => bigint(name, { mode: 'number' }).notNull();

/**
 * What a project holds now, and may hold. Taken by the statement that accepts a request and given back by the one
 * that ends the resource, so that it always equals a recount. One row, so that one conditional update decides.
 */
export const quotas = pgTable('quotas', {
  projectId: uuid('project_id')
    .primaryKey()
    .references(() => projects.id),
  vms: held('vms'),
  vmsLimit: limit('vms_limit'),
  vcpus: held('vcpus'),
  vcpusLimit: limit('vcpus_limit'),
  memoryMib: held('memory_mib'),
  memoryMibLimit: limit('memory_mib_limit'),
  storageGib: held('storage_gib'),
  storageGibLimit: limit('storage_gib_limit'),
  networks: held('networks'),
  networksLimit: limit('networks_limit'),
  volumes: held('volumes'),
  volumesLimit: limit('volumes_limit'),
});

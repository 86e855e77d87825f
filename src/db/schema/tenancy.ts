import { bigint, pgTable, text, unique, uuid } from 'drizzle-orm/pg-core';
import { id, now, time } from './columns.ts';

export const organizations = pgTable('organizations', {
  id: id(),
  name: text('name').notNull().unique(),
  createdAt: now('created_at'),
});

export const projects = pgTable(
  'projects',
  {
    id: id(),
    organizationId: uuid('organization_id')
      .notNull()
      .references(() => organizations.id),
    name: text('name').notNull(),
    createdAt: now('created_at'),
  },
  (table) => [unique('projects_name_key').on(table.organizationId, table.name)],
);

/** A bearer token is stored as the SHA-256 of its text; the text is shown once, to whoever it is made for. */
export const apiTokens = pgTable('api_tokens', {
  id: id(),
  hash: text('hash').notNull().unique(),
  name: text('name').notNull(),
  role: text('role', { enum: ['operator', 'member'] }).notNull(),
  organizationId: uuid('organization_id')
    .notNull()
    .references(() => organizations.id),
  /** The project that a request without `?project=` means. */
  projectId: uuid('project_id')
    .notNull()
    .references(() => projects.id),
  createdAt: now('created_at'),
  expiresAt: time('expires_at'),
  revokedAt: time('revoked_at'),
});

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

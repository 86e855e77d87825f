import { sql } from 'drizzle-orm';
import { boolean, index, integer, jsonb, pgTable, primaryKey, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { resourceKinds } from '../../domain/kinds.ts';
import { id, now, time } from './columns.ts';

/**
 * What every kind shares. Listing, labels, locks, events and quota are written once, over this table. Its tenancy has
 * no foreign keys: the accepting statement takes it from the token's own rows, and checking again costs a tenth of it.
 */
export const resources = pgTable(
  'resources',
  {
    id: id(),
    organizationId: uuid('organization_id').notNull(),
    projectId: uuid('project_id').notNull(),
    kind: text('kind', { enum: resourceKinds }).notNull(),
    name: text('name').notNull(),
    status: text('status').notNull(),
    statusReason: text('status_reason'),
    labels: jsonb('labels').notNull().default({}),
    provider: text('provider').notNull(),
    region: text('region').notNull(),
    providerReference: text('provider_reference'),
    deletionProtection: boolean('deletion_protection').notNull().default(false),
    /** What the creator asked for, less secrets: what a batch compares with to see whether there is anything to do. */
    requested: jsonb('requested').notNull(),
    /** What it takes of its project's quota, as a `QuotaUse`; given back when it is deleted. */
    quota: jsonb('quota').notNull(),
    /** The lock: the one job that may change this resource. */
    currentJobId: uuid('current_job_id'),
    createdAt: now('created_at'),
    updatedAt: now('updated_at'),
    deletedAt: time('deleted_at'),
  },
  (table) => [
    uniqueIndex('resources_name_key').on(table.projectId, table.kind, table.name).where(sql`deleted_at IS NULL`),
    index('resources_page').on(table.projectId, table.kind, table.id).where(sql`deleted_at IS NULL`),
    index('resources_status').on(table.projectId, table.kind, table.status, table.id).where(sql`deleted_at IS NULL`),
    index('resources_region').on(table.projectId, table.kind, table.region, table.id).where(sql`deleted_at IS NULL`),
  ],
);

const resourceId = () =>
  uuid('resource_id')
    .primaryKey()
    .references(() => resources.id);

export const vms = pgTable('vms', {
  resourceId: resourceId(),
  flavor: text('flavor'),
  vcpus: integer('vcpus').notNull(),
  memoryMib: integer('memory_mib').notNull(),
  diskGib: integer('disk_gib').notNull(),
  image: text('image').notNull(),
  sshKeys: text('ssh_keys').array().notNull(),
  addresses: jsonb('addresses').notNull().default([]),
});

export const networks = pgTable('networks', { resourceId: resourceId(), cidr: text('cidr').notNull() });

export const volumes = pgTable('volumes', { resourceId: resourceId(), sizeGib: integer('size_gib').notNull() });

/** `userId` needs `usedId` (a VM its network): what is used cannot be deleted. */
export const resourceUses = pgTable(
  'resource_uses',
  {
    userId: uuid('user_id')
      .notNull()
      .references(() => resources.id),
    usedId: uuid('used_id')
      .notNull()
      .references(() => resources.id),
    /** Its place in the request's list, from 0. */
    position: integer('position').notNull(),
    /** Nobody else may use it meanwhile: a volume is attached to one VM at a time. */
    exclusive: boolean('exclusive').notNull().default(false),
  },
  (table) => [
    primaryKey({ columns: [table.userId, table.usedId] }),
    index('resource_uses_used').on(table.usedId),
    uniqueIndex('resource_uses_exclusive').on(table.usedId).where(sql`exclusive`),
  ],
);

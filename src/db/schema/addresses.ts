import { sql } from 'drizzle-orm';
import {
  boolean,
  cidr,
  customType,
  index,
  inet,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  smallint,
  text,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import { assignmentKinds } from '../../domain/address-space.ts';
import { id, now, time } from './columns.ts';
import { resources } from './resources.ts';
import { projects } from './tenancy.ts';

const bit64 = customType<{ data: string }>({ dataType: () => 'bit(64)' });

/** A space of addresses of its own: no two subnets of one overlap, those of different ones may. */
export const vrfs = pgTable(
  'vrfs',
  {
    id: id(),
    projectId: uuid('project_id')
      .notNull()
      .references(() => projects.id),
    name: text('name').notNull(),
    createdAt: now('created_at'),
  },
  (table) => [uniqueIndex('vrfs_name_key').on(table.projectId, table.name)],
);

/** That subnets of one VRF do not overlap, an exclusion constraint sees to (a custom migration: drizzle has no such). */
export const subnets = pgTable(
  'subnets',
  {
    resourceId: uuid('resource_id')
      .primaryKey()
      .references(() => resources.id),
    vrfId: uuid('vrf_id')
      .notNull()
      .references(() => vrfs.id),
    /** The network that it is part of; null for a pool of addresses alone. */
    networkId: uuid('network_id').references(() => resources.id),
    cidr: cidr('cidr').notNull(),
    gateway: inet('gateway'),
    /** Ranges that nobody gets: `[{from, to}]`. */
    reserved: jsonb('reserved').notNull(),
    /** What is given to who asks for any address: `{from, to}`; null: all but the first few. */
    dynamicRange: jsonb('dynamic_range'),
    dnsServers: text('dns_servers').array().notNull(),
    /** The DNS domain of its hosts. */
    domain: text('domain'),
    leaseSeconds: integer('lease_seconds').notNull(),
    quarantineSeconds: integer('quarantine_seconds').notNull(),
    /** A block holds two to the power of this addresses. */
    blockBits: smallint('block_bits').notNull(),
    /** Counts the changes of its shape: who computed with an older one writes nothing. */
    shape: integer('shape').notNull(),
    /** Since when it holds no place in its VRF any more. */
    endedAt: time('ended_at'),
  },
  (table) => [index('subnets_network').on(table.networkId)],
);

/**
 * Which addresses of a subnet are free, in blocks of up to 64, a bit each, from the left. A block is written when the
 * first of its addresses is wanted. Claims lock one block each and pass over what others have locked
 * (docs/decisions/020-addresses-in-blocks.md). No foreign keys: to check one would be to lock the subnet.
 */
export const addressBlocks = pgTable(
  'address_blocks',
  {
    subnetId: uuid('subnet_id').notNull(),
    first: inet('first').notNull(),
    /** Assigned, or in quarantine. */
    taken: bit64('taken').notNull(),
    /** Given to nobody. */
    reserved: bit64('reserved').notNull(),
    /** Given only to who asks for this very address. */
    staticOnly: bit64('static_only').notNull(),
    isFull: boolean('is_full').notNull().generatedAlwaysAs(sql`bit_count(taken | reserved | static_only) = 64`),
  },
  (table) => [
    primaryKey({ columns: [table.subnetId, table.first] }),
    // A claim changes no column of this until the block is full, so that its update is of the row alone.
    index('address_blocks_free').on(table.subnetId, table.first).where(sql`NOT is_full`),
  ],
);

/** Each address that was ever given, to whom and until when. `freedAt`: from when on another may have it. */
export const addressAssignments = pgTable(
  'address_assignments',
  {
    id: id(),
    subnetId: uuid('subnet_id').notNull(),
    address: inet('address').notNull(),
    /** The resource that has it. */
    ownerId: uuid('owner_id').notNull(),
    /** Tells several addresses of one owner apart: one for each network. */
    place: text('place').notNull(),
    kind: text('kind', { enum: assignmentKinds }).notNull(),
    hostname: text('hostname'),
    assignedAt: now('assigned_at'),
    releasedAt: time('released_at'),
    quarantineUntil: time('quarantine_until'),
    freedAt: time('freed_at'),
  },
  (table) => [
    uniqueIndex('address_assignments_address_key').on(table.subnetId, table.address).where(sql`freed_at IS NULL`),
    uniqueIndex('address_assignments_owner_key').on(table.ownerId, table.place).where(sql`released_at IS NULL`),
    index('address_assignments_quarantine')
      .on(table.subnetId, table.quarantineUntil)
      .where(sql`released_at IS NOT NULL AND freed_at IS NULL`),
  ],
);

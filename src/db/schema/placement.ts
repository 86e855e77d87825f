import { sql } from 'drizzle-orm';
import { check, doublePrecision, index, integer, jsonb, pgTable, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core';
import { id, now, transactionId } from './columns.ts';
import { racks, resources } from './resources.ts';

/**
 * Machines that VMs are placed on, with how much of each is claimed. No index holds what a claim changes, so that its
 * update is of the row alone.
 */
export const computeHosts = pgTable(
  'compute_hosts',
  {
    id: id(),
    name: text('name').notNull(),
    region: text('region').notNull(),
    provider: text('provider').notNull(),
    rackId: uuid('rack_id').references(() => racks.id),
    labels: jsonb('labels').notNull(),
    groups: text('groups').array().notNull(),
    vcpus: integer('vcpus').notNull(),
    memoryMib: integer('memory_mib').notNull(),
    diskGib: integer('disk_gib').notNull(),
    gpus: integer('gpus').notNull(),
    /** vCPUs that may be given for each of its own. */
    cpuRatio: doublePrecision('cpu_ratio').notNull(),
    maintenance: text('maintenance'),
    usedVcpus: integer('used_vcpus').notNull().default(0),
    usedMemoryMib: integer('used_memory_mib').notNull().default(0),
    usedDiskGib: integer('used_disk_gib').notNull().default(0),
    usedGpus: integer('used_gpus').notNull().default(0),
    /** Counts what operators change: a claim that was chosen by an older one is not made. */
    shape: integer('shape').notNull().default(0),
    /** The transaction that changed it last: what a worker has not seen is at or after its horizon. */
    changedIn: transactionId('changed_in').notNull().default(sql`pg_current_xact_id()`),
    createdAt: now('created_at'),
  },
  (table) => [
    uniqueIndex('compute_hosts_name_key').on(table.name),
    index('compute_hosts_rack').on(table.rackId),
    check(
      'compute_hosts_used',
      sql`used_vcpus >= 0 AND used_memory_mib >= 0 AND used_disk_gib >= 0 AND used_gpus >= 0
        AND used_vcpus <= vcpus * cpu_ratio AND used_memory_mib <= memory_mib AND used_disk_gib <= disk_gib AND used_gpus <= gpus`,
    ),
  ],
);

/** What a VM takes of its host: one for each that is placed, gone with it. */
export const placementClaims = pgTable(
  'placement_claims',
  {
    resourceId: uuid('resource_id')
      .primaryKey()
      .references(() => resources.id),
    hostId: uuid('host_id')
      .notNull()
      .references(() => computeHosts.id),
    jobId: uuid('job_id').notNull(),
    vcpus: integer('vcpus').notNull(),
    memoryMib: integer('memory_mib').notNull(),
    diskGib: integer('disk_gib').notNull(),
    gpus: integer('gpus').notNull(),
    /** How the host was chosen, as an `Explanation`. */
    explanation: jsonb('explanation').notNull(),
    claimedAt: now('claimed_at'),
  },
  (table) => [index('placement_claims_host').on(table.hostId)],
);

import { sql } from 'drizzle-orm';
import {
  boolean,
  check,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import { machineRoles } from '../../domain/cluster-machines.ts';
import { hostHealths, powerStates } from '../../domain/host-states.ts';
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
    /** The user or the maintainer group that is asked about it. */
    maintainerId: uuid('maintainer_id'),
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
    index('resources_maintainer')
      .on(table.maintainerId, table.projectId, table.kind, table.id)
      .where(sql`maintainer_id IS NOT NULL AND deleted_at IS NULL`),
    // What a provider should have in a region, in the order of its keys.
    index('resources_scope').on(table.region, table.provider, table.kind, table.id).where(sql`deleted_at IS NULL`),
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
  /** Null, as releases left it that knew of none: none. */
  gpus: integer('gpus'),
});

export const networks = pgTable('networks', { resourceId: resourceId(), cidr: text('cidr').notNull() });

export const volumes = pgTable('volumes', { resourceId: resourceId(), sizeGib: integer('size_gib').notNull() });

export const bareMetalHosts = pgTable(
  'bare_metal_hosts',
  {
    resourceId: resourceId(),
    /** Region and address of its controller in one spelling: of hosts that are there none has that of another (a trigger). */
    controller: text('controller').notNull().default(''),
    bmcAddress: text('bmc_address').notNull(),
    bmcSystemId: text('bmc_system_id'),
    /** The name of a secret that the region's workers have. */
    bmcCredential: text('bmc_credential').notNull(),
    gpus: integer('gpus').notNull(),
    power: text('power', { enum: powerStates }),
    inventory: jsonb('inventory'),
    health: text('health', { enum: hostHealths }),
    imageUrl: text('image_url'),
    imageUntil: text('image_until'),
    /** Of the last cleaning, while nothing has been deployed since. */
    cleanedAt: time('cleaned_at'),
    cleanedBy: jsonb('cleaned_by').notNull().default([]),
    maintenance: text('maintenance'),
    repair: text('repair'),
  },
  (table) => [index('bare_metal_hosts_controller').on(table.controller)],
);

export const clusters = pgTable('clusters', {
  resourceId: resourceId(),
  version: text('version').notNull(),
  image: text('image').notNull(),
  sshKeys: text('ssh_keys').array().notNull(),
  cni: text('cni').notNull(),
  serviceMesh: text('service_mesh').notNull(),
  plugins: text('plugins').array().notNull(),
  endpoint: text('endpoint'),
  /** Sealed for `clusters.kubeconfig/<id>`. */
  kubeconfig: text('kubeconfig'),
});

/** The machines that a cluster has, or is to have. The jobs that make and remove one have ids fixed beforehand. */
export const clusterMachines = pgTable(
  'cluster_machines',
  {
    clusterId: uuid('cluster_id')
      .notNull()
      .references(() => resources.id),
    name: text('name').notNull(),
    role: text('role', { enum: machineRoles }).notNull(),
    pool: text('pool'),
    ordinal: integer('ordinal').notNull(),
    flavor: text('flavor').notNull(),
    labels: jsonb('labels').notNull(),
    createJobId: uuid('create_job_id').notNull(),
    deleteJobId: uuid('delete_job_id').notNull(),
    vmId: uuid('vm_id'),
    node: text('node'),
    version: text('version'),
  },
  (table) => [primaryKey({ columns: [table.clusterId, table.name] }), index('cluster_machines_vm').on(table.vmId)],
);

/** A frame of so many units, numbered from 1 at its foot. */
export const racks = pgTable(
  'racks',
  {
    id: id(),
    name: text('name').notNull(),
    region: text('region').notNull(),
    heightUnits: integer('height_units').notNull(),
    createdAt: now('created_at'),
  },
  (table) => [uniqueIndex('racks_name_key').on(table.name), check('racks_height', sql`height_units BETWEEN 1 AND 100`)],
);

/** Each unit that a host fills: that no two fill one is the key. */
export const rackUnits = pgTable(
  'rack_units',
  {
    rackId: uuid('rack_id')
      .notNull()
      .references(() => racks.id),
    unit: integer('unit').notNull(),
    hostId: uuid('host_id')
      .notNull()
      .references(() => resources.id),
  },
  (table) => [primaryKey({ columns: [table.rackId, table.unit] }), index('rack_units_host').on(table.hostId)],
);

/** Hosts that something is to be said of together; a host may be in several. */
export const hostGroups = pgTable(
  'host_groups',
  { id: id(), name: text('name').notNull(), createdAt: now('created_at') },
  (table) => [uniqueIndex('host_groups_name_key').on(table.name)],
);
export const hostGroupMembers = pgTable(
  'host_group_members',
  {
    groupId: uuid('group_id')
      .notNull()
      .references(() => hostGroups.id),
    hostId: uuid('host_id')
      .notNull()
      .references(() => resources.id),
  },
  (table) => [
    primaryKey({ columns: [table.groupId, table.hostId] }),
    index('host_group_members_host').on(table.hostId),
  ],
);

export const snapshots = pgTable('snapshots', { resourceId: resourceId(), sizeGib: integer('size_gib').notNull() });

export const buckets = pgTable('buckets', {
  resourceId: resourceId(),
  /** Where what it holds is reached. */
  endpoint: text('endpoint'),
});

/** What a bucket is reached with; the secrets that go with them are the provider's alone. */
export const bucketKeys = pgTable(
  'bucket_keys',
  {
    bucketId: uuid('bucket_id')
      .notNull()
      .references(() => resources.id),
    name: text('name').notNull(),
    accessKey: text('access_key').notNull(),
    createdAt: now('created_at'),
  },
  (table) => [
    primaryKey({ columns: [table.bucketId, table.name] }),
    uniqueIndex('bucket_keys_access_key').on(table.accessKey),
  ],
);

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

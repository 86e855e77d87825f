import { sql } from 'drizzle-orm';
import { bigint, check, index, pgTable, uuid } from 'drizzle-orm/pg-core';
import { organizations, projects } from './tenancy.ts';

const held = (name: string) => bigint(name, { mode: 'number' }).notNull().default(0);
const limit = (name: string) => bigint(name, { mode: 'number' }).notNull();
/** Of a metric that came later: what projects that are there may hold until somebody says otherwise. */
const laterLimit = (name: string, initial: number) => bigint(name, { mode: 'number' }).notNull().default(initial);
const perhapsLimit = (name: string) => bigint(name, { mode: 'number' });

const neverNegative = (table: string) =>
  check(
    `${table}_never_negative`,
    sql`vms >= 0 AND vcpus >= 0 AND memory_mib >= 0 AND storage_gib >= 0 AND networks >= 0 AND volumes >= 0
      AND snapshots >= 0 AND buckets >= 0 AND addresses >= 0 AND gpus >= 0 AND bare_metal_hosts >= 0 AND clusters >= 0`,
  );

const use = () => ({
  vms: held('vms'),
  vcpus: held('vcpus'),
  memoryMib: held('memory_mib'),
  storageGib: held('storage_gib'),
  networks: held('networks'),
  volumes: held('volumes'),
  snapshots: held('snapshots'),
  buckets: held('buckets'),
  addresses: held('addresses'),
  gpus: held('gpus'),
  bareMetalHosts: held('bare_metal_hosts'),
  clusters: held('clusters'),
});

/**
 * What an organisation whose use is limited holds in all its projects, and may hold; null: without limit. A trigger on
 * `quotas` keeps it in step with them, whatever changes those, and refuses what is beyond a limit. An organisation
 * without limits has no row, and costs nothing.
 */
export const organizationQuotas = pgTable(
  'organization_quotas',
  {
    organizationId: uuid('organization_id')
      .primaryKey()
      .references(() => organizations.id),
    ...use(),
    vmsLimit: perhapsLimit('vms_limit'),
    vcpusLimit: perhapsLimit('vcpus_limit'),
    memoryMibLimit: perhapsLimit('memory_mib_limit'),
    storageGibLimit: perhapsLimit('storage_gib_limit'),
    networksLimit: perhapsLimit('networks_limit'),
    volumesLimit: perhapsLimit('volumes_limit'),
    snapshotsLimit: perhapsLimit('snapshots_limit'),
    bucketsLimit: perhapsLimit('buckets_limit'),
    addressesLimit: perhapsLimit('addresses_limit'),
    gpusLimit: perhapsLimit('gpus_limit'),
    bareMetalHostsLimit: perhapsLimit('bare_metal_hosts_limit'),
    clustersLimit: perhapsLimit('clusters_limit'),
  },
  () => [neverNegative('organization_quotas')],
);

/**
 * What a project holds now, and may hold. Taken by the statement that accepts a request and given back by the one
 * that ends the resource, so that it always equals a recount. One row, so that one conditional update decides.
 */
export const quotas = pgTable(
  'quotas',
  {
    projectId: uuid('project_id')
      .primaryKey()
      .references(() => projects.id),
    ...use(),
    vmsLimit: limit('vms_limit'),
    vcpusLimit: limit('vcpus_limit'),
    memoryMibLimit: limit('memory_mib_limit'),
    storageGibLimit: limit('storage_gib_limit'),
    networksLimit: limit('networks_limit'),
    volumesLimit: limit('volumes_limit'),
    snapshotsLimit: laterLimit('snapshots_limit', 20_000),
    bucketsLimit: laterLimit('buckets_limit', 2000),
    addressesLimit: laterLimit('addresses_limit', 40_000),
    gpusLimit: laterLimit('gpus_limit', 2000),
    bareMetalHostsLimit: laterLimit('bare_metal_hosts_limit', 5000),
    clustersLimit: laterLimit('clusters_limit', 200),
    /** The project's organisation, while that has limits of its own. */
    limitedBy: uuid('limited_by').references(() => organizationQuotas.organizationId),
  },
  (table) => [index('quotas_limited_by').on(table.limitedBy), neverNegative('quotas')],
);

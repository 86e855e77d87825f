import type { Sql, TransactionSql } from 'postgres';
import type { BareMetalHost } from '../../domain/bare-metal-host.ts';
import type { Bucket } from '../../domain/bucket.ts';
import type { Cluster } from '../../domain/cluster.ts';
import { isId, type Maintainer } from '../../domain/common.ts';
import type { ResourceKind } from '../../domain/kinds.ts';
import type { Network } from '../../domain/network.ts';
import type { Snapshot } from '../../domain/snapshot.ts';
import type { Vm } from '../../domain/vm.ts';
import type { Volume } from '../../domain/volume.ts';
import type { NewResource } from './accept.ts';
import { iso } from './iso.ts';
import { Filter, listPage } from './listing.ts';
import { maintainerOfResource } from './maintainers.ts';
import type { Page, PageRequest } from './pages.ts';

export interface ViewOf {
  readonly vm: Vm;
  readonly network: Network;
  readonly volume: Volume;
  readonly snapshot: Snapshot;
  readonly bucket: Bucket;
  readonly 'bare-metal-host': BareMetalHost;
  readonly cluster: Cluster;
}
export type ResourceView = ViewOf[ResourceKind];

/** Which resources of a kind; what is left out does not matter. */
export interface ResourceFilter {
  readonly status?: string | undefined;
  readonly region?: string | undefined;
  /** The user's or the group's id. */
  readonly maintainerId?: string | undefined;
  /** All of these. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

/** A row of `resources` joined with its kind's table and with what it uses. */
interface ResourceRow {
  readonly id: string;
  readonly organization_id: string;
  readonly project_id: string;
  readonly kind: ResourceKind;
  readonly name: string;
  readonly status: string;
  readonly status_reason: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly provider: string;
  readonly region: string;
  readonly provider_reference: string | null;
  readonly deletion_protection: boolean;
  readonly maintainer: Maintainer | null;
  readonly current_job_id: string | null;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly uses: { id: string; name: string; kind: ResourceKind }[];
  readonly flavor: string | null;
  readonly vcpus: number;
  readonly memory_mib: number;
  readonly disk_gib: number;
  readonly image: string;
  readonly ssh_keys: string[];
  readonly addresses: { network: string; address: string }[];
  readonly cidr: string;
  readonly size_gib: number;
  readonly bmc_address: string;
  readonly bmc_system_id: string | null;
  readonly bmc_credential: string;
  readonly gpus: number;
  readonly power: BareMetalHost['power'];
  readonly health: BareMetalHost['health'];
  readonly inventory: BareMetalHost['inventory'];
  readonly image_url: string | null;
  readonly image_until: string | null;
  readonly cleaned_at: Date | null;
  readonly cleaned_by: BareMetalHost['cleanedBy'];
  readonly maintenance: string | null;
  readonly repair: string | null;
  readonly attached_to: { id: string; name: string } | null;
  readonly version: string;
  readonly cni: Cluster['cni'];
  readonly service_mesh: Cluster['serviceMesh'];
  readonly plugins: Cluster['plugins'];
  readonly endpoint: string | null;
  readonly machines: Cluster['machines'];
  readonly keys: Bucket['keys'];
}

const uses = `coalesce((SELECT jsonb_agg(jsonb_build_object('id', x.id, 'name', x.name, 'kind', x.kind) ORDER BY u.position)
  FROM resource_uses u JOIN resources x ON x.id = u.used_id WHERE u.user_id = r.id), '[]') AS uses`;

const shared = `r.*, ${maintainerOfResource} AS maintainer`;

/** What each kind shows beside the columns of `resources r`, and from where. */
const shownOf: Readonly<Record<ResourceKind, { readonly columns: string; readonly joins: string }>> = {
  vm: {
    columns: `${shared}, k.flavor, k.vcpus, k.memory_mib, k.disk_gib, k.image, k.ssh_keys, k.addresses, coalesce(k.gpus, 0) AS gpus, ${uses}`,
    joins: 'JOIN vms k ON k.resource_id = r.id',
  },
  network: { columns: `${shared}, k.cidr`, joins: 'JOIN networks k ON k.resource_id = r.id' },
  volume: {
    columns: `${shared}, k.size_gib, (SELECT jsonb_build_object('id', x.id, 'name', x.name)
      FROM resource_uses u JOIN resources x ON x.id = u.user_id WHERE u.used_id = r.id AND x.kind = 'vm' AND x.deleted_at IS NULL LIMIT 1) AS attached_to`,
    joins: 'JOIN volumes k ON k.resource_id = r.id',
  },
  snapshot: { columns: `${shared}, k.size_gib, ${uses}`, joins: 'JOIN snapshots k ON k.resource_id = r.id' },
  bucket: {
    columns: `${shared}, k.endpoint, coalesce((SELECT jsonb_agg(jsonb_build_object('name', b.name, 'accessKey', b.access_key,
      'createdAt', ${iso('b.created_at')}) ORDER BY b.name) FROM bucket_keys b WHERE b.bucket_id = r.id), '[]') AS keys`,
    joins: 'JOIN buckets k ON k.resource_id = r.id',
  },
  'bare-metal-host': {
    columns: `${shared}, k.bmc_address, k.bmc_system_id, k.bmc_credential, k.gpus, k.power, k.health, k.inventory, k.image_url, k.image_until,
      k.cleaned_at, k.cleaned_by, k.maintenance, k.repair`,
    joins: 'JOIN bare_metal_hosts k ON k.resource_id = r.id',
  },
  cluster: {
    columns: `${shared}, k.version, k.image, k.cni, k.service_mesh, k.plugins, k.endpoint, ${uses},
      coalesce((SELECT jsonb_agg(jsonb_build_object('name', m.name, 'role', m.role, 'pool', m.pool, 'vm', m.vm_id,
        'vmStatus', v.status, 'node', m.node, 'version', m.version) ORDER BY m.role = 'bastion', m.pool NULLS FIRST, m.ordinal)
        FROM cluster_machines m LEFT JOIN resources v ON v.id = m.vm_id WHERE m.cluster_id = r.id), '[]') AS machines`,
    joins: 'JOIN clusters k ON k.resource_id = r.id',
  },
};
const select = (kind: ResourceKind): string => {
  const { columns, joins } = shownOf[kind];
  return `SELECT ${columns} FROM resources r ${joins}`;
};

const common = (row: ResourceRow) => ({
  id: row.id,
  organizationId: row.organization_id,
  projectId: row.project_id,
  name: row.name,
  statusReason: row.status_reason,
  labels: row.labels,
  provider: row.provider,
  region: row.region,
  providerReference: row.provider_reference,
  deletionProtection: row.deletion_protection,
  maintainer: row.maintainer,
  currentJobId: row.current_job_id,
  createdAt: row.created_at.toISOString(),
  updatedAt: row.updated_at.toISOString(),
});

/** The rows' statuses are written by `lives` alone, so they are of the kind's states. */
const views: { readonly [Kind in ResourceKind]: (row: ResourceRow) => ViewOf[Kind] } = {
  vm: (row) => ({
    ...common(row),
    kind: 'vm',
    status: row.status as Vm['status'],
    flavor: row.flavor,
    vcpus: row.vcpus,
    memoryMib: row.memory_mib,
    diskGib: row.disk_gib,
    gpus: row.gpus,
    image: row.image,
    sshKeys: row.ssh_keys,
    networks: row.uses.filter(({ kind }) => kind === 'network').map(({ id, name }) => ({ id, name })),
    volumes: row.uses.filter(({ kind }) => kind === 'volume').map(({ id, name }) => ({ id, name })),
    address: row.addresses[0]?.address ?? null,
    addresses: row.addresses,
  }),
  network: (row) => ({ ...common(row), kind: 'network', status: row.status as Network['status'], cidr: row.cidr }),
  volume: (row) => ({
    ...common(row),
    kind: 'volume',
    status: row.status as Volume['status'],
    sizeGib: row.size_gib,
    attachedTo: row.attached_to,
  }),
  snapshot: (row) => ({
    ...common(row),
    kind: 'snapshot',
    status: row.status as Snapshot['status'],
    sizeGib: row.size_gib,
    volume: row.uses.map(({ id, name }) => ({ id, name }))[0] ?? null,
  }),
  bucket: (row) => ({
    ...common(row),
    kind: 'bucket',
    status: row.status as Bucket['status'],
    endpoint: row.endpoint,
    keys: row.keys,
  }),
  'bare-metal-host': (row) => ({
    ...common(row),
    kind: 'bare-metal-host',
    status: row.status as BareMetalHost['status'],
    bmcAddress: row.bmc_address,
    bmcSystemId: row.bmc_system_id,
    bmcCredential: row.bmc_credential,
    gpus: row.gpus,
    power: row.power,
    health: row.health,
    inventory: row.inventory,
    image: row.image_url === null ? null : { url: row.image_url, until: untilOf(row.image_until) },
    cleanedAt: row.cleaned_at?.toISOString() ?? null,
    cleanedBy: row.cleaned_by,
    maintenance: row.maintenance,
    repair: row.repair,
  }),
  cluster: (row) => ({
    ...common(row),
    kind: 'cluster',
    status: row.status as Cluster['status'],
    version: row.version,
    image: row.image,
    cni: row.cni,
    serviceMesh: row.service_mesh,
    plugins: row.plugins,
    endpoint: row.endpoint,
    networks: row.uses.filter(({ kind }) => kind === 'network').map(({ id, name }) => ({ id, name })),
    machines: row.machines.map(({ name, role, pool, vm = null, vmStatus = null, node = null, version = null }) => ({
      ...{ name, role, pool, vm, vmStatus, node, version },
    })),
  }),
};

const untilOf = (until: string | null) => (until === 'booted' ? until : 'powered-off');

/** A resource just accepted, as it will be read: no second look at the database. */
export function newResourceView(
  { row, ...resource }: NewResource,
  organizationId: string,
  projectId: string,
  jobId: string,
  used: readonly Known[],
  createdAt: Date,
): ResourceView {
  const blank = {
    flavor: null,
    vcpus: 0,
    memory_mib: 0,
    disk_gib: 0,
    image: '',
    ssh_keys: [],
    addresses: [],
    cidr: '',
    size_gib: 0,
    bmc_address: '',
    bmc_system_id: null,
    bmc_credential: '',
    gpus: 0,
    power: null,
    health: null,
    inventory: null,
    image_url: null,
    image_until: null,
    cleaned_at: null,
    cleaned_by: [],
    maintenance: null,
    repair: null,
    attached_to: null,
    version: '',
    cni: 'cilium' as const,
    service_mesh: 'none' as const,
    plugins: [],
    endpoint: null,
    machines: [],
    keys: [],
  };
  return views[resource.kind]({
    ...blank,
    ...row,
    id: resource.id,
    organization_id: organizationId,
    project_id: projectId,
    kind: resource.kind,
    name: resource.name,
    status: resource.status,
    status_reason: null,
    labels: resource.labels,
    provider: resource.provider,
    region: resource.region,
    provider_reference: null,
    deletion_protection: resource.deletionProtection,
    maintainer: null,
    current_job_id: jobId,
    created_at: createdAt,
    updated_at: createdAt,
    uses: used.map(({ id, name, kind }) => ({ id, name, kind })),
  });
}

/** One resource of a project by id or name; undefined where there is none. */
export async function findResource<Kind extends ResourceKind>(
  sql: Sql,
  projectId: string,
  kind: Kind,
  reference: string,
): Promise<ViewOf[Kind] | undefined> {
  const by = isId(reference) ? 'r.id = $3::uuid' : 'r.name = $3::text';
  const rows = await sql.unsafe<ResourceRow[]>(
    `${select(kind)} WHERE r.project_id = $1 AND r.kind = $2 AND ${by} AND r.deleted_at IS NULL`,
    [projectId, kind, reference],
    { prepare: true },
  );
  return rows[0] && views[kind](rows[0]);
}

/** A resource whose id is known, deleted or not. */
export async function resourceById<Kind extends ResourceKind>(
  sql: Sql | TransactionSql,
  kind: Kind,
  id: string,
): Promise<ViewOf[Kind] | undefined> {
  const rows = await sql.unsafe<ResourceRow[]>(`${select(kind)} WHERE r.id = $1`, [id], { prepare: true });
  return rows[0] && views[kind](rows[0]);
}

/** Resources of one kind whose ids are known, deleted or not, by id. */
export async function resourcesById(
  sql: Sql,
  kind: ResourceKind,
  ids: readonly string[],
): Promise<ReadonlyMap<string, ResourceView>> {
  if (ids.length === 0) return new Map();
  const rows = await sql.unsafe<ResourceRow[]>(`${select(kind)} WHERE r.id = ANY($1::uuid[])`, [[...ids]], {
    prepare: true,
  });
  return new Map(rows.map((row) => [row.id, views[kind](row)]));
}

/** A resource to be watched: by its name while it is there, by its id also when it is deleted. */
export async function findWatched(
  sql: Sql,
  projectId: string,
  kind: ResourceKind,
  reference: string,
): Promise<{ readonly id: string; readonly deleted: boolean } | undefined> {
  const [row] = await sql<{ id: string; deleted: boolean }[]>`
    SELECT id, deleted_at IS NOT NULL AS deleted FROM resources WHERE project_id = ${projectId} AND kind = ${kind}
      AND ${isId(reference) ? sql`id = ${reference}` : sql`name = ${reference} AND deleted_at IS NULL`}`;
  return row;
}

/** The oldest first. Of maintainer, status and region one is read in order, and the others looked for, as labels are. */
export function listResources<Kind extends ResourceKind>(
  sql: Sql,
  projectId: string,
  kind: Kind,
  { status, region, maintainerId, labels }: ResourceFilter,
  page: PageRequest,
): Promise<Page<ViewOf[Kind]>> {
  const filter = new Filter()
    .fixed(projectId, 'r.project_id', 'uuid')
    .fixed(kind, 'r.kind', 'text')
    .only('r.deleted_at IS NULL');
  const by = [
    ['r.maintainer_id', 'uuid', maintainerId],
    ['r.status', 'text', status],
    ['r.region', 'text', region],
  ] as const;
  const first = by.find(([, , value]) => value !== undefined);
  for (const one of by) {
    const [column, type, value] = one;
    if (one === first) filter.fixed(value, column, type);
    else filter.scanned(value, (parameter) => `${column} = ${parameter}`);
  }
  filter.scanned(labels && JSON.stringify(labels), (parameter) => `r.labels @> ${parameter}::text::jsonb`);
  const listing = { table: 'resources', alias: 'r', ...shownOf[kind], newestFirst: false, filter };
  return listPage<ResourceRow, ViewOf[Kind]>(sql, listing, page, views[kind]);
}

/** What a request needs to know of a resource that it names. */
export interface Known {
  readonly id: string;
  readonly kind: ResourceKind;
  readonly name: string;
  readonly region: string;
  readonly provider: string;
  readonly status: string;
  readonly requested: Record<string, unknown>;
  readonly currentJobId: string | null;
}

/** The resources that these references (ids or names) mean, in one query. */
export async function knownResources(
  sql: Sql | TransactionSql,
  projectId: string,
  references: readonly { readonly kind: ResourceKind; readonly reference: string }[],
): Promise<(reference: { readonly kind: ResourceKind; readonly reference: string }) => Known | undefined> {
  const rows =
    references.length === 0
      ? []
      : await sql<Known[]>`
    SELECT id, kind, name, region, provider, status, requested, current_job_id AS "currentJobId" FROM resources
    WHERE project_id = ${projectId} AND deleted_at IS NULL
      AND (name = ANY(${references.map(({ reference }) => reference)}::text[])
        OR id = ANY(${references.map(({ reference }) => reference).filter(isId)}::uuid[]))`;
  const byKey = new Map(
    rows.flatMap((row) => [[`${row.kind}/${row.name}`, row] as const, [`${row.kind}/${row.id}`, row] as const]),
  );
  return ({ kind, reference }) => byKey.get(`${kind}/${reference}`);
}

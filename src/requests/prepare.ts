import { v7 as newId } from 'uuid';
import type { BatchOperation } from '../batch/file.ts';
import { checkWith } from '../batch/with.ts';
import type { Known } from '../db/queries/resources.ts';
import type { BareMetalHostCreate } from '../domain/bare-metal-host.ts';
import type { BucketCreate } from '../domain/bucket.ts';
import { type ClusterCreate, machinesOf } from '../domain/cluster.ts';
import type { SpecOf } from '../domain/job.ts';
import type { ResourceKind } from '../domain/kinds.ts';
import { usableStates } from '../domain/life.ts';
import type { NetworkCreate } from '../domain/network.ts';
import type { QuotaUse } from '../domain/quota.ts';
import type { SnapshotCreate } from '../domain/snapshot.ts';
import type { VmCreate } from '../domain/vm.ts';
import type { VolumeCreate } from '../domain/volume.ts';
import { type Fault, refusedFor } from '../errors.ts';
import type { Catalog } from './catalog.ts';
import { isHosted, noFlavor, noImage, providerIn } from './offered.ts';
import { subnetRow } from './subnet-row.ts';

interface BodyOf {
  readonly vm: VmCreate;
  readonly network: NetworkCreate;
  readonly volume: VolumeCreate;
  readonly snapshot: SnapshotCreate;
  readonly bucket: BucketCreate;
  readonly 'bare-metal-host': BareMetalHostCreate;
  readonly cluster: ClusterCreate;
}
export type CreateBody = {
  readonly [Kind in ResourceKind]: { readonly kind: Kind; readonly body: BodyOf[Kind] };
}[ResourceKind];

/** A create whose every name has been found: what the database and the provider need of it. */
export interface Prepared {
  readonly region: string;
  readonly provider: string;
  /** What to compare with to see whether a resource is as it was asked for; secrets in clear, to be veiled. */
  readonly requested: Readonly<Record<string, unknown>>;
  readonly quota: QuotaUse;
  readonly row: object;
  readonly uses: readonly string[];
  readonly spec: SpecOf[ResourceKind];
}

/** The create that an operation of a batch asks for, from its `with` with all references resolved. */
export function createOf(
  kind: ResourceKind,
  place: Pick<BatchOperation, 'region' | 'provider'>,
  resolved: unknown,
): CreateBody {
  switch (kind) {
    case 'vm':
      return { kind, body: checkWith('vm.create', place, resolved) };
    case 'network':
      return { kind, body: checkWith('network.create', place, resolved) };
    case 'volume':
      return { kind, body: checkWith('volume.create', place, resolved) };
    case 'snapshot':
      return { kind, body: checkWith('snapshot.create', place, resolved) };
    case 'bucket':
      return { kind, body: checkWith('bucket.create', place, resolved) };
    case 'bare-metal-host':
      return { kind, body: checkWith('bare-metal-host.create', place, resolved) };
    case 'cluster':
      return { kind, body: checkWith('cluster.create', place, resolved) };
  }
}

/** The resources that a create names, by kind. */
export function referencesOf(create: CreateBody): { kind: ResourceKind; reference: string; pointer: string }[] {
  if (create.kind === 'snapshot') return [{ kind: 'volume', reference: create.body.volume, pointer: '/volume' }];
  if (create.kind === 'cluster') return networksOf(create.body.networks);
  if (create.kind !== 'vm') return [];
  return (['network', 'volume'] as const).flatMap((kind) =>
    create.body[`${kind}s`].map((reference, index) => ({ kind, reference, pointer: `/${kind}s/${index}` })),
  );
}

const networksOf = (networks: readonly string[]) =>
  networks.map((reference, index) => ({ kind: 'network' as const, reference, pointer: `/networks/${index}` }));

export type Find = (reference: { readonly kind: ResourceKind; readonly reference: string }) => Known | undefined;

/** Looks every name up and fills everything in; lists all that is not there at once. */
export function prepare(create: CreateBody, catalog: Catalog, find: Find): Prepared {
  const faults: Fault[] = [];
  const { body } = create;
  const place = placeOf(create, catalog, find, faults);
  const prepared = prepareKind(create, catalog, find, faults, place);
  if (faults.length > 0) {
    throw refusedFor('invalid', faults);
  }
  const { labels, deletionProtection } = body;
  return {
    ...place,
    ...prepared,
    requested: { ...place, labels, deletionProtection, ...prepared.requested },
  };
}

type PlaceOf = Pick<Prepared, 'region' | 'provider'>;

/** Where it is to be made: a snapshot where its volume is, anything else where its request says. */
function placeOf(create: CreateBody, catalog: Catalog, find: Find, faults: Fault[]): PlaceOf {
  if (create.kind !== 'snapshot')
    return { region: create.body.region, provider: findProvider(create.body, catalog, faults) };
  const { region = '', provider = '' } = find({ kind: 'volume', reference: create.body.volume }) ?? {};
  return { region, provider };
}

function findProvider(
  body: Exclude<CreateBody, { kind: 'snapshot' }>['body'],
  catalog: Catalog,
  faults: Fault[],
): string {
  const found = providerIn(catalog, body);
  if ('provider' in found) return found.provider;
  faults.push(found.fault);
  return '';
}

type Parts = Omit<Prepared, 'region' | 'provider'>;

function prepareKind(create: CreateBody, catalog: Catalog, find: Find, faults: Fault[], place: PlaceOf): Parts {
  switch (create.kind) {
    case 'vm':
      return prepareVm(create, catalog, find, faults, place);
    case 'cluster':
      return prepareCluster(create, catalog, find, faults);
    case 'network': {
      const { name, cidr, vrf } = create.body;
      const requested = vrf === undefined ? { cidr } : { cidr, vrf };
      const row = { cidr, vrf: vrf ?? null, subnet: subnetRow(newId(), { cidr }) };
      return { requested, quota: { networks: 1 }, row, uses: [], spec: { name, cidr } };
    }
    case 'volume': {
      const { name, sizeGib } = create.body;
      const quota = { volumes: 1, storageGib: sizeGib };
      return { requested: { sizeGib }, quota, row: { size_gib: sizeGib }, uses: [], spec: { name, sizeGib } };
    }
    case 'snapshot':
      return prepareSnapshot(create, find, faults);
    case 'bucket':
      return { requested: {}, quota: { buckets: 1 }, row: {}, uses: [], spec: { name: create.body.name } };
    case 'bare-metal-host': {
      const { name, region, bmcAddress, bmcCredential, bmcSystemId = null, gpus } = create.body;
      const controller = `${region} ${controllerOf(bmcAddress)}`;
      const row = {
        controller,
        bmc_address: bmcAddress,
        bmc_credential: bmcCredential,
        bmc_system_id: bmcSystemId,
        gpus,
      };
      return {
        requested: { bmcAddress, bmcCredential, bmcSystemId, gpus },
        quota: { bareMetalHosts: 1, ...(gpus > 0 ? { gpus } : {}) },
        row: { ...row, cleaned_by: [] },
        uses: [],
        spec: { name, bmc: { address: bmcAddress, credential: bmcCredential } },
      };
    }
  }
}

/** One spelling of a controller's address. */
const controllerOf = (address: string): string =>
  address
    .toLowerCase()
    .replace(/^https:\/\//, '')
    .replace(/\/+$/, '')
    .replace(/:443$/, '');

function prepareSnapshot(create: CreateBody & { kind: 'snapshot' }, find: Find, faults: Fault[]): Parts {
  const { name, volume: reference } = create.body;
  const volume = find({ kind: 'volume', reference });
  const fault = faultOfUse(volume, { kind: 'volume', reference }, volume?.region ?? '');
  if (fault) faults.push({ pointer: '/volume', detail: fault });
  // What a request to grow it asks for is kept once it is done.
  const sizeGib = Number(volume?.requested.sizeGib ?? 0);
  const key = volume?.id ?? '';
  return {
    requested: { volume: key },
    quota: { snapshots: 1, storageGib: sizeGib },
    row: { size_gib: sizeGib },
    uses: [key],
    spec: { name, volume: { key, name: volume?.name ?? reference } },
  };
}

/** What is asked of its compute host, if the VMs of its region are placed on such. */
function hostWishes(
  { gpus, placement }: VmCreate,
  catalog: Catalog,
  { region, provider }: PlaceOf,
  faults: Fault[],
): Pick<SpecOf['vm'], 'gpus' | 'placement'> {
  const wishes = { ...(gpus === undefined ? {} : { gpus }), ...(placement === undefined ? {} : { placement }) };
  if (isHosted(catalog, region, provider)) return { placement: {}, ...wishes };
  // Of a region that there is not, or a provider, another fault tells.
  if (provider !== '') {
    for (const field of Object.keys(wishes)) {
      faults.push({
        pointer: `/${field}`,
        detail: `Provider "${provider}" has no compute hosts in region "${region}" to choose from. Leave ${field} out, or have an operator add hosts.`,
      });
    }
  }
  return wishes;
}

function prepareVm(
  create: CreateBody & { kind: 'vm' },
  catalog: Catalog,
  find: Find,
  faults: Fault[],
  place: PlaceOf,
): Parts {
  const { body } = create;
  const { vcpus, memoryMib, diskGib } = sizeOf(body, catalog, faults);
  if (!catalog.images.includes(body.image)) faults.push(noImage(catalog, body.image));
  const used = usedBy(create, find, faults);
  const { gpus, placement } = body;
  const wishes = hostWishes(body, catalog, place, faults);
  const named = (kind: ResourceKind) => used.filter((known) => known.kind === kind);
  const spec = {
    name: body.name,
    vcpus,
    memoryMib,
    diskGib,
    image: body.image,
    sshKeys: body.sshKeys,
    userData: body.userData,
    networks: named('network').map(({ id, name }) => ({ key: id, name })),
    volumes: named('volume').map(({ id, name }) => ({ key: id, name })),
    ...(body.networks.length > 0 ? { addresses: 'assigned' as const } : {}),
    ...wishes,
  };
  return {
    requested: {
      flavor: body.flavor ?? null,
      vcpus,
      memoryMib,
      diskGib,
      image: body.image,
      sshKeys: body.sshKeys,
      userData: body.userData,
      networks: spec.networks.map(({ key }) => key),
      volumes: spec.volumes.map(({ key }) => key),
      // Left out as requests of earlier releases left it out, so that they compare as equal.
      ...(gpus === undefined ? {} : { gpus }),
      ...(placement === undefined ? {} : { placement }),
    },
    quota: { vms: 1, vcpus, memoryMib, storageGib: diskGib, ...(gpus === undefined ? {} : { gpus }) },
    row: {
      flavor: body.flavor ?? null,
      vcpus,
      memory_mib: memoryMib,
      disk_gib: diskGib,
      image: body.image,
      ssh_keys: body.sshKeys,
      addresses: [],
      gpus: gpus ?? 0,
    },
    uses: used.map(({ id }) => id),
    spec,
  };
}

function usedBy(create: CreateBody & { kind: 'vm' | 'cluster' }, find: Find, faults: Fault[]): Known[] {
  return referencesOf(create).flatMap((reference) => {
    const known = find(reference);
    const fault = faultOfUse(known, reference, create.body.region);
    if (fault) faults.push({ pointer: reference.pointer, detail: fault });
    return known ? [known] : [];
  });
}

/** Its machines count as VMs when its job has them accepted. */
function prepareCluster(
  create: CreateBody & { kind: 'cluster' },
  catalog: Catalog,
  find: Find,
  faults: Fault[],
): Parts {
  const { body } = create;
  const { name, version, image, cni, serviceMesh, plugins, controlPlane, pools, bastion, sshKeys } = body;
  const flavors = [
    { pointer: '/controlPlane/flavor', flavor: controlPlane.flavor },
    ...pools.map(({ flavor }, index) => ({ pointer: `/pools/${index}/flavor`, flavor })),
    ...(bastion ? [{ pointer: '/bastion/flavor', flavor: bastion.flavor }] : []),
  ];
  for (const { pointer, flavor } of flavors) {
    if (!catalog.flavors.some(({ name }) => name === flavor)) faults.push(noFlavor(catalog, flavor, pointer));
  }
  if (!catalog.images.includes(image)) faults.push(noImage(catalog, image));
  const used = usedBy(create, find, faults);
  return {
    requested: {
      ...{ version, image, cni, serviceMesh, plugins, controlPlane, pools, bastion: bastion ?? null, sshKeys },
      networks: used.map(({ id }) => id),
    },
    quota: { clusters: 1 },
    row: {
      ...{ version, image, cni, service_mesh: serviceMesh, plugins, ssh_keys: sshKeys, machines: machinesOf(body) },
    },
    uses: used.map(({ id }) => id),
    spec: { name, version, cni, serviceMesh, plugins },
  };
}

function sizeOf(
  body: VmCreate,
  catalog: Catalog,
  faults: Fault[],
): { vcpus: number; memoryMib: number; diskGib: number } {
  const flavor = catalog.flavors.find(({ name }) => name === body.flavor);
  if (body.flavor !== undefined && !flavor) faults.push(noFlavor(catalog, body.flavor));
  return flavor ?? { vcpus: body.vcpus ?? 0, memoryMib: body.memoryMib ?? 0, diskGib: body.diskGib ?? 0 };
}

function faultOfUse(
  known: Known | undefined,
  { kind, reference }: { kind: ResourceKind; reference: string },
  region: string,
): string | undefined {
  if (!known) return `There is no ${kind} "${reference}" in this project.`;
  if (known.region !== region) return `The ${kind} "${known.name}" is in region "${known.region}", not in "${region}".`;
  if (!usableStates.some((state) => state === known.status)) {
    const job = known.currentJobId ? `; job ${known.currentJobId} is at work on it` : '';
    return `The ${kind} "${known.name}" is ${known.status} and cannot be used now${job}.`;
  }
  return undefined;
}

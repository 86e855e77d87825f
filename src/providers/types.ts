import type {
  BucketSpec,
  NetworkSpec,
  SnapshotSpec,
  VmRebuild,
  VmRestState,
  VmSize,
  VmSpec,
  VolumeSpec,
} from '../domain/job.ts';
import type { MadeKind, ResourceKind } from '../domain/kinds.ts';
import type { ObservedPage } from '../domain/observation.ts';
import type { BareMetalDriver } from './bare-metal.ts';
import type { KubernetesDriver } from './kubernetes.ts';
import type { RedfishSettings } from './redfish/settings.ts';

/**
 * The driver interface. Every mutating call may be made any number of times: `ensure…` looks the key up before it
 * asks for anything new, finishes what an earlier call left half done, and gives what is there now; `remove…` of
 * something that is not there succeeds. Every call throws `ProviderError` alone, classed here and nowhere else.
 */
export interface Driver {
  readonly manifest: DriverManifest;
  readonly compute: ComputeDriver;
  readonly network: NetworkDriver;
  readonly storage: StorageDriver;
  /** Of a provider that has hosts of metal. */
  readonly bareMetal?: BareMetalDriver;
  /** Of a provider that makes clusters of its VMs. */
  readonly kubernetes?: KubernetesDriver;
  /** Of a provider that can be asked for all that it has: it is compared with what should be there. */
  readonly observer?: ObserverDriver;
  /** Throws where the provider cannot be reached; asks it nothing that a tenant could notice. */
  readonly reachable: () => Promise<void>;
}

export interface DriverManifest {
  /** The provider's name, as a region lists it. */
  readonly name: string;
  /** Semantic version. */
  readonly version: string;
  readonly kinds: readonly ResourceKind[];
}

/** What the caller gives a call that may take long. */
export interface CallContext {
  /** Aborts when the activity is canceled or the worker shuts down. */
  readonly signal: AbortSignal;
  /** Tells that the call is alive, and how far it is; shown as the step's progress. */
  readonly progress: (detail: string) => void;
  /**
   * To be awaited right before each request that changes something. Throws where the call may have been given up
   * meanwhile, and what it was to make be undone.
   */
  readonly stillMine: () => Promise<void>;
}

/** What a provider has under a key. */
export interface Provided {
  /** The provider's own id. */
  readonly reference: string;
  readonly key: string;
  readonly name: string;
  /** The provider's word for its state, e.g. `running`. */
  readonly state: string;
}
export interface ProvidedVm extends Provided {
  /** In the order of the spec's networks. */
  readonly addresses: readonly { readonly network: string; readonly address: string }[];
}

interface ProvidedBucket extends Provided {
  /** A URL, under which its objects are. */
  readonly endpoint: string;
}

/** One kind of thing at a provider: `ensure` returns when it is ready for use, `remove` when it is gone. */
interface Provides<Spec, Has extends Provided> {
  ensure(key: string, spec: Spec, call: CallContext): Promise<Has>;
  remove(key: string, call: CallContext): Promise<void>;
  find(key: string, call: CallContext): Promise<Has | undefined>;
  /** Everything of this kind that carries Millwright's tag, in this region. */
  list(call: CallContext): Promise<readonly Has[]>;
}
/** What a VM is asked for that is there. One that is not is a permanent `not_found`. */
interface ComputeDriver extends Provides<VmSpec, ProvidedVm> {
  /** Returns when it rests in that state. */
  setState(key: string, state: VmRestState, call: CallContext): Promise<ProvidedVm>;
  /** Once for each token, however often it is asked for: a token that was seen is passed over. */
  reboot(key: string, token: string, call: CallContext): Promise<ProvidedVm>;
  /** A disk grows, and stays as it is where less is asked for. */
  resize(key: string, size: VmSize, call: CallContext): Promise<ProvidedVm>;
  /** The last lines that it wrote to its console, the oldest first: the tenant's own data, for no log. */
  console(key: string, lines: number, call: CallContext): Promise<readonly string[]>;
  /** Its disk made anew, once for each token; the VM runs afterwards. */
  rebuild(key: string, spec: VmRebuild, token: string, call: CallContext): Promise<ProvidedVm>;
}
type NetworkDriver = Provides<NetworkSpec, Provided>;
interface StorageDriver extends Provides<VolumeSpec, Provided> {
  /** To a VM, by its key. One that another VM has is a permanent `conflict`. */
  attach(key: string, vmKey: string, call: CallContext): Promise<Provided>;
  /** What is not attached to this VM, or is not there, is detached from it. */
  detach(key: string, vmKey: string, call: CallContext): Promise<void>;
  /** Never smaller: a size that it has already, or more, is passed over. */
  grow(key: string, sizeGib: number, call: CallContext): Promise<Provided>;
  /** Of volumes, attached or not. A volume that has any is not removed. */
  readonly snapshots: Provides<SnapshotSpec, Provided>;
  /** Its content as in a snapshot of it, once for each token; one that a running VM has is a permanent `conflict`. */
  restore(key: string, snapshotKey: string, token: string, call: CallContext): Promise<Provided>;
  readonly buckets: BucketDriver;
}
/** Shows what there is, and changes nothing. */
interface ObserverDriver {
  readonly kinds: readonly MadeKind[];
  /**
   * What carries Millwright's tag in this region, in the order of the keys (as bytes), the first whose key comes after
   * `after`; `observedAtOnce` at most. Fields as src/db/queries/compare.ts names them; what is not known is left out.
   */
  observe(kind: MadeKind, after: string, call: CallContext): Promise<ObservedPage>;
}
/** To remove one that holds anything is a permanent `conflict`. */
interface BucketDriver extends Provides<BucketSpec, ProvidedBucket> {
  /** Removes it with everything that it holds. */
  destroy(key: string, call: CallContext): Promise<void>;
  /** What reads and writes it from now on; one that is there already is passed over. */
  createKey(
    key: string,
    access: { readonly accessKey: string; readonly secret: string },
    call: CallContext,
  ): Promise<Provided>;
  /** Of a key that is not there, or whose bucket is not, there is nothing to revoke. */
  revokeKey(key: string, accessKey: string, call: CallContext): Promise<void>;
}

/** What a region worker opens a driver with: its region and the credentials that it alone holds. */
export interface DriverSettings {
  readonly region: string;
  readonly endpoint: string;
  /** How long one call to the provider may go unanswered before it counts as ambiguous. */
  readonly timeoutMs: number;
  /** What the driver of that name needs beside. */
  readonly redfish?: RedfishSettings;
}
export interface DriverModule {
  readonly manifest: DriverManifest;
  open(settings: DriverSettings): Driver;
}

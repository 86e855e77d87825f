import type { NamedAccess } from '../src/db/queries/bucket-keys.ts';
import type { PageCompared, PageSeen } from '../src/db/queries/compare.ts';
import type { keepNotCompared, Settled, settleFindings } from '../src/db/queries/drift.ts';
import type { Addressed } from '../src/db/queries/vm-addresses.ts';
import type { Demand } from '../src/domain/candidate.ts';
import type { MachineGroup } from '../src/domain/cluster-machines.ts';
import type { PowerAction } from '../src/domain/host-states.ts';
import type {
  BootstrapSpec,
  BucketKeySpec,
  BucketSpec,
  ClusterNode,
  FailurePolicy,
  HostBootSpec,
  HostImageSpec,
  HostMediaSpec,
  HostSpec,
  HttpCall,
  Job,
  JobResult,
  JoinSpec,
  LeaveSpec,
  NamedKey,
  NetworkSpec,
  RetryPolicy,
  SnapshotSpec,
  VmRebuild,
  VmRestState,
  VmSize,
  VmSpec,
  VolumeSpec,
} from '../src/domain/job.ts';
import type { MadeKind } from '../src/domain/kinds.ts';
import type { ObservedPage } from '../src/domain/observation.ts';
import type { Trail } from '../src/domain/trail.ts';
import type { Transition } from '../src/domain/transition.ts';
import type { ErrorInfo } from '../src/errors.ts';
import type { OperationEnd } from '../temporal/names.ts';

/** What a workflow may ask of the control worker. */
export interface ControlActivities {
  /**
   * Records transitions in order, in one transaction. Idempotent. Gives, for each, why it was refused (the job has
   * ended, or its resource is not where the transition says), or null.
   */
  record(transitions: readonly Transition[]): Promise<(ErrorInfo | null)[]>;
  /** An address in each network that has subnets, or why not. Idempotent: a resource keeps what it has. */
  assignAddresses(addressed: Addressed): Promise<JobResult | { readonly refused: ErrorInfo }>;
  /** Gives back what a resource has. Idempotent. */
  releaseAddresses(owner: string): Promise<JobResult>;
  /** A compute host with its room claimed, or why there is none. Idempotent: a VM keeps what it has. */
  placeVm(demand: Demand & { readonly jobId: string }): Promise<JobResult | { readonly refused: ErrorInfo }>;
  /** Gives back the room of a VM. Idempotent. */
  unplaceVm(key: string): Promise<JobResult>;
  /** Makes its claim so large on the host where it is, if it has one. Idempotent. */
  resizePlacement(resize: {
    readonly jobId: string;
    readonly key: string;
    readonly size: VmSize;
  }): Promise<JobResult | { readonly refused: ErrorInfo }>;
  /** The batch's graph with its checkpoint, from this place in its file on; as much as fits into one answer. */
  loadBatch(batchId: string, from?: number): Promise<BatchGraph>;
  /**
   * Accepts the jobs of operations whose dependencies are done. Idempotent. In the order asked for, and as many as fit
   * into one answer, one at least: the others are to be asked for again. `host`: the workflow that asks, and will host
   * what is begun.
   */
  beginOperations(batchId: string, begin: readonly BeginOperation[], host?: string): Promise<Begun[]>;
  /** Makes ready what failed, to be tried again by new jobs. */
  retryOperations(batchId: string): Promise<void>;
  /** Marks what will not run any more as skipped; gives what is under way all the same. The release before gave nothing. */
  skipOperations(batchId: string): Promise<readonly string[] | undefined>;
  /** What a batch's workflow has to know beside its graph. */
  lookAtBatch(batchId: string): Promise<BatchNow>;
  /** Makes this workflow the one that the batch's job lives in from now on. */
  handOver(batchId: string, generation: number, workflowId: string): Promise<void>;
  /** The workflow that the batch's job lives in. */
  newestHost(batchId: string): Promise<string>;
  /** Those of these operations that have ended, for a batch that may have missed to be told. */
  endedOperations(
    batchId: string,
    operationIds: readonly string[],
    direction: BeginOperation['direction'],
  ): Promise<readonly OperationEnd[]>;
  /**
   * Accepts jobs of a cluster's machines that are still to be made, or removed, and gives them to be run: none when there
   * is no such machine any more. Idempotent: an earlier workflow's are adopted. Refused as a whole, some may have been accepted: removing them all takes them back.
   */
  beginMachines(begin: BeginMachines): Promise<{ readonly jobs: readonly Job[] } | { readonly refused: ErrorInfo }>;
  /** Lists an access key. Idempotent; refused where its name, or what it is known by, is another's. */
  keepBucketKey(bucketId: string, key: NamedAccess): Promise<JobResult | { readonly refused: ErrorInfo }>;
  /** One, or, where none is named, all that it has. Idempotent. */
  dropBucketKeys(bucketId: string, accessKey?: string): Promise<JobResult>;
  /** The machines that become nodes. */
  clusterNodes(clusterId: string): Promise<BootstrapSpec['nodes']>;
  /** Machines that a cluster is to have as well, for `beginMachines` to make. Idempotent. */
  addMachines(clusterId: string, name: string, groups: readonly MachineGroup[]): Promise<void>;
  /** A cluster is not to have these any more; they are gone. Idempotent. */
  forgetMachines(clusterId: string, names: readonly string[]): Promise<void>;
  /** How each node stands, and that there are no others. */
  keepNodes(clusterId: string, nodes: readonly ClusterNode[]): Promise<void>;
  /** By the database's clock: what has changed since is not to be compared with what was seen then. */
  beginComparison(): Promise<{ readonly startedAt: string; readonly suspectShare: number }>;
  /** Compares a page with what should be there. Only reads. */
  comparePage(seen: PageSeen): Promise<PageCompared>;
  /** Puts on record what a whole run found: what two runs have seen is believed. Idempotent; writes only what is new. */
  settleFindings(of: Parameters<typeof settleFindings>[1]): Promise<Settled>;
  /** Puts on record that a run could not compare: what two runs could not is told of. Idempotent. */
  keepNotCompared(of: Parameters<typeof keepNotCompared>[1]): Promise<void>;
  /** Keeps what was told of a cluster, its kubeconfig sealed. */
  keepCluster(
    clusterId: string,
    told: { readonly kubeconfig: string; readonly nodes: readonly ClusterNode[] },
  ): Promise<void>;
}

interface BatchNow {
  readonly paused: boolean;
  /** By a group's id: how many of its members may be under way at once. */
  readonly limits: Readonly<Record<string, number>>;
}

export interface BatchGraph {
  readonly operations: readonly {
    readonly id: string;
    readonly dependsOn: readonly string[];
    readonly softDependsOn?: readonly string[];
    /** The batch's, where it is left out. */
    readonly onFailure?: FailurePolicy;
    readonly state: import('../src/domain/batch.ts').OperationState;
    /** A deletion cannot be taken back. */
    readonly reversible: boolean;
    /** Why it failed, if it did. */
    readonly error?: ErrorInfo | null;
    /** Its job has ended and may have left something. */
    readonly left?: boolean;
  }[];
  /** There are more, after these. */
  readonly more?: boolean;
}

export interface BeginOperation {
  readonly operationId: string;
  /** `back` takes back what the operation did. */
  readonly direction: 'forth' | 'back';
}

/**
 * `job`: accepted, run it. `done`: there is nothing to run. `error`: refused. `skipped`: its condition left it out, or
 * that of what it refers to. `wait`: it is to be begun again at that time, or (null) when an approval is decided, whatever
 * comes first. `paused`: the batch is paused, and nothing is to be begun.
 */
export type Begun =
  | { readonly job: Job }
  | { readonly done: true }
  | { readonly error: ErrorInfo }
  | { readonly skipped: true }
  | { readonly wait: { readonly until: string | null } }
  | { readonly paused: true };

/** Which machines of a cluster are to be begun, and where. */
export interface BeginMachines {
  /** The cluster's own job. */
  readonly jobId: string;
  readonly clusterId: string;
  /** The workflow that asks, and will host their jobs. */
  readonly host: string;
  readonly verb: 'create' | 'delete';
  /** Their names; all that the cluster is to have where it is left out. */
  readonly only?: readonly string[];
  /** ISO 8601: what is not done by then has failed. */
  readonly until?: string;
}

/** What a provider tells of a cluster that it made. */
interface BootstrappedCluster {
  readonly reference: string;
  readonly endpoint: string;
  readonly kubeconfig: string;
  readonly nodes: readonly ClusterNode[];
}

/** What every provider activity is called with. */
export interface RegionCall {
  readonly jobId: string;
  readonly step: string;
  readonly provider: string;
  readonly region: string;
  readonly key: string;
  readonly retry: RetryPolicy;
  /** ISO 8601: no attempt begins after it, and one under way is given up. Left out by releases that had none. */
  readonly deadlineAt?: string;
  /** The request that the job was accepted for. */
  readonly trail?: Trail;
}

/** What a workflow may ask of a region's worker. Each is idempotent by `call.key`. */
export interface RegionActivities {
  ensureVm(call: RegionCall, spec: VmSpec): Promise<JobResult>;
  removeVm(call: RegionCall): Promise<JobResult>;
  setVmState(call: RegionCall, state: VmRestState): Promise<JobResult>;
  /** Once for each token, however often it is asked. */
  rebootVm(call: RegionCall, token: string): Promise<JobResult>;
  resizeVm(call: RegionCall, size: VmSize): Promise<JobResult>;
  /** Once for each token, however often it is asked. */
  rebuildVm(call: RegionCall, spec: VmRebuild, token: string): Promise<JobResult>;
  /** The last lines, the oldest first; as many of them as fit into an answer. */
  readConsole(call: RegionCall, lines: number): Promise<readonly string[]>;
  ensureNetwork(call: RegionCall, spec: NetworkSpec): Promise<JobResult>;
  removeNetwork(call: RegionCall): Promise<JobResult>;
  ensureVolume(call: RegionCall, spec: VolumeSpec): Promise<JobResult>;
  removeVolume(call: RegionCall): Promise<JobResult>;
  attachVolume(call: RegionCall, vm: NamedKey): Promise<JobResult>;
  detachVolume(call: RegionCall, vm: NamedKey): Promise<JobResult>;
  growVolume(call: RegionCall, sizeGib: number): Promise<JobResult>;
  ensureSnapshot(call: RegionCall, spec: SnapshotSpec): Promise<JobResult>;
  removeSnapshot(call: RegionCall): Promise<JobResult>;
  /** Once for each token, however often it is asked. */
  restoreVolume(call: RegionCall, snapshot: NamedKey, token: string): Promise<JobResult>;
  ensureBucket(call: RegionCall, spec: BucketSpec): Promise<JobResult>;
  /** One that holds anything is refused, unless it is to be taken with it. */
  removeBucket(call: RegionCall, how: { readonly force: boolean }): Promise<JobResult>;
  /** Told again of a key that is there, it is passed over. */
  createBucketKey(call: RegionCall, key: Pick<BucketKeySpec, 'accessKey' | 'secret'>): Promise<JobResult>;
  revokeBucketKey(call: RegionCall, accessKey: string): Promise<JobResult>;
  verifyHost(call: RegionCall, spec: HostSpec): Promise<JobResult>;
  inspectHost(call: RegionCall, spec: HostSpec): Promise<JobResult>;
  setHostPower(call: RegionCall, spec: HostSpec, action: PowerAction): Promise<JobResult>;
  setHostBoot(call: RegionCall, spec: HostBootSpec): Promise<JobResult>;
  insertHostMedia(call: RegionCall, spec: HostMediaSpec): Promise<JobResult>;
  ejectHostMedia(call: RegionCall, spec: HostSpec): Promise<JobResult>;
  cleanHost(call: RegionCall, spec: HostSpec): Promise<JobResult>;
  deployHost(call: RegionCall, spec: HostImageSpec): Promise<JobResult>;
  undeployHost(call: RegionCall, spec: HostSpec): Promise<JobResult>;
  rescueHost(call: RegionCall, spec: HostMediaSpec): Promise<JobResult>;
  unrescueHost(call: RegionCall, spec: HostSpec): Promise<JobResult>;
  /** Its kubeconfig is a secret, for `keepCluster` alone. */
  bootstrapCluster(call: RegionCall, spec: BootstrapSpec): Promise<BootstrappedCluster>;
  /** The nodes that the cluster then has. */
  joinCluster(call: RegionCall, spec: JoinSpec): Promise<readonly ClusterNode[]>;
  leaveCluster(call: RegionCall, spec: LeaveSpec): Promise<readonly ClusterNode[]>;
  removeCluster(call: RegionCall): Promise<JobResult>;
  /** What comes after this key; null for a kind that the driver cannot show. */
  observePage(call: RegionCall, kind: MadeKind, after: string): Promise<ObservedPage | null>;
  /** Answered by its receiver as often as it is sent: `call.key` goes with it as its Idempotency-Key. */
  requestHttp(call: RegionCall, spec: HttpCall): Promise<JobResult>;
}

import type { BootstrapSpec, ClusterNode, JoinSpec, LeaveSpec } from '../domain/job.ts';
import type { CallContext } from './types.ts';

/** A cluster as its provider has it. The kubeconfig is a secret. */
interface ProvidedCluster {
  readonly reference: string;
  readonly key: string;
  readonly name: string;
  readonly endpoint: string;
  readonly kubeconfig: string;
  readonly nodes: readonly ClusterNode[];
}

/** Makes clusters of VMs that are there. As with every driver, each call may be made any number of times. */
export interface KubernetesDriver {
  /** Returns when every node is ready; what is there under the key is given as it is. */
  bootstrap(key: string, spec: BootstrapSpec, call: CallContext): Promise<ProvidedCluster>;
  /** Returns when these are nodes and ready; of the control plane one joins after another. What is a node already stays one. */
  join(key: string, spec: JoinSpec, call: CallContext): Promise<ProvidedCluster>;
  /** Drains these nodes and takes them out; returns when they are none any more. Their VMs stay. */
  leave(key: string, spec: LeaveSpec, call: CallContext): Promise<ProvidedCluster>;
  /** Returns when it is gone. Its VMs stay. */
  remove(key: string, call: CallContext): Promise<void>;
  list(call: CallContext): Promise<readonly ProvidedCluster[]>;
}

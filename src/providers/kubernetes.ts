import type { BootstrapSpec, ClusterNode } from '../domain/job.ts';
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
  /** Returns when it is gone. Its VMs stay. */
  remove(key: string, call: CallContext): Promise<void>;
  list(call: CallContext): Promise<readonly ProvidedCluster[]>;
}

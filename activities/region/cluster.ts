import type { ClusterNode } from '../../src/domain/job.ts';
import { ProviderError } from '../../src/errors.ts';
import type { KubernetesDriver } from '../../src/providers/kubernetes.ts';
import type { CallContext, Driver } from '../../src/providers/types.ts';
import type { RegionActivities, RegionCall } from '../types.ts';

type ClusterActivities = Pick<RegionActivities, Extract<keyof RegionActivities, `${string}Cluster`>>;

/** Each is one call of a driver that has Kubernetes. */
export function clusterActivities(
  driver: (provider: string) => Driver,
  contextOf: (call: RegionCall) => CallContext,
): ClusterActivities {
  function kubernetes({ provider }: RegionCall): KubernetesDriver {
    const { kubernetes } = driver(provider);
    if (kubernetes) return kubernetes;
    throw new ProviderError('permanent', 'invalid', `The provider "${provider}" has no Kubernetes.`);
  }
  const nodesOf = (nodes: readonly ClusterNode[]): ClusterNode[] =>
    nodes.map(({ name, status, version }) => ({ name, status, version }));
  return {
    joinCluster: async (call, spec) => nodesOf((await kubernetes(call).join(call.key, spec, contextOf(call))).nodes),
    leaveCluster: async (call, spec) => nodesOf((await kubernetes(call).leave(call.key, spec, contextOf(call))).nodes),
    bootstrapCluster: async (call, spec) => {
      const made = await kubernetes(call).bootstrap(call.key, spec, contextOf(call));
      const nodes = nodesOf(made.nodes);
      return { reference: made.reference, endpoint: made.endpoint, kubeconfig: made.kubeconfig, nodes };
    },
    removeCluster: async (call) => {
      await kubernetes(call).remove(call.key, contextOf(call));
      return {};
    },
  };
}

import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { ProviderError } from '../../errors.ts';
import type { KubernetesDriver } from '../kubernetes.ts';
import type { CallContext } from '../types.ts';
import type { Client } from './client.ts';
import { type ClusterOperation, type SimulatedCluster, simulatedClusterSchema } from './cluster-wire.ts';

const pauseMs = 50;

/** The simulator's Kubernetes: one cluster a key, looked for before it is made. */
export function kubernetes(client: Client): KubernetesDriver {
  const path = (key: string): string => `/clusters/${encodeURIComponent(key)}`;
  const answer = simulatedClusterSchema.optional();

  const find = (key: string, call: CallContext): Promise<SimulatedCluster | undefined> =>
    client({ method: 'GET', operation: 'cluster.get', subject: `"${key}"`, path: path(key), answer }, call);

  async function settled(
    key: string,
    first: SimulatedCluster | undefined,
    call: CallContext,
    during: SimulatedCluster['state'],
  ) {
    const startedAt = performance.now();
    let now = first;
    while (now?.state === during) {
      call.progress(`${now.state}, ${Math.floor((performance.now() - startedAt) / 1000)} s`);
      await sleep(pauseMs, undefined, { signal: call.signal }).catch(() => call.signal.throwIfAborted());
      now = await find(key, call);
    }
    return now;
  }

  /** One call for each node, then all are waited for. */
  async function nodewise(
    key: string,
    nodes: readonly string[],
    call: CallContext,
    { begin, isDone }: { begin: (node: string) => Promise<unknown>; isDone: (status: string | undefined) => boolean },
  ): Promise<SimulatedCluster> {
    for (const node of nodes) await begin(node);
    for (;;) {
      const now = await find(key, call);
      if (!now) throw new ProviderError('permanent', 'not_found', `There is no cluster "${key}".`);
      const statusOf = new Map(now.nodes.map(({ name, status }) => [name, status]));
      const done = nodes.filter((node) => isDone(statusOf.get(node))).length;
      if (done === nodes.length) return now;
      call.progress(`${done} of ${nodes.length} nodes`);
      await sleep(pauseMs, undefined, { signal: call.signal }).catch(() => call.signal.throwIfAborted());
    }
  }

  const onNode = (operation: ClusterOperation, key: string, node: string) => ({
    ...{ operation, answer, subject: `"${node}" of the cluster ${key}` },
    path: `${path(key)}/nodes`,
  });

  return {
    join: async (key, { name, nodes }, call) => {
      const joining = {
        isDone: (status: string | undefined) => status === 'Ready',
        begin: (node: string) =>
          client(
            { ...onNode('cluster.join', key, node), method: 'POST', body: nodes.find((one) => one.name === node) },
            call,
          ),
      };
      const namesOf = (role: string) => nodes.filter((node) => node.role === role).map((node) => node.name);
      // A member more at a time: of etcd a majority of those there must agree to each.
      for (const node of namesOf('control-plane')) await nodewise(key, [node], call, joining);
      const now = await nodewise(key, namesOf('worker'), call, joining);
      if (now.state === 'ready') return now;
      throw new ProviderError('permanent', 'conflict', `The cluster "${name}" (${key}) is ${now.state}.`);
    },
    leave: async (key, { nodes }, call) => {
      const leaving = {
        isDone: (status: string | undefined) => status === undefined,
        begin: async (node: string) => {
          const asked = onNode('cluster.drain', key, node);
          return client({ ...asked, method: 'DELETE', path: `${asked.path}/${node}` }, call);
        },
      };
      const there = await find(key, call);
      const isControlPlane = (node: string) =>
        there?.nodes.some(({ name, role }) => name === node && role === 'control-plane') === true;
      // Workers first: what they run is asked of the control plane.
      await nodewise(
        key,
        nodes.filter((node) => !isControlPlane(node)),
        call,
        leaving,
      );
      for (const node of nodes.filter(isControlPlane).toReversed()) await nodewise(key, [node], call, leaving);
      return await nodewise(key, [], call, leaving);
    },
    bootstrap: async (key, spec, call) => {
      const asked = { method: 'POST', operation: 'cluster.bootstrap', subject: `"${spec.name}" (${key})` } as const;
      const begun =
        (await find(key, call)) ??
        (await client({ ...asked, path: '/clusters', body: { key, ...spec }, answer }, call));
      const now = await settled(key, begun, call, 'building');
      if (now?.state === 'ready') return now;
      throw new ProviderError('transient', 'conflict', `The cluster "${spec.name}" (${key}) is being deleted.`);
    },
    remove: async (key, call) => {
      const asked = { method: 'DELETE', operation: 'cluster.delete', subject: `"${key}"` } as const;
      await settled(key, await client({ ...asked, path: path(key), answer }, call), call, 'deleting');
    },
    list: async (call) => {
      const asked = { method: 'GET', operation: 'cluster.list', subject: 'all clusters' } as const;
      const all = z.object({ clusters: z.array(simulatedClusterSchema) });
      return (await client({ ...asked, path: '/clusters', answer: all }, call)).clusters;
    },
  };
}

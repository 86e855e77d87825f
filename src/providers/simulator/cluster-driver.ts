import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { ProviderError } from '../../errors.ts';
import type { KubernetesDriver } from '../kubernetes.ts';
import type { CallContext } from '../types.ts';
import type { Client } from './client.ts';
import { type SimulatedCluster, simulatedClusterSchema } from './cluster-wire.ts';

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

  return {
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

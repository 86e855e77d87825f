import { randomBytes } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { stringify } from 'yaml';
import { z } from 'zod';
import { MillwrightError } from '../../errors.ts';
import { beginChange, changesSchema, statusDuring, withChanges } from './cluster-nodes.ts';
import { type Bootstrap, type Node, type SimulatedCluster, simulatedClusterSchema } from './cluster-wire.ts';
import { inTransaction } from './database.ts';
import type { SettingsStore } from './settings.ts';
import type { Store } from './store.ts';

const recordSchema = z.object({
  cluster: simulatedClusterSchema,
  readyAt: z.int(),
  changes: changesSchema,
  /** Once its delete was asked for. */
  goneAt: z.int().nullable(),
});
type ClusterRecord = z.infer<typeof recordSchema>;

interface Place {
  readonly region: string;
  readonly key: string;
}

export interface ClusterStore {
  list(region?: string): SimulatedCluster[];
  find(place: Place): SimulatedCluster | undefined;
  /** What is there under its key stays as it is. */
  bootstrap(region: string, wanted: Bootstrap): SimulatedCluster;
  /** A VM as its node, unless it is one. */
  join(place: Place, node: Node): SimulatedCluster;
  /** Its node is drained, and then none any more. */
  drain(place: Place, name: string): SimulatedCluster;
  remove(place: Place): SimulatedCluster;
}

/** The Kubernetes of the pretend cloud. The clock tells what is done, so that no timer is lost by a kill. */
export function openClusters(database: DatabaseSync, settings: SettingsStore, store: Store): ClusterStore {
  database.exec(`CREATE TABLE IF NOT EXISTS clusters (
    region TEXT NOT NULL, key TEXT NOT NULL, record TEXT NOT NULL, PRIMARY KEY (region, key)
  ) STRICT, WITHOUT ROWID`);
  const selectOne = database.prepare('SELECT record FROM clusters WHERE region = ? AND key = ?');
  const selectAll = database.prepare('SELECT record FROM clusters ORDER BY region, key');
  const put = database.prepare('INSERT OR REPLACE INTO clusters (region, key, record) VALUES (?, ?, ?)');

  const read = (row: Record<string, unknown>): ClusterRecord => recordSchema.parse(JSON.parse(String(row.record)));
  const write = (record: ClusterRecord): void => {
    put.run(record.cluster.region, record.cluster.key, JSON.stringify(record));
  };
  const latencyOf = (operation: 'cluster.bootstrap' | 'cluster.delete' | 'cluster.join' | 'cluster.drain') =>
    settings.get().latencyMs[operation] ?? 0;

  function recordOf({ region, key }: Place): ClusterRecord | undefined {
    const row = selectOne.get(region, key);
    const record = row && read(row);
    return record && (record.goneAt ?? Number.POSITIVE_INFINITY) > Date.now() ? record : undefined;
  }
  const find = (place: Place): SimulatedCluster | undefined => {
    const record = recordOf(place);
    return record && shown(record);
  };

  function existing(place: Place): ClusterRecord {
    const record = recordOf(place);
    if (record) return { ...record, ...withChanges(record) };
    throw new MillwrightError('not_found', `There is no cluster "${place.key}" in "${place.region}".`);
  }
  function kept(record: ClusterRecord): SimulatedCluster {
    write(record);
    return shown(record);
  }
  function refuseUnlessRuns(region: string, { name, key }: Node): void {
    if (store.find({ region, kind: 'vm', key })?.state === 'running') return;
    throw new MillwrightError('precondition', `The VM "${name}" (${key}) is not there, or does not run.`);
  }

  return {
    find,
    list: (region) =>
      selectAll
        .all()
        .map(read)
        .filter(
          ({ goneAt, cluster }) =>
            (goneAt ?? Number.POSITIVE_INFINITY) > Date.now() && cluster.region === (region ?? cluster.region),
        )
        .map(shown),

    bootstrap: (region, wanted) =>
      inTransaction(database, () => {
        const there = find({ region, key: wanted.key });
        if (there) return there;
        for (const node of wanted.nodes) refuseUnlessRuns(region, node);
        const record = {
          cluster: newCluster(region, wanted),
          readyAt: Date.now() + latencyOf('cluster.bootstrap'),
          changes: {},
          goneAt: null,
        };
        write(record);
        return shown(record);
      }),

    join: (place, node) =>
      inTransaction(database, () => {
        const record = existing(place);
        const there = record.cluster.nodes.find(({ name }) => name === node.name);
        if (there && there.key !== node.key) {
          throw new MillwrightError('conflict', `The node "${node.name}" is another VM. Drain it first.`);
        }
        if (there) return kept(beginChange(record, there.name, undefined));
        refuseUnlessRuns(place.region, node);
        const { version } = record.cluster;
        const nodes = [...record.cluster.nodes, { ...node, version, status: 'Ready' as const }];
        const until = Date.now() + latencyOf('cluster.join');
        return kept(
          beginChange({ ...record, cluster: { ...record.cluster, nodes } }, node.name, { doing: 'join', until }),
        );
      }),
    drain: (place, name) =>
      inTransaction(database, () => {
        const record = existing(place);
        const { nodes } = record.cluster;
        const node = nodes.find((candidate) => candidate.name === name);
        if (!node || record.changes[name]?.doing === 'drain') return shown(record);
        if (node.role === 'control-plane' && nodes.filter(({ role }) => role === node.role).length === 1) {
          throw new MillwrightError('conflict', `The node "${name}" is the last of the control plane.`);
        }
        return kept(beginChange(record, name, { doing: 'drain', until: Date.now() + latencyOf('cluster.drain') }));
      }),

    remove: (place) =>
      inTransaction(database, () => {
        const record = existing(place);
        const leaving = { ...record, goneAt: record.goneAt ?? Date.now() + latencyOf('cluster.delete') };
        write(leaving);
        return shown(leaving);
      }),
  };
}

function shown(record: ClusterRecord): SimulatedCluster {
  const { readyAt, goneAt } = record;
  if (goneAt !== null) return { ...record.cluster, state: 'deleting' };
  if (readyAt > Date.now()) return record.cluster;
  const { cluster, changes } = withChanges(record);
  const nodes = cluster.nodes.map((node) => ({ ...node, status: statusDuring(changes[node.name]) }));
  return { ...cluster, state: 'ready', nodes };
}

function newCluster(region: string, { key, name, version, nodes }: Bootstrap): SimulatedCluster {
  const endpoint = `https://${name}.${region}.simulated:6443`;
  return {
    ...{ region, key, name, version, endpoint, state: 'building' },
    reference: `sim-cluster-${randomBytes(8).toString('hex')}`,
    nodes: nodes.map((node) => ({ ...node, version, status: 'NotReady' })),
    kubeconfig: kubeconfigOf(name, endpoint),
  };
}

/** As kubectl reads it: https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/ */
const kubeconfigOf = (name: string, server: string): string =>
  stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server } }],
    users: [{ name: 'admin', user: { token: `sim-token-${randomBytes(24).toString('hex')}` } }],
    contexts: [{ name, context: { cluster: name, user: 'admin' } }],
    'current-context': name,
  });

import { z } from 'zod';
import type { SimulatedCluster } from './cluster-wire.ts';

const changeSchema = z.object({ doing: z.enum(['join', 'drain']), until: z.int() });
type Change = z.infer<typeof changeSchema>;
/** What nodes are going through, by their names. */
export const changesSchema = z.record(z.string(), changeSchema).default({});

interface Changing {
  readonly cluster: SimulatedCluster;
  readonly changes: Readonly<Record<string, Change>>;
}

/** As the clock has it now: what is over has come true. */
export function withChanges({ cluster, changes }: Changing): {
  cluster: SimulatedCluster;
  changes: Changing['changes'];
} {
  const now = Date.now();
  const isOver = (change: Change | undefined): boolean => change !== undefined && change.until <= now;
  const nodes = cluster.nodes.filter(({ name }) => !(isOver(changes[name]) && changes[name]?.doing === 'drain'));
  const still = Object.entries(changes).filter(([, change]) => !isOver(change));
  return { cluster: { ...cluster, nodes }, changes: Object.fromEntries(still) };
}

/** Whatever a node was going through ends where it is: one that was being drained stays. */
export function beginChange<Record extends Changing>(record: Record, name: string, change: Change | undefined): Record {
  const { [name]: before, ...others } = record.changes;
  const kept = !change && before?.doing === 'join' ? before : change;
  return { ...record, changes: kept ? { ...others, [name]: kept } : others };
}

export const statusDuring = (change: Change | undefined): SimulatedCluster['nodes'][number]['status'] => {
  if (!change) return 'Ready';
  return change.doing === 'join' ? 'NotReady' : 'Ready,SchedulingDisabled';
};

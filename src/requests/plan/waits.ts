import type { BatchOperation } from '../../batch/file.ts';
import { waitingGraph } from '../../batch/forecast.ts';
import { dependantsFirst, type Graph, topologicalOrder } from '../../batch/graph.ts';
import type { Decision } from './decision.ts';

const isWait = ({ type }: BatchOperation): boolean => type.startsWith('wait.');
const isJoin = ({ type }: BatchOperation): boolean => type === 'group.join';

/**
 * Waits and ends of groups only where they serve something, so that a file that has come true does nothing when it is
 * applied again: a wait where something that waits for it, directly or not, has work (or, where nothing but waits does,
 * something that it waits for itself); the end of a group where one of its members has.
 */
export function runsAtAll(
  operations: readonly BatchOperation[],
  decisions: ReadonlyMap<string, Decision>,
): ReadonlyMap<string, Decision> {
  const graph = waitingGraph(operations);
  const works = new Map(
    operations.flatMap((operation) =>
      isWait(operation) || isJoin(operation)
        ? []
        : [[operation.id, decisions.get(operation.id)?.action !== 'none'] as const],
    ),
  );
  const before = reach(graph, works);
  const after = reach(dependantsFirst(graph), works);
  const acts = new Map<string, boolean>(works);
  const result = new Map(decisions);
  const byId = new Map(operations.map((operation) => [operation.id, operation]));
  for (const id of topologicalOrder(graph)) {
    const operation = byId.get(id);
    const decision = decisions.get(id);
    if (!operation || !decision || works.has(id)) continue;
    const runs = isJoin(operation)
      ? operation.dependsOn.some((member) => acts.get(member))
      : (after.get(id) ?? before.get(id) ?? true);
    acts.set(id, runs);
    if (!runs) result.set(id, { ...decision, action: 'none' });
  }
  return result;
}

/** Whether anything that each waits for, directly or not, has work; undefined where that is nothing but waits. */
function reach(graph: Graph, works: ReadonlyMap<string, boolean>): ReadonlyMap<string, boolean | undefined> {
  const byId = new Map(graph.map((node) => [node.id, node]));
  const reached = new Map<string, boolean | undefined>();
  for (const id of topologicalOrder(graph)) {
    let any: boolean | undefined;
    for (const dependency of byId.get(id)?.dependsOn ?? []) {
      const own = works.get(dependency);
      const farther = reached.get(dependency);
      if (own !== undefined || farther !== undefined) any = any || own === true || farther === true;
    }
    reached.set(id, any ?? undefined);
  }
  return reached;
}

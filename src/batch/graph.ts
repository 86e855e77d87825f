/**
 * The order of a batch's operations. Workflows import this file: it imports nothing, and nothing in it depends on
 * anything but its arguments. Every function takes time in proportion to operations and dependencies, and none
 * recurses, so that a chain of ten thousand operations is no matter.
 */

/** In the order of the file. A dependency on what is not in the graph counts as met, so that a part is a graph too. */
export type Graph = readonly GraphNode[];
interface GraphNode {
  readonly id: string;
  readonly dependsOn: readonly string[];
  /** Waited for, whatever becomes of them. */
  readonly softDependsOn?: readonly string[];
}

/** `failed` keeps from beginning what depends on it; it, too, counts as failed. */
export type Outcome = 'done' | 'failed';

interface Waiting {
  readonly id: string;
  readonly dependants: { readonly waiting: Waiting; readonly soft: boolean }[];
  /** Those that have not ended. */
  dependenciesLeft: number;
  /** One of its dependencies failed. */
  blocked: boolean;
}

/**
 * Which operations may begin, as others end: the order of the file among those that become ready at the same
 * moment, and otherwise the order in which they became ready.
 */
export class ReadySet {
  readonly #waiting = new Map<string, Waiting>();
  readonly #ended: ReadonlyMap<string, Outcome>;
  readonly #ready: string[] = [];
  #blocked: string[] = [];
  #taken = 0;

  /**
   * What has `ended` is never given. It counts as ended once its own dependencies have, so that it still stands
   * between what depends on it and what it depends on.
   */
  constructor(graph: Graph, ended: ReadonlyMap<string, Outcome> = new Map()) {
    this.#ended = ended;
    for (const { id } of graph) this.#waiting.set(id, { id, dependants: [], dependenciesLeft: 0, blocked: false });
    for (const { id, dependsOn, softDependsOn = [] } of graph) {
      const waiting = this.#waiting.get(id);
      if (!waiting) continue;
      const hard = new Set(dependsOn);
      this.#waitFor(waiting, hard, false);
      this.#waitFor(waiting, new Set(softDependsOn).difference(hard), true);
    }
    this.#release([...this.#waiting.values()].filter(({ dependenciesLeft }) => dependenciesLeft === 0));
  }

  /** The next operation to begin; undefined while none is ready. Each is given once. */
  take(): string | undefined {
    const id = this.#ready[this.#taken];
    if (id !== undefined) this.#taken += 1;
    return id;
  }

  /** To be called once for each that was taken. */
  finish(id: string, outcome: Outcome = 'done'): void {
    const waiting = this.#waiting.get(id);
    if (waiting) this.#release(met(waiting, outcome));
  }

  /** Those that will never begin, since what they depend on failed; each is given once. */
  takeBlocked(): readonly string[] {
    const blocked = this.#blocked;
    this.#blocked = [];
    return blocked;
  }

  #waitFor(waiting: Waiting, dependencies: ReadonlySet<string>, soft: boolean): void {
    for (const dependency of dependencies) {
      const before = this.#waiting.get(dependency);
      if (!before) continue;
      before.dependants.push({ waiting, soft });
      waiting.dependenciesLeft += 1;
    }
  }

  #release(free: Waiting[]): void {
    // Grows while it is walked: what has ended, or never will begin, passes its own dependants on.
    for (const waiting of free) {
      const ended = this.#ended.get(waiting.id);
      if (!ended && waiting.blocked) this.#blocked.push(waiting.id);
      const outcome = ended ?? (waiting.blocked ? 'failed' : undefined);
      if (outcome) free.push(...met(waiting, outcome));
      else this.#ready.push(waiting.id);
    }
  }
}

/** Marks one dependency of each dependant as ended; gives those that have none left. */
function met({ dependants }: Waiting, outcome: Outcome): Waiting[] {
  return dependants.flatMap(({ waiting, soft }) => {
    waiting.dependenciesLeft -= 1;
    if (outcome === 'failed' && !soft) waiting.blocked = true;
    return waiting.dependenciesLeft === 0 ? [waiting] : [];
  });
}

/** Each after all that it depends on. What is on a cycle, or waits for one, is left out. */
export function topologicalOrder(graph: Graph): string[] {
  const ready = new ReadySet(graph);
  const order: string[] = [];
  for (let id = ready.take(); id !== undefined; id = ready.take()) {
    order.push(id);
    ready.finish(id);
  }
  return order;
}

/** The graph turned round, for a rollback: each depends on its dependants, and the file is read from its end. */
export function dependantsFirst(graph: Graph): Graph {
  const reversed = new Map(graph.map(({ id }) => [id, { id, dependsOn: [] as string[] }]));
  for (const { id, dependsOn, softDependsOn = [] } of graph) {
    for (const dependency of [...dependsOn, ...softDependsOn]) reversed.get(dependency)?.dependsOn.push(id);
  }
  return [...reversed.values()].reverse();
}

/**
 * Cycles, each as its ids from the first in the file along `dependsOn` (the way back to the first is left out). No two
 * share an operation, and none is given only where there is none. A depth-first walk that drops each cycle it closes.
 */
export function findCycles(graph: Graph): string[][] {
  const nodes = new Map(
    graph.map((node, position) => [node.id, { ...node, position, next: 0, depth: -1, left: false }]),
  );
  const cycles: string[][] = [];
  for (const root of nodes.values()) {
    const path = root.left ? [] : [root];
    root.depth = 0;
    for (let node = path.at(-1); node; node = path.at(-1)) {
      const dependency = node.next < node.dependsOn.length ? nodes.get(node.dependsOn[node.next++] ?? '') : leave(path);
      if (!dependency || dependency.left) continue;
      if (path[dependency.depth] === dependency) {
        const cycle = path.splice(dependency.depth);
        for (const member of cycle) member.left = true;
        cycles.push(fromFirst(cycle).map(({ id }) => id));
      } else {
        dependency.depth = path.length;
        path.push(dependency);
      }
    }
  }
  return cycles;
}

function leave(path: { left: boolean }[]): undefined {
  const node = path.pop();
  if (node) node.left = true;
}

/** The same cycle, begun where the file begins it. */
function fromFirst<Node extends { readonly position: number }>(cycle: readonly Node[]): Node[] {
  const first = cycle.reduce((least, { position }, at) => (position < (cycle[least]?.position ?? 0) ? at : least), 0);
  return [...cycle.slice(first), ...cycle.slice(0, first)];
}

import { type Graph, ReadySet, topologicalOrder } from './graph.ts';

/**
 * How a batch will run, as far as one can know beforehand: pure functions over its graph and how long each operation is
 * expected to take. In time proportional to operations and dependencies, and a logarithm for the run.
 */
interface Timed {
  readonly id: string;
  readonly dependsOn: readonly string[];
  readonly softDependsOn: readonly string[];
  readonly seconds: number;
  /** It waits, or does nothing: no slot is taken. */
  readonly needsSlot: boolean;
}

/** Soft dependencies are waited for as well. */
export const waitingGraph = (operations: readonly Omit<Timed, 'seconds' | 'needsSlot'>[]): Graph =>
  operations.map(({ id, dependsOn, softDependsOn }) => ({ id, dependsOn: [...dependsOn, ...softDependsOn] }));

/**
 * The level of each operation, from 1: above all that it waits for. What is not `active` has none, and passes on that of
 * what it waits for.
 */
export function levelsOf(graph: Graph, active: ReadonlySet<string>): ReadonlyMap<string, number> {
  const nodes = new Map(graph.map((node) => [node.id, node]));
  const reached = new Map<string, number>();
  for (const id of topologicalOrder(graph)) {
    const before = highest(nodes.get(id)?.dependsOn ?? [], (dependency) => reached.get(dependency) ?? 0);
    reached.set(id, active.has(id) ? before + 1 : before);
  }
  return new Map([...reached].filter(([id]) => active.has(id)));
}

const highest = (ids: readonly string[], value: (id: string) => number): number =>
  ids.reduce((most, id) => Math.max(most, value(id)), 0);

/** The chain of dependencies that takes longest, and how long it takes. */
export function criticalPathOf(operations: readonly Timed[]): {
  readonly operations: readonly string[];
  readonly seconds: number;
} {
  const graph = waitingGraph(operations);
  const byId = new Map(graph.map((node) => [node.id, node]));
  const seconds = new Map(operations.map((operation) => [operation.id, operation.seconds]));
  const ends = new Map<string, number>();
  const latest = new Map<string, string>();
  let last: string | undefined;
  for (const id of topologicalOrder(graph)) {
    let begin = 0;
    for (const dependency of byId.get(id)?.dependsOn ?? []) {
      const end = ends.get(dependency) ?? 0;
      if (end <= begin) continue;
      begin = end;
      latest.set(id, dependency);
    }
    const end = begin + (seconds.get(id) ?? 0);
    ends.set(id, end);
    if (last === undefined || end > (ends.get(last) ?? 0)) last = id;
  }
  const path: string[] = [];
  for (let id = last; id !== undefined; id = latest.get(id)) path.push(id);
  return { operations: path.reverse(), seconds: last === undefined ? 0 : (ends.get(last) ?? 0) };
}

export interface Run {
  /** From the batch's begin to its end. */
  readonly seconds: number;
  readonly begins: ReadonlyMap<string, number>;
  readonly ends: ReadonlyMap<string, number>;
}

/** The run with so many slots: whatever is ready begins as a slot is free, first come, first served. */
export function simulate(operations: readonly Timed[], parallelLimit: number): Run {
  const byId = new Map(operations.map((operation) => [operation.id, operation]));
  const graph = new ReadySet(waitingGraph(operations));
  const running = new Soonest();
  const begins = new Map<string, number>();
  const ends = new Map<string, number>();
  const waiting: string[] = [];
  let [now, free, taken] = [0, parallelLimit, 0];
  const begin = (id: string): void => {
    begins.set(id, now);
    running.add(id, now + (byId.get(id)?.seconds ?? 0));
  };
  for (;;) {
    for (let id = graph.take(); id !== undefined; id = graph.take()) {
      if (byId.get(id)?.needsSlot) waiting.push(id);
      else begin(id);
    }
    for (let id = waiting[taken]; id !== undefined && free > 0; id = waiting[taken]) {
      taken += 1;
      free -= 1;
      begin(id);
    }
    const next = running.take();
    if (!next) return { seconds: now, begins, ends };
    now = next.at;
    if (byId.get(next.id)?.needsSlot) free += 1;
    ends.set(next.id, now);
    graph.finish(next.id);
  }
}

interface Ending {
  readonly id: string;
  readonly at: number;
  /** Among those that end at the same moment the first begun comes first. */
  readonly order: number;
}

const isSooner = (one: Ending, other: Ending): boolean =>
  one.at < other.at || (one.at === other.at && one.order < other.order);

/** A heap of what is under way, by when it ends. */
class Soonest {
  readonly #heap: Ending[] = [];
  #added = 0;

  add(id: string, at: number): void {
    const ending = { id, at, order: this.#added };
    this.#added += 1;
    let place = this.#heap.length;
    for (let parent = (place - 1) >> 1; place > 0; parent = (place - 1) >> 1) {
      const above = this.#heap[parent];
      if (!above || !isSooner(ending, above)) break;
      this.#heap[place] = above;
      place = parent;
    }
    this.#heap[place] = ending;
  }

  take(): Ending | undefined {
    const [soonest] = this.#heap;
    const last = this.#heap.pop();
    if (soonest === undefined || last === undefined || soonest === last) return soonest;
    let place = 0;
    for (;;) {
      const left = this.#heap[2 * place + 1];
      const right = this.#heap[2 * place + 2];
      const isRight = left !== undefined && right !== undefined && isSooner(right, left);
      const least = isRight ? right : left;
      if (least === undefined || !isSooner(least, last)) break;
      this.#heap[place] = least;
      place = 2 * place + (isRight ? 2 : 1);
    }
    this.#heap[place] = last;
    return soonest;
  }
}

import { type Graph, type Outcome, ReadySet } from './graph.ts';

/** What stands behind the id of an operation that deletes what that operation will make anew. */
export const oldSuffix = '/_old';

/** `web/blue` and `web/blue/_old` are one member of the group `web`. */
export const memberOf = (id: string): string => (id.endsWith(oldSuffix) ? id.slice(0, -oldSuffix.length) : id);

interface Bounds {
  /** How many operations may be under way at once. */
  readonly parallelLimit: number;
  /** By a group's id: how many of its members may be under way at once. */
  readonly limits?: Readonly<Record<string, number>>;
  /** What has ended already, never to be given. */
  readonly ended?: ReadonlyMap<string, Outcome>;
  /** What is under way already, elsewhere: it takes up slots, and is finished here. */
  readonly underWay?: Iterable<string>;
}

/** A group that has a limit: its members that have a place in it, and the operations that wait for one. */
interface Group {
  readonly limit: number;
  readonly members: Set<string>;
  readonly waiting: string[];
}

/**
 * Which operation of a batch begins next. An operation that is begun takes a slot of the batch, and its member a place in
 * each of its groups. What is replaced keeps its place from the deletion of the old to the end of the new, and goes
 * before others, so that never more members of a group are away than it allows; but where a member that is away waits
 * for another of a full group, that one begins once nothing else is under way. Like the graph, it depends on nothing but
 * its arguments.
 */
export class Schedule {
  readonly #nodes: Graph;
  readonly #graph: ReadySet;
  readonly #groups: ReadonlyMap<string, Group>;
  readonly #underWay: Set<string>;
  /** What was under way from the start: its turn had come before. */
  readonly #begunElsewhere: ReadonlySet<string>;
  /** What has deleted its old and not begun its new: it keeps its place in its groups. */
  readonly #halfReplaced = new Set<string>();
  /** What is half replaced and to begin: before all else. */
  readonly #halves: string[] = [];
  /** What is to go before the rest: put back, or next to get a place in its group. */
  readonly #first: string[] = [];
  readonly #ready: string[] = [];
  #taken = 0;
  #free: number;

  constructor(graph: Graph, { parallelLimit, limits = {}, ended = new Map(), underWay = [] }: Bounds) {
    this.#groups = new Map(
      Object.entries(limits).map(([id, limit]) => [id, { limit, members: new Set<string>(), waiting: [] }]),
    );
    this.#nodes = graph;
    this.#underWay = new Set(underWay);
    this.#begunElsewhere = new Set(this.#underWay);
    this.#free = parallelLimit - this.#underWay.size;
    this.#graph = new ReadySet(graph, ended);
    for (const id of this.#underWay) this.#enter(id);
    for (const [id, outcome] of ended) {
      if (outcome === 'done' && id.endsWith(oldSuffix) && !ended.has(memberOf(id))) this.#becomeHalfReplaced(id);
    }
    this.#sort();
  }

  /** Nothing is under way. */
  get idle(): boolean {
    return this.#underWay.size === 0;
  }

  /** The next operation to begin at this moment; undefined where there is none, or no slot. */
  take(): string | undefined {
    while (this.#free > 0) {
      const id = this.#halves.shift() ?? this.#first.shift() ?? this.#nextReady();
      if (id === undefined) return this.idle ? this.#begin(this.#neededByHalves()) : undefined;
      if (this.#hasPlaces(id)) return this.#begin(id);
    }
    return undefined;
  }

  #begin(id: string | undefined): string | undefined {
    if (id === undefined) return undefined;
    this.#enter(id);
    this.#underWay.add(id);
    this.#free -= 1;
    return id;
  }

  /** It was taken, and is not to begin yet. */
  putBack(id: string): void {
    if (!this.#underWay.delete(id)) return;
    this.#free += 1;
    if (this.#halfReplaced.has(id)) this.#halves.push(id);
    else {
      this.#leave(id);
      this.#first.push(id);
    }
  }

  /** One that is under way is held, or waits: it needs no slot meanwhile. Its place in its groups it keeps. */
  pause(): void {
    this.#free += 1;
  }

  /** One that was held or waited goes on, at once, slot or not. */
  goOn(): void {
    this.#free -= 1;
  }

  finish(id: string, outcome: Outcome): void {
    if (!this.#underWay.delete(id)) return;
    this.#free += 1;
    this.#halfReplaced.delete(id);
    if (outcome === 'done' && id.endsWith(oldSuffix)) this.#becomeHalfReplaced(id);
    else this.#leave(id);
    this.#graph.finish(id, outcome);
    this.#sort();
  }

  /** Whether it may begin as far as its groups go; where not, it is parked with one that is full. */
  #hasPlaces(id: string): boolean {
    const groups = this.#groupsOf(id);
    const full = groups.find(({ limit, members }) => members.size >= limit && !members.has(memberOf(id)));
    if (!full) return true;
    full.waiting.push(id);
    // It may have been called for a place in another group, which is then another's to have.
    for (const group of groups) if (group !== full && group.members.size < group.limit) this.#callNext(group);
    return false;
  }

  #callNext({ waiting }: Group): void {
    const next = waiting.shift();
    if (next !== undefined) this.#first.push(next);
  }

  #becomeHalfReplaced(oldId: string): void {
    this.#halfReplaced.add(memberOf(oldId));
    this.#enter(oldId);
  }

  /**
   * What is parked with a full group though what is half replaced waits for it: with nothing under way, it would wait for
   * ever, and what is gone would not come back.
   */
  #neededByHalves(): string | undefined {
    const parked = new Map<string, Group>();
    for (const group of this.#groups.values()) for (const id of group.waiting) parked.set(id, group);
    if (parked.size === 0) return undefined;
    const nodes = new Map(this.#nodes.map((node) => [node.id, node]));
    const needed = new Set(this.#halfReplaced);
    // Grows while it is walked.
    for (const id of needed) {
      const group = parked.get(id);
      if (group) {
        group.waiting.splice(group.waiting.indexOf(id), 1);
        return id;
      }
      const { dependsOn = [], softDependsOn = [] } = nodes.get(id) ?? {};
      for (const dependency of [...dependsOn, ...softDependsOn]) needed.add(dependency);
    }
    return undefined;
  }

  /** Takes what became ready; what is half replaced and never will be whole gives up its place. */
  #sort(): void {
    for (const id of this.#graph.takeBlocked()) if (this.#halfReplaced.delete(id)) this.#leave(id);
    for (let id = this.#graph.take(); id !== undefined; id = this.#graph.take()) {
      if (!this.#begunElsewhere.has(id)) (this.#halfReplaced.has(id) ? this.#halves : this.#ready).push(id);
    }
  }

  #nextReady(): string | undefined {
    const id = this.#ready[this.#taken];
    if (id !== undefined) this.#taken += 1;
    return id;
  }

  /** The groups with a limit that it is in, the outermost first. */
  #groupsOf(id: string): Group[] {
    if (this.#groups.size === 0) return [];
    const parts = memberOf(id).split('/');
    return parts.slice(0, -1).flatMap((_, index) => this.#groups.get(parts.slice(0, index + 1).join('/')) ?? []);
  }

  #enter(id: string): void {
    for (const { members } of this.#groupsOf(id)) members.add(memberOf(id));
  }

  #leave(id: string): void {
    for (const group of this.#groupsOf(id)) if (group.members.delete(memberOf(id))) this.#callNext(group);
  }
}

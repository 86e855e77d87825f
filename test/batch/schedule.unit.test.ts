import fc from 'fast-check';
import { expect, test } from 'vitest';
import { dependantsFirst, type Outcome, ReadySet } from '../../src/batch/graph.ts';
import { Schedule } from '../../src/batch/schedule.ts';

interface Node {
  readonly id: string;
  readonly dependsOn: readonly string[];
  readonly softDependsOn: readonly string[];
}

/** A batch, and the choices by which a run of it goes. */
interface Case {
  readonly graph: readonly Node[];
  readonly parallelLimit: number;
  readonly limits: Readonly<Record<string, number>>;
  /** Which operations fail, when their turn comes. */
  readonly failing: ReadonlySet<string>;
  readonly choices: readonly number[];
}

const runs = 200;

const old = '/_old';
const memberOf = (id: string): string => id.replace(/\/_old$/, '');
const inGroup = (id: string, group: string): boolean => id.startsWith(`${group}/`);

const operation = fc.record({
  group: fc.constantFrom('', '', 'g/', 'g/', 'g/h/', 'k/'),
  replaced: fc.boolean(),
  fails: fc.nat(5),
  waits: fc.array(fc.record({ on: fc.nat(), soft: fc.nat(3), old: fc.boolean() }), { maxLength: 3 }),
  place: fc.nat(),
});
type Drawn = typeof operation extends fc.Arbitrary<infer Value> ? Value : never;

/** What is replaced is two operations; only some of what the new one waits for is waited for by the deletion as well. */
function nodesOf(drawn: readonly Drawn[]): Node[] {
  const ids = drawn.map(({ group }, index) => `${group}n${index}`);
  const nodes = drawn.flatMap(({ replaced, waits, place }, index): (Node & { place: number })[] => {
    const id = ids[index] ?? '';
    const before = index === 0 ? [] : waits.map((wait) => ({ ...wait, id: ids[wait.on % index] ?? '' }));
    const node = (id: string, edges: typeof before, ...more: string[]) => ({
      id,
      place,
      dependsOn: [...edges.filter(({ soft }) => soft > 0).map(({ id }) => id), ...more],
      softDependsOn: edges.filter(({ soft }) => soft === 0).map(({ id }) => id),
    });
    if (!replaced) return [node(id, before)];
    const first = before.filter(({ old }) => old);
    return [node(`${id}${old}`, first), node(id, before, `${id}${old}`)];
  });
  return nodes.toSorted((one, other) => one.place - other.place);
}

const cases = fc
  .record({
    drawn: fc.array(operation, { minLength: 1, maxLength: 14 }),
    parallelLimit: fc.integer({ min: 1, max: 5 }),
    limits: fc.dictionary(fc.constantFrom('g', 'g/h', 'k'), fc.integer({ min: 1, max: 3 })),
    choices: fc.array(fc.nat(), { minLength: 60, maxLength: 60 }),
    failingOld: fc.boolean(),
  })
  .map(({ drawn, failingOld, ...more }): Case => {
    const failing = drawn.flatMap(({ group, fails }, index) => {
      const id = `${group}n${index}`;
      return fails === 0 ? [failingOld ? `${id}${old}` : id] : [];
    });
    return { ...more, graph: nodesOf(drawn), failing: new Set(failing) };
  });

/** What the rules say, looked up anew at each question and with no thought for speed. */
class Model {
  readonly ended = new Map<string, Outcome>();
  readonly underWay = new Set<string>();
  readonly paused = new Set<string>();
  readonly #of: Case;
  readonly #nodes: ReadonlyMap<string, Node>;

  constructor(of: Case) {
    this.#of = of;
    this.#nodes = new Map(of.graph.map((node) => [node.id, node]));
  }

  /** How it has ended; what depends on a failure has failed as soon as all that it waits for has ended. */
  endOf(id: string): Outcome | undefined {
    const node = this.#nodes.get(id);
    const known = this.ended.get(id);
    if (known || !node || this.underWay.has(id)) return known;
    if (![...node.dependsOn, ...node.softDependsOn].every((other) => this.endOf(other))) return undefined;
    return node.dependsOn.some((other) => this.endOf(other) === 'failed') ? 'failed' : undefined;
  }

  /** Whether its turn has come as far as the graph goes. */
  isReady(id: string): boolean {
    const node = this.#nodes.get(id);
    if (!node || this.endOf(id) || this.underWay.has(id)) return false;
    return (
      node.dependsOn.every((other) => this.endOf(other) === 'done') &&
      node.softDependsOn.every((other) => this.endOf(other) !== undefined)
    );
  }

  isHalfReplaced(id: string): boolean {
    return this.ended.get(`${id}${old}`) === 'done' && this.endOf(id) === undefined;
  }

  /** Members of the group that have begun and not ended, or are gone and not back. */
  away(group: string): Set<string> {
    const ids = this.#of.graph.map(({ id }) => id).filter((id) => inGroup(id, group));
    return new Set(ids.filter((id) => this.underWay.has(id) || this.isHalfReplaced(id)).map(memberOf));
  }

  hasPlace(id: string): boolean {
    return Object.entries(this.#of.limits).every(([group, limit]) => {
      const away = this.away(group);
      return !inGroup(id, group) || away.has(memberOf(id)) || away.size < limit;
    });
  }

  get ready(): string[] {
    return this.#of.graph.map(({ id }) => id).filter((id) => this.isReady(id));
  }

  get slotsTaken(): number {
    return this.underWay.size - this.paused.size;
  }

  /** Takes one step that a run could have taken, with no schedule to say which. */
  stepBefore(choice: number): void {
    const { ready } = this;
    const next = ready.filter((id) => this.hasPlace(id))[choice % 3];
    const begun = [...this.underWay][0];
    if (choice % 2 === 0 && next && this.slotsTaken < this.#of.parallelLimit) this.underWay.add(next);
    else if (begun) this.end(begun);
  }

  end(id: string): Outcome {
    const outcome = this.#of.failing.has(id) ? 'failed' : 'done';
    this.underWay.delete(id);
    this.ended.set(id, outcome);
    return outcome;
  }
}

/** Takes all that is given, and holds each against the rules. */
function takeAll(schedule: Schedule, model: Model, { parallelLimit, graph }: Case): void {
  for (;;) {
    const fits = model.slotsTaken < parallelLimit ? model.ready.filter((id) => model.hasPlace(id)) : [];
    const id = schedule.take();
    if (id === undefined) {
      expect(fits, 'what could begin and is not given').toEqual([]);
      if (model.underWay.size === 0) expect(model.ready, 'what is left though nothing is under way').toEqual([]);
      return;
    }
    expect(model.slotsTaken, `slots taken before ${id}`).toBeLessThan(parallelLimit);
    expect(model.isReady(id), `${id} has its turn`).toBe(true);
    // Only where all would stand still for ever does one begin that has no place: what is gone waits for it.
    if (!model.hasPlace(id)) {
      expect(model.underWay.size, `under way while ${id} goes beyond a limit`).toBe(0);
      expect(fits, `what could begin instead of ${id}`).toEqual([]);
      const gone = graph.filter((node) => model.isHalfReplaced(node.id)).map((node) => node.id);
      expect(gone.some((one) => reaches(graph, one, id))).toBe(true);
    }
    const halves = fits.filter((one) => model.isHalfReplaced(one));
    if (halves.length > 0) expect(halves, 'what is half replaced goes first').toContain(id);
    model.underWay.add(id);
  }
}

/** Whether the one waits for the other, however far. */
function reaches(graph: readonly Node[], from: string, to: string): boolean {
  const node = graph.find(({ id }) => id === from);
  const before = [...(node?.dependsOn ?? []), ...(node?.softDependsOn ?? [])];
  return before.includes(to) || before.some((id) => reaches(graph, id, to));
}

/** Something happens to one that is under way. */
function change(schedule: Schedule, model: Model, choice: number): void {
  const id = [...model.underWay][choice % model.underWay.size] ?? '';
  const what = (choice >> 4) % 6;
  if (model.paused.has(id)) {
    model.paused.delete(id);
    schedule.goOn();
  } else if (what === 0) {
    model.paused.add(id);
    schedule.pause();
  } else if (what === 1) {
    model.underWay.delete(id);
    schedule.putBack(id);
  } else schedule.finish(id, model.end(id));
}

/** From the state in which the model is, to the end. */
function run(model: Model, of: Case): void {
  const { ended, underWay } = model;
  const schedule = new Schedule(of.graph, { ...of, ended: new Map(ended), underWay: [...underWay] });
  for (let turn = 0; turn < 400; turn += 1) {
    // Now and then several things happen before the schedule is asked again.
    if (turn >= of.choices.length || (of.choices[turn] ?? 0) % 4 > 0) takeAll(schedule, model, of);
    expect(schedule.idle).toBe(model.underWay.size === 0);
    // Put back for ever, nothing would end: after the drawn choices all goes its way.
    if (model.underWay.size > 0) change(schedule, model, of.choices[turn] ?? 2 << 4);
    else if (turn >= of.choices.length) break;
  }
  expect([...model.underWay]).toEqual([]);
  const left = of.graph.map(({ id }) => id).filter((id) => !model.endOf(id));
  expect(left, 'what has not ended').toEqual([]);
}

test('each operation begins once, when its turn has come, within all limits, and nothing that could begin is left', {
  timeout: 60_000,
}, () => {
  fc.assert(
    fc.property(cases, (of) => run(new Model(of), of)),
    { numRuns: runs },
  );
});

test('so it is from wherever another workflow left the batch', { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(cases, fc.array(fc.nat(), { maxLength: 30 }), (of, before) => {
      const model = new Model(of);
      for (const choice of before) model.stepBefore(choice);
      run(model, of);
    }),
    { numRuns: runs },
  );
});

test('nothing is taken back before all that waited for it and was done has been', { timeout: 60_000 }, () => {
  fc.assert(
    fc.property(cases, fc.array(fc.boolean(), { minLength: 28, maxLength: 28 }), ({ graph, choices }, drawn) => {
      const rest = new Map<string, Outcome>(graph.filter((_, at) => drawn[at]).map(({ id }) => [id, 'done']));
      const toDo = new Set(graph.map(({ id }) => id).filter((id) => !rest.has(id)));
      const ready = new ReadySet(dependantsFirst(graph), rest);
      const underWay: string[] = [];
      for (let turn = 0; toDo.size > 0; turn += 1) {
        for (let id = ready.take(); id !== undefined; id = ready.take()) {
          expect([...toDo].filter((other) => reaches(graph, other, id ?? ''))).toEqual([]);
          underWay.push(id);
        }
        const [ended] = underWay.splice((choices[turn] ?? 0) % underWay.length, 1);
        expect(ended && toDo.delete(ended), 'something is under way until all is taken back').toBe(true);
        ready.finish(ended ?? '');
      }
      expect(ready.take()).toBeUndefined();
    }),
    { numRuns: runs },
  );
});

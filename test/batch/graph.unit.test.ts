import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { seeded } from '../../bench/seeded.ts';
import {
  dependantsFirst,
  findCycles,
  type Graph,
  type Outcome,
  ReadySet,
  topologicalOrder,
} from '../../src/batch/graph.ts';

const graph = (edges: Record<string, string[]>): Graph =>
  Object.entries(edges).map(([id, dependsOn]) => ({ id, dependsOn }));

/** Each depends on some before it in an order that is not the file's. */
function randomGraph(random: () => number): Graph {
  const order = Array.from({ length: 1 + Math.floor(random() * 40) }, (_, index) => `n${index}`);
  const nodes = order.map((id, index) => ({
    id,
    dependsOn: order.slice(0, index).filter(() => random() < 0.15),
    sort: random(),
  }));
  return nodes.toSorted((one, other) => one.sort - other.sort).map(({ id, dependsOn }) => ({ id, dependsOn }));
}

const asDone = (ids: Iterable<string>): ReadonlyMap<string, Outcome> => new Map([...ids].map((id) => [id, 'done']));

const takeAll = (ready: ReadySet): string[] => {
  const taken: string[] = [];
  for (let id = ready.take(); id !== undefined; id = ready.take()) taken.push(id);
  return taken;
};

/** All that an operation depends on, however far. */
function allBefore(nodes: Graph, id: string): Set<string> {
  const before = new Set<string>();
  const look = (id: string): void => {
    for (const dependency of nodes.find((node) => node.id === id)?.dependsOn ?? []) {
      if (!before.has(dependency)) look(dependency);
      before.add(dependency);
    }
  };
  look(id);
  return before;
}

const seeds = Array.from({ length: 100 }, (_, seed) => seed + 1);

test('whatever finishes when, each operation is given once, and not before all that it depends on', () => {
  for (const seed of seeds) {
    const random = seeded(seed);
    const nodes = randomGraph(random);
    const ready = new ReadySet(nodes);
    const finished = new Set<string>();
    const given: string[] = [];
    let running: string[] = [];
    do {
      const now = takeAll(ready);
      for (const id of now) expect([...allBefore(nodes, id)].filter((before) => !finished.has(before))).toEqual([]);
      given.push(...now);
      running = [...running, ...now].toSorted(() => random() - 0.5);
      const next = running.pop();
      if (next !== undefined) {
        finished.add(next);
        ready.finish(next);
        // Nothing that could run is kept back.
        const free = nodes.filter(
          ({ id, dependsOn }) => !given.includes(id) && dependsOn.every((before) => finished.has(before)),
        );
        const after = takeAll(ready);
        expect(new Set(after)).toEqual(new Set(free.map(({ id }) => id)));
        given.push(...after);
        running.push(...after);
      }
    } while (running.length > 0);
    expect(given.toSorted()).toEqual(nodes.map(({ id }) => id).toSorted());
  }
});

test('what was done before is not given again, and what is left comes in the same order', () => {
  for (const seed of seeds) {
    const random = seeded(seed);
    const nodes = randomGraph(random);
    const order = topologicalOrder(nodes);
    const done = new Set(order.slice(0, Math.floor(random() * order.length)));
    const ready = new ReadySet(nodes, asDone(done));
    const given: string[] = [];
    for (let id = ready.take(); id !== undefined; id = ready.take()) {
      given.push(id);
      ready.finish(id);
    }
    expect(given.toSorted()).toEqual(order.filter((id) => !done.has(id)).toSorted());
    expect(new Set(given).size).toBe(given.length);
  }
});

test('operations that become ready together come in the order of the file', () => {
  const ready = new ReadySet(graph({ d: ['a'], c: ['b'], b: [], a: [], e: ['a'] }));
  expect(takeAll(ready)).toEqual(['b', 'a']);
  ready.finish('a');
  ready.finish('b');
  expect(takeAll(ready)).toEqual(['d', 'e', 'c']);
});

test('a dependency named twice or outside the graph keeps nothing waiting', () => {
  const ready = new ReadySet(graph({ a: ['gone'], b: ['a', 'a'] }));
  expect(takeAll(ready)).toEqual(['a']);
  ready.finish('a');
  expect(takeAll(ready)).toEqual(['b']);
});

test('an order has each after all that it depends on, and leaves out what waits for a cycle', () => {
  for (const seed of seeds) {
    const nodes = randomGraph(seeded(seed));
    const order = topologicalOrder(nodes);
    expect(order.length).toBe(nodes.length);
    for (const { id, dependsOn } of nodes) {
      for (const before of dependsOn) expect(order.indexOf(before)).toBeLessThan(order.indexOf(id));
    }
  }
  expect(topologicalOrder(graph({ a: ['b'], b: ['a'], c: ['a'], d: [] }))).toEqual(['d']);
});

test('a rollback takes dependants first, also across what was unchanged and is not taken back', () => {
  const nodes = graph({ net: [], db: ['net'], web: ['db'], log: [] });
  expect(dependantsFirst(nodes)).toEqual([
    { id: 'log', dependsOn: [] },
    { id: 'web', dependsOn: [] },
    { id: 'db', dependsOn: ['web'] },
    { id: 'net', dependsOn: ['db'] },
  ]);
  const ready = new ReadySet(dependantsFirst(nodes), asDone(['db', 'log']));
  expect(takeAll(ready)).toEqual(['web']);
  ready.finish('web');
  expect(takeAll(ready)).toEqual(['net']);
});

test('cycles are found where there are any, share nothing, and follow dependencies', () => {
  for (const seed of seeds) {
    const random = seeded(seed);
    const sound = randomGraph(random);
    expect(findCycles(sound)).toEqual([]);
    const ids = sound.map(({ id }) => id);
    const nodes = sound.map(({ id, dependsOn }) => ({
      id,
      dependsOn: [...dependsOn, ...ids.filter(() => random() < 0.05)],
    }));
    const cycles = findCycles(nodes);
    expect(cycles.length > 0).toBe(topologicalOrder(nodes).length < nodes.length);
    expect(new Set(cycles.flat()).size).toBe(cycles.flat().length);
    for (const cycle of cycles) {
      for (const [index, id] of cycle.entries()) {
        expect(nodes.find((node) => node.id === id)?.dependsOn).toContain(cycle[(index + 1) % cycle.length]);
      }
      expect(ids.indexOf(cycle[0] ?? '')).toBe(Math.min(...cycle.map((id) => ids.indexOf(id))));
    }
    // What is left when the cycles' operations are taken out has none.
    const others = nodes.filter(({ id }) => !cycles.flat().includes(id));
    expect(topologicalOrder(others).length).toBe(others.length);
  }
});

test('an operation that depends on itself is a cycle of one', () => {
  expect(findCycles(graph({ a: ['a'], b: ['a'] }))).toEqual([['a']]);
});

test('workflows may load the graph: it imports nothing', () => {
  expect(readFileSync('src/batch/graph.ts', 'utf8')).not.toMatch(/^import|\bimport\(|\brequire\(/m);
});

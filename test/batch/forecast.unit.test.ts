import { expect, test } from 'vitest';
import { criticalPathOf, levelsOf, simulate, waitingGraph } from '../../src/batch/forecast.ts';

interface Options {
  readonly soft?: readonly string[];
  readonly needsSlot?: boolean;
}
const operation = (id: string, seconds: number, dependsOn: readonly string[] = [], options: Options = {}) => ({
  id,
  seconds,
  dependsOn,
  softDependsOn: options.soft ?? [],
  needsSlot: options.needsSlot ?? true,
});

const levels = (operations: ReturnType<typeof operation>[], idle: readonly string[] = []) =>
  Object.fromEntries(
    levelsOf(waitingGraph(operations), new Set(operations.map(({ id }) => id).filter((id) => !idle.includes(id)))),
  );

test('an operation is in the wave after the last of what it waits for, softly or not', () => {
  const operations = [
    operation('net', 1),
    operation('disk', 1),
    operation('db', 1, ['net', 'disk']),
    operation('web', 1, ['net'], { soft: ['db'] }),
  ];
  expect(levels(operations)).toEqual({ net: 1, disk: 1, db: 2, web: 3 });
});

test('what has nothing to do is in no wave, and passes the waves before it on', () => {
  const chain = [operation('a', 1), operation('b', 0, ['a']), operation('c', 1, ['b'])];
  expect(levels(chain, ['b'])).toEqual({ a: 1, c: 2 });
  expect(levels(chain, ['a', 'b'])).toEqual({ c: 1 });
});

test('the critical path is the chain that takes longest, not the one of most operations', () => {
  const operations = [
    operation('quick', 1),
    operation('quicker', 1, ['quick']),
    operation('slow', 10),
    operation('last', 2, ['quicker', 'slow']),
    operation('aside', 11),
  ];
  expect(criticalPathOf(operations)).toEqual({ operations: ['slow', 'last'], seconds: 12 });
  expect(criticalPathOf([])).toEqual({ operations: [], seconds: 0 });
});

test('with a slot for each, a run takes as long as its critical path; with fewer, what is ready waits', () => {
  const operations = Array.from({ length: 6 }, (_, at) => operation(`op-${at}`, 10));
  expect(simulate(operations, 6).seconds).toBe(10);
  expect(simulate(operations, 4).seconds).toBe(20);
  expect(simulate(operations, 1).seconds).toBe(60);
  expect([...simulate(operations, 4).begins.values()]).toEqual([0, 0, 0, 0, 10, 10]);
});

test('a slot that is free goes to whatever was ready first', () => {
  const operations = [
    operation('long', 10),
    operation('short', 1),
    operation('next', 5),
    operation('after', 1, ['short']),
  ];
  const { begins, ends, seconds } = simulate(operations, 2);
  expect(Object.fromEntries(begins)).toEqual({ long: 0, short: 0, next: 1, after: 6 });
  expect(ends.get('after')).toBe(7);
  expect(seconds).toBe(10);
});

test('a wait takes no slot', () => {
  const operations = [
    operation('approval', 100, [], { needsSlot: false }),
    operation('one', 10),
    operation('two', 10, ['one']),
  ];
  expect(simulate(operations, 1)).toMatchObject({ seconds: 100 });
  expect(simulate(operations, 1).ends.get('two')).toBe(20);
});

test('ten thousand operations, in a row or all at once, are forecast in no time', () => {
  const chain = Array.from({ length: 10_000 }, (_, at) => operation(`op-${at}`, 1, at > 0 ? [`op-${at - 1}`] : []));
  const crowd = Array.from({ length: 10_000 }, (_, at) => operation(`op-${at}`, (at % 7) + 1));
  const before = performance.now();
  expect(simulate(chain, 100).seconds).toBe(10_000);
  expect(criticalPathOf(chain).seconds).toBe(10_000);
  const work = crowd.reduce((sum, { seconds }) => sum + seconds, 0);
  const { seconds } = simulate(crowd, 100);
  expect(seconds).toBeGreaterThanOrEqual(work / 100);
  expect(seconds).toBeLessThan(work / 100 + 7);
  expect(performance.now() - before).toBeLessThan(2000);
});

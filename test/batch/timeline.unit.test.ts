import { expect, test } from 'vitest';
import { ganttOf } from '../../src/batch/gantt.ts';
import { graphOf } from '../../src/batch/graph-picture.ts';
import { timelineOf, type Went } from '../../src/batch/timeline.ts';

const at = (second: number): string => new Date(Date.UTC(2026, 10, 23, 12) + second * 1000).toISOString();
const went = (
  id: string,
  from: number | null,
  to: number | null,
  dependsOn: readonly string[] = [],
  changes: Partial<Went> = {},
): Went => ({
  id,
  type: 'vm.create',
  region: 'tpe-1',
  state: to === null ? 'RUNNING' : 'SUCCEEDED',
  dependsOn: [...dependsOn],
  startedAt: from === null ? null : at(from),
  endedAt: to === null ? null : at(to),
  attempts: 1,
  rollback: null,
  ...changes,
});
const head = (end: number) => ({
  id: '019ab3c5-0000-7000-8000-000000000000',
  name: 'web-shop',
  state: 'SUCCEEDED' as const,
  rollback: 'none' as const,
  createdAt: at(0),
  startedAt: at(0),
  endedAt: at(end),
  at: at(end),
});
const shop = [
  went('net', 0, 4),
  went('data', 0, 10),
  went('db', 11, 30, ['net', 'data']),
  went('cache', 11, 12, ['net']),
  went('web', 34, 50, ['db', 'cache']),
  went('left-out', null, 0, ['net'], { state: 'SKIPPED' }),
];

test('the critical path goes from the last that ended back through what ended last, with what each took and waited', () => {
  const { criticalPath, operations } = timelineOf(head(50), shop);
  expect(criticalPath).toEqual([
    { id: 'data', waitedSeconds: 0, seconds: 10, share: 0.2 },
    { id: 'db', waitedSeconds: 1, seconds: 19, share: 0.4 },
    { id: 'web', waitedSeconds: 4, seconds: 16, share: 0.4 },
  ]);
  expect(operations.filter(({ critical }) => critical).map(({ id }) => id)).toEqual(['data', 'db', 'web']);
  expect(operations.find(({ id }) => id === 'cache')).toMatchObject({ waitedSeconds: 7, seconds: 1 });
});

test('operations of one lane never overlap, and there are no more lanes than were under way at once', () => {
  const { lanes, operations } = timelineOf(head(50), shop);
  expect(lanes).toBe(2);
  expect(operations.map(({ lane }) => lane)).toEqual([0, 1, 0, 1, 0, null]);
  let seed = 7;
  const random = (): number => {
    seed = (seed * 16_807) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  const many = Array.from({ length: 500 }, (_, index) => {
    const from = random() * 100;
    return went(`o${index}`, from, from + random() * 10);
  });
  const spread = timelineOf(head(110), many);
  const byLane = Map.groupBy(spread.operations, ({ lane }) => lane);
  for (const lane of byLane.values()) {
    const sorted = lane.toSorted((a, b) => String(a.startedAt).localeCompare(String(b.startedAt)));
    for (const [index, one] of sorted.entries())
      expect(String(sorted[index + 1]?.startedAt ?? '~') >= String(one.endedAt)).toBe(true);
  }
  const underWay = many.map(
    ({ startedAt }) =>
      many.filter((o) => String(o.startedAt) <= String(startedAt) && String(o.endedAt) > String(startedAt)).length,
  );
  expect(spread.lanes).toBe(Math.max(...underWay));
});

test('what goes on lasts until it is looked at', () => {
  const { operations, criticalPath } = timelineOf({ ...head(0), endedAt: null, at: at(9) }, [went('a', 1, null)]);
  expect(operations[0]).toMatchObject({ seconds: 8, endedAt: null });
  expect(criticalPath).toEqual([{ id: 'a', waitedSeconds: 1, seconds: 8, share: 1 }]);
});

test('the picture has each operation, its critical path, a title and a description, in light and in dark', () => {
  const svg = ganttOf(timelineOf(head(50), shop));
  for (const id of ['net', 'data', 'db', 'cache', 'web', 'left-out']) expect(svg).toContain(`>${id}</text>`);
  expect(svg).toContain('role="img" aria-labelledby="title description"');
  expect(svg).toContain('<title id="title">web-shop: SUCCEEDED in 50s</title>');
  expect(svg).toMatch(/<desc id="description">6 operations: 5 succeeded, 1 skipped; at most 2 at once\./);
  expect(svg).toContain('Critical path: data 10s → db 19s → web 16s');
  expect(svg).toContain('prefers-color-scheme:dark');
  expect(svg.match(/class="good critical"/g)).toHaveLength(3);
});

test('a rollback is shown after what it takes back', () => {
  const back = went('db', 0, 10, [], { state: 'ROLLED_BACK', rollback: { startedAt: at(20), endedAt: at(25) } });
  expect(ganttOf(timelineOf(head(30), [back]))).toMatch(/<rect class="back"[^>]*width="123\.3"/);
});

test('no text of others can run, or leave its place', () => {
  const evil = '"><script>alert(1)</script>&\u0000';
  const svg = ganttOf(timelineOf({ ...head(5), name: evil }, [went(evil, 0, 5), went('b', 5, null, [evil])]));
  expect(svg).not.toMatch(/<script|javascript:|href/);
  expect(svg).not.toContain('\u0000');
  expect(svg).toContain('&quot;&gt;&lt;script&gt;');
});

test('of ten thousand operations the critical path and the longest are shown, the others counted and in a curve', () => {
  const many = Array.from({ length: 10_000 }, (_, index) => {
    const from = Math.floor(index / 100) * 10;
    return went(`o${index}`, from, from + 5 + (index % 7), index < 100 ? [] : [`o${index - 100}`]);
  });
  const svg = ganttOf(timelineOf(head(1000), many));
  expect(svg.match(/text-anchor="end">o\d+</g)).toHaveLength(40);
  expect(svg).toContain('9,960 more operations only in the curve above');
  expect(svg.length).toBeLessThan(60_000);
});

test('the graph has each operation to the right of all that it depends on, and the critical path marked', () => {
  const svg = graphOf(timelineOf(head(50), shop));
  const placeOf = (id: string): number => Number(new RegExp(`<text x="([\\d.]+)"[^>]*>${id}</text>`).exec(svg)?.[1]);
  expect(placeOf('net')).toBe(placeOf('data'));
  expect(placeOf('db')).toBeGreaterThan(placeOf('net'));
  expect(placeOf('web')).toBeGreaterThan(placeOf('db'));
  expect(svg.match(/<path class="path"/g)).toHaveLength(2);
  expect(svg.match(/<path class="axis edge"/g)).toHaveLength(4);
  expect(svg).toContain('6 operations in 3 layers');
});

test('a layer of very many operations is one box, and what depends on it one line', () => {
  const many = Array.from({ length: 10_000 }, (_, index) => went(`o${index}`, 0, 5));
  const join = went(
    'join',
    5,
    6,
    many.map(({ id }) => id),
  );
  const svg = graphOf(timelineOf(head(6), [...many, join]));
  expect(svg).toContain('>10,000 operations</text>');
  expect(svg.match(/<path /g)).toHaveLength(1);
  expect(svg.length).toBeLessThan(5000);
});

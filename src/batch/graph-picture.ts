import type { Span, Timeline } from '../domain/batch-timeline.ts';
import { colourOf } from './gantt.ts';
import { topologicalOrder } from './graph.ts';
import { element, escaped, picture, shortened, text } from './svg.ts';

/** A level of more operations than this is one box, with their states as shares of it. */
const levelAtMost = 30;
const [boxWidth, boxHeight, gapX, gapY, margin, top] = [190, 30, 60, 12, 20, 84];

/** An operation, or all of a level. */
interface Box {
  readonly label: string;
  readonly tip: string;
  readonly spans: readonly Span[];
  readonly level: number;
  row: number;
}

/** A batch's operations by what they depend on, in their states: layers from left to right, one SVG that needs nothing else. */
export function graphOf(timeline: Timeline): string {
  const { operations } = timeline;
  const boxes = boxesOf(operations);
  const own = new Map(boxes.flatMap((box) => box.spans.map(({ id }) => [id, box] as const)));
  arrange(boxes, own);
  const columns = boxes.reduce((most, { level }) => Math.max(most, level + 1), 1);
  const rows = boxes.reduce((most, { row }) => Math.max(most, row + 1), 1);
  const title = `${timeline.name}: ${timeline.state}`;
  const summary = `${operations.length.toLocaleString('en')} operations in ${columns} ${columns === 1 ? 'layer' : 'layers'}, each to the right of all that it depends on`;
  return picture(
    {
      width: Math.max(640, margin * 2 + columns * (boxWidth + gapX) - gapX),
      height: top + rows * (boxHeight + gapY) + margin,
      title,
      description: `${summary}.`,
    },
    text(margin, 30, title, 'title'),
    text(margin, 50, `${summary}; the critical path is marked`, 'dim'),
    element('g', { 'aria-hidden': 'true' }, ...edges(operations, own)),
    ...boxes.map(drawn),
  );
}

/** One for each operation; for each level of too many, one in all. */
function boxesOf(operations: readonly Span[]): Box[] {
  const byId = new Map(operations.map((span) => [span.id, span]));
  const levels = new Map<string, number>();
  for (const id of topologicalOrder(operations)) {
    const before = byId.get(id)?.dependsOn.map((dependency) => levels.get(dependency) ?? -1) ?? [];
    levels.set(id, before.reduce((most, level) => Math.max(most, level), -1) + 1);
  }
  return [...Map.groupBy(operations, ({ id }) => levels.get(id) ?? 0)].flatMap(([level, spans]): Box[] => {
    if (spans.length <= levelAtMost)
      return spans.map((span) => ({
        label: span.id,
        tip: `${span.id} (${span.type}): ${span.state}`,
        spans: [span],
        level,
        row: 0,
      }));
    const counts = [...Map.groupBy(spans, ({ state }) => state)].map(([state, of]) => `${of.length} ${state}`);
    const label = `${spans.length.toLocaleString('en')} operations`;
    return [{ label, tip: `${label}: ${counts.join(', ')}`, spans, level, row: 0 }];
  });
}

/** Puts each box of a level near those that it depends on, which keeps most lines from crossing. */
function arrange(boxes: readonly Box[], own: ReadonlyMap<string, Box>): void {
  const levels = [...Map.groupBy(boxes, ({ level }) => level)].sort(([a], [b]) => a - b);
  for (const [, level] of levels) {
    const wanted = new Map(level.map((box) => [box, middleOf(box, own)]));
    level.sort((a, b) => (wanted.get(a) ?? 0) - (wanted.get(b) ?? 0));
    for (const [row, box] of level.entries()) box.row = row;
  }
}

function middleOf({ spans }: Box, own: ReadonlyMap<string, Box>): number {
  const rows = spans.flatMap(({ dependsOn }) => dependsOn.flatMap((id) => own.get(id)?.row ?? []));
  return rows.length === 0 ? 0 : rows.reduce((sum, row) => sum + row, 0) / rows.length;
}

const leftOf = ({ level }: Box): number => margin + level * (boxWidth + gapX);
const middle = ({ row }: Box): number => top + row * (boxHeight + gapY) + boxHeight / 2;

/** One line from box to box, however many dependencies it stands for. */
function edges(operations: readonly Span[], own: ReadonlyMap<string, Box>): string[] {
  const drawn = new Map<string, string>();
  for (const span of operations) {
    const to = own.get(span.id);
    for (const id of span.dependsOn) {
      const from = own.get(id);
      if (!from || !to) continue;
      const [x1, x2] = [leftOf(from) + boxWidth, leftOf(to)];
      const bend = (x2 - x1) / 2;
      const isCritical = span.critical && from.spans.some((one) => one.id === id && one.critical);
      const d = `M${x1} ${middle(from)}C${x1 + bend} ${middle(from)} ${x2 - bend} ${middle(to)} ${x2} ${middle(to)}`;
      if (isCritical || !drawn.has(d)) drawn.set(d, isCritical ? 'path' : 'axis edge');
    }
  }
  return [...drawn].map(([d, kind]) => element('path', { class: kind, d }));
}

function drawn(box: Box): string {
  const [x, y] = [leftOf(box), middle(box) - boxHeight / 2];
  const isCritical = box.spans.some(({ critical }) => critical);
  const shares = [...Map.groupBy(box.spans, ({ state }) => colourOf(state))];
  let from = x;
  const states = shares.map(([colour, spans]) => {
    const width = (spans.length / box.spans.length) * boxWidth;
    const share = element('rect', { class: colour, x: from, y: y + boxHeight - 6, width, height: 6 });
    from += width;
    return share;
  });
  return element(
    'g',
    {},
    element('title', {}, escaped(box.tip)),
    element('rect', {
      class: `paper axis${isCritical ? ' critical' : ''}`,
      x,
      y,
      width: boxWidth,
      height: boxHeight,
      rx: 3,
    }),
    ...states,
    text(x + 8, y + 17, shortened(box.label, 26), isCritical ? 'strong' : ''),
  );
}

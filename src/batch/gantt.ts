import type { Span, Timeline } from '../domain/batch-timeline.ts';
import { duration } from '../duration.ts';
import { element, escaped, picture, shortened, text } from './svg.ts';

/** More operations than this are shown in part, with a curve over all of them. */
const rowsAtMost = 60;
const longestShown = 40;
const criticalShown = 25;
const [width, left, right, rowHeight, labelLength] = [1080, 250, 90, 22, 36];
const curveHeight = 90;
const buckets = 240;

/** From milliseconds since the epoch to a place on the picture. */
interface Scale {
  readonly begin: number;
  readonly end: number;
  readonly x: (time: number) => number;
}

const took = (seconds: number): string =>
  seconds < 10 ? `${Math.round(seconds * 10) / 10}s` : duration(seconds * 1000);
const counted = (count: number, thing: string): string =>
  `${count.toLocaleString('en')} ${thing}${count === 1 ? '' : 's'}`;
const begun = ({ startedAt }: Span): boolean => startedAt !== null;

/** A batch's operations over time, the critical path marked: one SVG that needs nothing else. */
export function ganttOf(timeline: Timeline): string {
  const scale = scaleOf(timeline);
  const rows = rowsOf(timeline);
  const condensed = rows.length < timeline.operations.length;
  const top = 104 + (condensed ? curveHeight + 40 : 0);
  const bottom = top + rows.length * rowHeight;
  const height = bottom + 64;
  const title = `${timeline.name}: ${timeline.state}${timeline.startedAt ? ` in ${took((scale.end - scale.begin) / 1000)}` : ''}`;
  const description = describe(timeline, condensed ? rows.length : undefined);
  return picture(
    { width, height, title, description },
    text(20, 30, title, 'title'),
    text(20, 50, summaryOf(timeline), 'dim'),
    text(20, 68, shortened(pathOf(timeline), 150), 'strong'),
    ...(condensed ? [curve(timeline, scale, 100)] : []),
    axis(scale, top, bottom),
    ...rows.map((span, at) => row(span, top + at * rowHeight, scale)),
    connections(timeline, rows, top, scale),
    ...(condensed
      ? [
          text(
            20,
            bottom + 20,
            `${counted(timeline.operations.length - rows.length, 'more operation')} only in the curve above: shown are the critical path and the longest.`,
            'dim',
          ),
        ]
      : []),
    legend(height - 18),
  );
}

function scaleOf({ startedAt, createdAt, operations, at, endedAt }: Timeline): Scale {
  const begin = Date.parse(startedAt ?? createdAt);
  const ends = operations.flatMap((span) => [
    endOf(span),
    span.rollback?.endedAt ? Date.parse(span.rollback.endedAt) : 0,
  ]);
  const last = ends.reduce((most, end) => Math.max(most, end), 0);
  const end = Math.max(Date.parse(endedAt ?? at), last, begin + 1);
  return { begin, end, x: (time) => left + ((time - begin) / (end - begin)) * (width - left - right) };
}

const beginOf = ({ startedAt }: Span): number => (startedAt === null ? 0 : Date.parse(startedAt));
const endOf = (span: Span): number => beginOf(span) + (span.seconds ?? 0) * 1000;

/** All, in the order in which they began; of very many the critical path and the longest. */
function rowsOf({ operations }: Timeline): readonly Span[] {
  const order = (a: Span, b: Span): number => beginOf(a) - beginOf(b) || endOf(a) - endOf(b);
  const idle = operations.filter((span) => !begun(span));
  if (operations.length <= rowsAtMost) return [...operations.filter(begun).sort(order), ...idle];
  const longest = operations.filter(begun).sort((a, b) => (b.seconds ?? 0) - (a.seconds ?? 0));
  const critical = longest.filter((span) => span.critical).slice(0, criticalShown);
  const others = longest.filter((span) => !span.critical).slice(0, longestShown - critical.length);
  return [...critical, ...others].sort(order);
}

function summaryOf({ operations, lanes, rollback }: Timeline): string {
  const counts = new Map<string, number>();
  for (const { state } of operations) counts.set(state, (counts.get(state) ?? 0) + 1);
  const states = [...counts].map(
    ([state, count]) => `${count.toLocaleString('en')} ${state.toLowerCase().replaceAll('_', ' ')}`,
  );
  const undone = rollback === 'none' ? '' : `, rollback ${rollback}`;
  return `${counted(operations.length, 'operation')}: ${states.join(', ')}; at most ${lanes.toLocaleString('en')} at once${undone}`;
}

function pathOf({ criticalPath }: Timeline): string {
  if (criticalPath.length === 0) return '';
  const shown =
    criticalPath.length <= 6 ? criticalPath : [...criticalPath.slice(0, 3), undefined, ...criticalPath.slice(-2)];
  return `Critical path: ${shown.map((step) => (step ? `${step.id} ${took(step.seconds)}` : `… ${criticalPath.length - 5} more …`)).join(' → ')}`;
}

function describe(timeline: Timeline, shown: number | undefined): string {
  const part =
    shown === undefined
      ? 'Each operation is a row'
      : `${shown} operations are a row each, all are in a curve of how many were under way`;
  return `${summaryOf(timeline)}. ${part}, from its begin to its end, over time. ${pathOf(timeline)}.`;
}

/** The step of the axis: 1, 2 or 5 of its unit, and at most ten of them. */
function stepOf(seconds: number): number {
  const steps = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400];
  return steps.find((step) => seconds / step <= 10) ?? Math.ceil(seconds / 864_000) * 86_400;
}

function axis({ begin, end, x }: Scale, top: number, bottom: number): string {
  const whole = (end - begin) / 1000;
  const step = stepOf(whole);
  const ticks = Array.from({ length: Math.floor(whole / step) + 1 }, (_, index) => index * step);
  return element(
    'g',
    {},
    ...ticks.flatMap((seconds) => {
      const at = x(begin + seconds * 1000);
      return [
        element('line', { class: 'axis', x1: at, x2: at, y1: top - 4, y2: bottom }),
        text(at, top - 8, took(seconds), 'dim', { 'text-anchor': 'middle' }),
      ];
    }),
  );
}

/** The class of colour that a state has. */
export function colourOf(state: Span['state']): string {
  switch (state) {
    case 'SUCCEEDED':
    case 'UNCHANGED':
      return 'good';
    case 'RUNNING':
    case 'WAITING':
      return 'going';
    case 'FAILED':
    case 'CANCELED':
    case 'ROLLBACK_FAILED':
      return 'bad';
    case 'ROLLING_BACK':
    case 'ROLLED_BACK':
      return 'good';
    case 'PENDING':
    case 'SKIPPED':
      return 'rest';
  }
}

function row(span: Span, y: number, { x, end }: Scale): string {
  const label = text(left - 12, y + 15, shortened(span.id, labelLength), span.critical ? 'strong' : '', {
    'text-anchor': 'end',
  });
  const tip = element('title', {}, escaped(tipOf(span)));
  if (!begun(span)) return element('g', {}, tip, label, text(left, y + 15, span.state, 'dim'));
  const [from, to] = [beginOf(span), endOf(span)];
  const waitedFrom = from - (span.waitedSeconds ?? 0) * 1000;
  const bar = (begin: number, until: number, kind: string): string =>
    element('rect', {
      class: kind,
      x: x(begin),
      y: y + 4,
      width: Math.max(2, x(until) - x(begin)),
      height: rowHeight - 8,
      rx: 2,
    });
  const back = span.rollback;
  const backEnd = back?.endedAt ? Date.parse(back.endedAt) : end;
  const last = back ? backEnd : to;
  return element(
    'g',
    {},
    tip,
    label,
    element('line', { class: 'wait', x1: x(waitedFrom), x2: x(from), y1: y + rowHeight / 2, y2: y + rowHeight / 2 }),
    bar(from, to, `${colourOf(span.state)}${span.critical ? ' critical' : ''}`),
    ...(back ? [bar(Date.parse(back.startedAt), backEnd, 'back')] : []),
    text(
      x(last) + 6,
      y + 15,
      `${took(span.seconds ?? 0)}${span.attempts > 1 ? ` (${span.attempts} tries)` : ''}`,
      'dim',
    ),
  );
}

function tipOf({ id, type, state, seconds, waitedSeconds, attempts, rollback }: Span): string {
  const parts = [`${id} (${type}): ${state}`];
  if (seconds !== null) parts.push(`took ${took(seconds)}`, `waited ${took(waitedSeconds ?? 0)}`);
  if (attempts > 1) parts.push(`${attempts} tries`);
  if (rollback) parts.push(`taken back from ${rollback.startedAt} to ${rollback.endedAt ?? 'now'}`);
  return parts.join(', ');
}

/** Lines from each operation of the critical path to the next, where both are shown. */
function connections({ criticalPath }: Timeline, rows: readonly Span[], top: number, { x }: Scale): string {
  const places = new Map(rows.map((span, at) => [span.id, { span, y: top + at * rowHeight + rowHeight / 2 }]));
  return element(
    'g',
    { 'aria-hidden': 'true' },
    ...criticalPath.slice(1).flatMap((step, at) => {
      const [one, next] = [places.get(criticalPath[at]?.id ?? ''), places.get(step.id)];
      if (!one || !next) return [];
      const turn = x(endOf(one.span));
      return [
        element('path', {
          class: 'path',
          d: `M${turn.toFixed(1)} ${one.y}V${next.y}H${x(beginOf(next.span)).toFixed(1)}`,
        }),
      ];
    }),
  );
}

/** How many operations were under way, and being taken back, at each moment. */
function curve({ operations }: Timeline, scale: Scale, top: number): string {
  const forth = new Float64Array(buckets + 1);
  const back = new Float64Array(buckets + 1);
  const bucketOf = (time: number): number =>
    Math.min(buckets - 1, Math.max(0, Math.floor(((time - scale.begin) / (scale.end - scale.begin)) * buckets)));
  const add = (counts: Float64Array, from: number, to: number): void => {
    for (let at = bucketOf(from); at <= bucketOf(to); at += 1) {
      const begin = scale.begin + (at / buckets) * (scale.end - scale.begin);
      const length = (scale.end - scale.begin) / buckets;
      counts[at] = (counts[at] ?? 0) + Math.max(0, Math.min(to, begin + length) - Math.max(from, begin)) / length;
    }
  };
  for (const span of operations) {
    if (begun(span)) add(forth, beginOf(span), endOf(span));
    if (span.rollback)
      add(
        back,
        Date.parse(span.rollback.startedAt),
        span.rollback.endedAt ? Date.parse(span.rollback.endedAt) : scale.end,
      );
  }
  const most = Math.max(1, ...forth, ...back);
  const base = top + curveHeight;
  const area = (counts: Float64Array, kind: string): string => {
    const step = (width - left - right) / buckets;
    const points = [...counts.slice(0, buckets)].map((count, at) => {
      const y = (base - (count / most) * (curveHeight - 10)).toFixed(1);
      return `L${(left + at * step).toFixed(1)} ${y}H${(left + (at + 1) * step).toFixed(1)}`;
    });
    return element('path', { class: kind, 'fill-opacity': '0.7', d: `M${left} ${base}${points.join('')}V${base}Z` });
  };
  return element(
    'g',
    {},
    element(
      'title',
      {},
      escaped(`How many operations were under way at each moment: at most about ${Math.round(most)}.`),
    ),
    text(left - 12, top + 16, `${Math.round(most).toLocaleString('en')} under way`, 'dim', { 'text-anchor': 'end' }),
    text(left - 12, base, '0', 'dim', { 'text-anchor': 'end' }),
    area(forth, 'going'),
    area(back, 'back'),
    element('line', { class: 'axis', x1: left, x2: width - right, y1: base, y2: base }),
  );
}

function legend(y: number): string {
  const kinds = [
    ['good', 'done'],
    ['going', 'under way'],
    ['bad', 'failed'],
    ['back', 'taken back'],
    ['rest critical', 'on the critical path'],
  ] as const;
  return element(
    'g',
    {},
    ...kinds.flatMap(([kind, name], at) => [
      element('rect', { class: kind, x: left + at * 130, y: y - 10, width: 12, height: 12, rx: 2 }),
      text(left + at * 130 + 18, y, name, 'dim'),
    ]),
    element('line', { class: 'wait', x1: left + 690, x2: left + 720, y1: y - 4, y2: y - 4 }),
    text(left + 726, y, 'waited', 'dim'),
  );
}

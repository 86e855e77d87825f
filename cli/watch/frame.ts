import { cut, duration, oneLine, pad, took, widthOf } from '../text.ts';
import { activeStates, type Progress, type ProgressLine } from './progress.ts';

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

const widestBar = 40;

/** What a terminal of this size shows of the progress at this moment: never more lines than it has, none wider than it is. */
export function frame(progress: Progress, now: number, { columns, rows }: Size): string[] {
  const room = Math.max(1, rows - 1);
  const head = progress.unit === 'step' ? [stepsHead(progress, now)] : jobsHead(progress, now, columns);
  const lines = shown(progress);
  const space = Math.max(0, room - head.length);
  const fitting = lines.length <= space ? lines : lines.slice(0, Math.max(0, space - 1));
  const more = lines.length > fitting.length && space > 0 ? [`  … and ${lines.length - fitting.length} more`] : [];
  return [...head, ...body(fitting, now), ...more].slice(0, room).map((line) => cut(line, Math.max(1, columns - 1)));
}

function stepsHead({ title, state, startedAt, endedAt }: Progress, now: number): string {
  return `${title}  ${state}  ${took(startedAt, endedAt, now)}`;
}

function jobsHead(progress: Progress, now: number, columns: number): string[] {
  const { title, state, startedAt, endedAt } = progress;
  const lines = [...progress.lines.values()];
  const done = lines.filter((line) => line.state === 'SUCCEEDED').length;
  const counts = countsOf(lines);
  const head = headWithBar({ title, done, total: lines.length, state, took: took(startedAt, endedAt, now) }, columns);
  return [head, ...(counts === '' ? [] : [`  ${counts}`])];
}

/** `batch.apply web  ████░░░░  2/5  RUNNING  1m02s`, the bar as wide as there is room for it. */
export function headWithBar(
  {
    title,
    done,
    total,
    state,
    took,
  }: Readonly<Record<'title' | 'state' | 'took', string> & Record<'done' | 'total', number>>,
  columns: number,
): string {
  const count = `${thousands(done)}/${thousands(total)}  ${state}  ${took}`;
  const width = Math.min(widestBar, columns - widthOf(title) - count.length - 8);
  const bar = width < 5 ? '' : `${barOf(done / Math.max(total, 1), width)}  `;
  return `${title}  ${bar}${count}`;
}

export const thousands = (count: number): string => count.toLocaleString('en');

function barOf(part: number, width: number): string {
  const full = Math.floor(part * width);
  return `${'█'.repeat(full)}${'░'.repeat(width - full)}`;
}

/** How many are in each state but the one that the bar shows: `2 retrying, 8 running, 1 failed, 369 pending`. */
function countsOf(lines: readonly ProgressLine[]): string {
  const counts = new Map(activeStates.map((state) => [state, 0]));
  for (const { state } of lines) counts.set(state, (counts.get(state) ?? 0) + 1);
  return [...counts]
    .filter(([state, count]) => count > 0 && state !== 'SUCCEEDED')
    .map(([state, count]) => `${count} ${inWords(state)}`)
    .join(', ');
}

export const inWords = (state: string): string => state.toLowerCase().replaceAll('_', ' ');

/** All steps of a job; of several jobs those under way, what needs attention first. */
function shown({ unit, lines }: Progress): ProgressLine[] {
  if (unit === 'step') return [...lines.values()];
  const active = new Map(activeStates.map((state) => [state, [] as ProgressLine[]]));
  for (const line of lines.values()) active.get(line.state)?.push(line);
  return [...active.values()].flat();
}

const body = (lines: readonly ProgressLine[], now: number): string[] =>
  aligned(
    lines.map((line) => {
      const { name, type, state, step, startedAt, endedAt } = line;
      return [name, type, state, took(startedAt, endedAt, now), type === '' ? '' : (step ?? ''), tries(line, now)];
    }),
  );

/** Cells under each other, a column left out where nothing is in it. */
export function aligned(cells: readonly (readonly string[])[]): string[] {
  const widths = (cells[0] ?? []).map((_, at) =>
    cells.reduce((most, row) => Math.max(most, widthOf(row[at] ?? '')), 0),
  );
  return cells.map((row) =>
    `  ${row.flatMap((cell, at) => (widths[at] ? [pad(cell, widths[at])] : [])).join('  ')}`.trimEnd(),
  );
}

/** `attempt 3, next try in 4s: No answer.` */
export function tries(
  { attempts, nextAttemptAt, error }: Pick<ProgressLine, 'attempts' | 'nextAttemptAt' | 'error'>,
  now: number,
): string {
  const parts = [
    ...(attempts > 1 ? [`attempt ${attempts}`] : []),
    ...(nextAttemptAt ? [`next try ${until(nextAttemptAt, now)}`] : []),
  ];
  return [parts.join(', '), error === null ? '' : oneLine(error)].filter((part) => part !== '').join(': ');
}

function until(time: string, now: number): string {
  const left = Date.parse(time) - now;
  return left < 0 ? 'now' : `in ${duration(left)}`;
}

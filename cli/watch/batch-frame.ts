import type { BatchBasic } from '../../src/domain/batch.ts';
import type { ActiveView, WaitKind } from '../../src/domain/batch-progress.ts';
import { cut, leftOf, oneLine, took } from '../text.ts';
import { aligned, headWithBar, inWords, type Size, thousands, tries } from './frame.ts';

/** What the bar shows as done. */
const doneStates = ['SUCCEEDED', 'UNCHANGED'] as const;

/**
 * What a terminal of this size shows of a batch: how far it has come, what needs somebody first, then what is under way,
 * the longest first, and what the rest waits for. Never more lines than the terminal has, none wider than it is.
 */
export function batchFrame(batch: BatchBasic, now: number, { columns, rows }: Size): string[] {
  const room = Math.max(1, rows - 1);
  const head = headOf(batch, now, columns);
  const foot = footOf(batch);
  const { held, retrying, running } = batch.progress;
  const lines = [...held, ...retrying, ...running];
  const space = Math.max(0, room - head.length - foot.length);
  const shown = lines.slice(0, space);
  const more = hidden(batch, shown.length);
  // A line is given up for saying how many there is no room for.
  const fitting = more > 0 && shown.length === space ? shown.slice(0, -1) : shown;
  const left = hidden(batch, fitting.length);
  const rest = left > 0 && space > 0 ? [`  … and ${thousands(left)} more under way`] : [];
  return [...head, ...aligned(fitting.map((one) => cells(one, now))), ...rest, ...foot]
    .slice(0, room)
    .map((line) => cut(line, Math.max(1, columns - 1)));
}

/** How many are under way that are not shown. */
function hidden({ progress }: BatchBasic, shown: number): number {
  const listed = progress.held.length + progress.retrying.length + progress.running.length;
  return Math.max(progress.underWay, listed) - shown;
}

function headOf(batch: BatchBasic, now: number, columns: number): string[] {
  const { counts, name, rollback, state, startedAt, createdAt, endedAt, progress } = batch;
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const done = doneStates.reduce((sum, one) => sum + (counts[one] ?? 0), 0);
  const shownState = rollback === 'running' && endedAt === null ? 'ROLLING_BACK' : state;
  const time = took(startedAt ?? createdAt, endedAt, now);
  const left = leftOf(progress.estimatedEndAt, now);
  const end = left ? `${time}, ${left}` : time;
  const others = [
    ...(progress.held.length > 0 ? [`${thousands(countOf(batch, 'decision', progress.held.length))} held`] : []),
    ...(progress.retrying.length > 0
      ? [`${thousands(countOf(batch, 'retry', progress.retrying.length))} retrying`]
      : []),
    ...Object.entries(counts).flatMap(([one, count]) =>
      count > 0 && one !== 'SUCCEEDED' ? [`${thousands(count)} ${inWords(one)}`] : [],
    ),
  ];
  const head = headWithBar({ title: `batch.apply ${name}`, done, total, state: shownState, took: end }, columns);
  return [head, ...(others.length === 0 ? [] : [`  ${others.join(', ')}`])];
}

const countOf = ({ progress }: BatchBasic, kind: WaitKind, least: number): number =>
  Math.max(least, progress.waiting.find((waiting) => waiting.kind === kind)?.count ?? 0);

function cells(active: ActiveView, now: number): string[] {
  const { id, type, startedAt, step, attempts, error, waitingFor } = active;
  const state = waitingFor?.kind === 'decision' ? 'HELD' : waitingFor?.kind === 'retry' ? 'RETRYING' : active.state;
  const next = waitingFor?.kind === 'retry' ? waitingFor.until : null;
  const why = waitingFor?.kind === 'region' ? `waits for ${waitingFor.reason}` : '';
  const tried = tries({ attempts, nextAttemptAt: next, error: error?.message ?? null }, now);
  return [id, type, state, took(startedAt, null, now), step ?? '', why || tried];
}

/** What each kind of wait is for; those of which the lines above say more are left out. */
const waitWords: Readonly<Partial<Record<WaitKind, string>>> = {
  approval: 'for approval',
  paused: 'because the batch is paused',
  worker: 'for a control worker',
  time: 'for a time',
  group: 'for a place in their group',
  slot: 'for a slot',
  operations: 'for operations',
  end: 'to be left out',
};
/** Of these the reason says more than the count. */
const explained: readonly WaitKind[] = ['approval', 'paused', 'group'];

/** `waiting: 8,120 for operations, 300 for a slot, 1 for approval (…)`, and what begins next. */
function footOf({ progress, endedAt }: BatchBasic): string[] {
  if (endedAt !== null) return [];
  const waits = progress.waiting.toReversed().flatMap(({ kind, count, reason }) => {
    const words = waitWords[kind];
    if (!words) return [];
    return [`${thousands(count)} ${words}${explained.includes(kind) ? ` (${oneLine(reason)})` : ''}`];
  });
  const next = progress.next.map(({ id }) => id);
  return [
    ...(waits.length === 0 ? [] : [`  waiting: ${waits.join(', ')}`]),
    ...(next.length === 0 ? [] : [`  next: ${next.join(', ')}`]),
  ];
}

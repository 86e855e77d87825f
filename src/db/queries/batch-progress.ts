import type { Sql } from 'postgres';
import { waitOfActive, waitOfPending } from '../../batch/waits.ts';
import {
  type ActiveView,
  type BatchProgress,
  listedAtMost,
  type Wait,
  type WaitKind,
  waitKinds,
} from '../../domain/batch-progress.ts';
import type { BatchMoment, IsAway } from './batch-operations.ts';
import { type ActiveRow, type PendingCounts, pendingCounts } from './batch-waits.ts';

/** How far a batch has come, and what it waits for: never more than a screenful, however large the batch. */
export async function progressOf(sql: Sql, moment: BatchMoment, isAway: IsAway): Promise<BatchProgress> {
  const { batch, active } = moment;
  const counts: PendingCounts = batch.endedAt
    ? { operations: 0, group: 0, ready: 0, next: [] }
    : await pendingCounts(sql, batch.id, moment.pressure);
  const views = active.map((row) => viewOf(row, waitOfActive(batch, row, isAway)));
  const of = (...kinds: readonly (WaitKind | undefined)[]): ActiveView[] =>
    views.filter(({ waitingFor }) => kinds.includes(waitingFor?.kind));
  return {
    held: of('decision').slice(0, listedAtMost),
    retrying: of('retry').slice(0, listedAtMost),
    running: of(undefined, 'region').slice(0, listedAtMost),
    underWay: active.filter(({ state }) => state === 'RUNNING' || state === 'ROLLING_BACK').length,
    waiting: waitingOf(moment, counts, views),
    next: counts.next,
    estimatedEndAt: null,
  };
}

const viewOf = (row: ActiveRow, waitingFor: Wait | null): ActiveView => {
  const { id, type, state, resource, jobId, step, attempts, startedAt, error } = row;
  return { id, type, state, resource, jobId, step, attempts, startedAt, error, waitingFor };
};

function waitingOf(
  { batch, pressure }: BatchMoment,
  counts: PendingCounts,
  views: readonly ActiveView[],
): BatchProgress['waiting'] {
  const waiting = new Map<WaitKind, { count: number; reason: string }>();
  const add = (wait: Wait | null, count = 1): void => {
    if (!wait || count === 0) return;
    const of = waiting.get(wait.kind);
    if (of) of.count += count;
    else waiting.set(wait.kind, { count, reason: wait.reason });
  };
  for (const { waitingFor } of views) add(waitingFor);
  const some = (unmet: number, id = ''): Wait | null =>
    waitOfPending(batch, pressure, { id, unmet, named: [], readyAt: null });
  const blocked = some(1);
  add(blocked?.kind === 'operations' ? { ...blocked, reason: 'other operations' } : blocked, counts.operations);
  add(some(0, `${pressure.fullGroups[0]?.id}/`), counts.group);
  add(some(0), counts.ready);
  return waitKinds.flatMap((kind) => {
    const of = waiting.get(kind);
    return of ? [{ kind, ...of }] : [];
  });
}

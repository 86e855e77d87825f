import type { Sql } from 'postgres';
import { simulate, waitingGraph } from '../batch/forecast.ts';
import { topologicalOrder } from '../batch/graph.ts';
import { isPaused, type OpenOperation, openOperations } from '../db/queries/batch-open.ts';
import type { BatchBasic } from '../domain/batch.ts';
import { kindOf } from '../domain/kinds.ts';
import type { Catalog } from './catalog.ts';
import { estimatesOf } from './plan/estimate.ts';

/** The same batch, with when it will have ended if all that is left takes as long as it usually does. */
export async function withEstimate<Batch extends BatchBasic>(
  sql: Sql,
  catalog: Catalog,
  batch: Batch,
  now = Date.now(),
): Promise<Batch> {
  const seconds = isForeseeable(batch) ? await secondsLeft(sql, catalog, batch, now) : undefined;
  if (seconds === undefined) return batch;
  const estimatedEndAt = new Date(now + seconds * 1000).toISOString();
  return { ...batch, progress: { ...batch.progress, estimatedEndAt } };
}

/** Nobody knows how long people take to decide, nor how long a batch is taken back. */
const isForeseeable = ({ state, rollback, endedAt, progress }: BatchBasic): boolean =>
  state === 'RUNNING' &&
  rollback === 'none' &&
  endedAt === null &&
  !progress.waiting.some(({ kind }) => ['decision', 'approval', 'region', 'end'].includes(kind));

async function secondsLeft(
  sql: Sql,
  catalog: Catalog,
  { id, parallelLimit }: BatchBasic,
  now: number,
): Promise<number | undefined> {
  const [all, paused] = await Promise.all([openOperations(sql, id), isPaused(sql, id)]);
  if (paused) return undefined;
  const never = neverToBegin(all);
  const isUnderWay = ({ state }: OpenOperation): boolean => state === 'RUNNING' || state === 'WAITING';
  // What is under way has its slots already.
  const open = [...all.filter(isUnderWay), ...all.filter(({ id, state }) => state === 'PENDING' && !never.has(id))];
  if (open.length === 0) return undefined;
  const estimates = await estimatesOf(sql, catalog, open.map(asked));
  const timed = open.map((one, at) => ({
    ...one,
    seconds: isUnderWay(one) ? left(one, estimates[at]?.seconds ?? 0, now) : (estimates[at]?.seconds ?? 0),
    needsSlot: kindOf(one.type) !== undefined || one.type === 'http.request',
  }));
  return simulate(timed, parallelLimit).seconds;
}

/** What depends on a failure, however far: it waits for the rest of its dependencies all the same. */
function neverToBegin(open: readonly OpenOperation[]): ReadonlySet<string> {
  const failed = open.filter(({ state }) => state === 'FAILED' || state === 'CANCELED');
  const never = new Set(failed.map(({ id }) => id));
  if (never.size === 0) return never;
  const byId = new Map(open.map((one) => [one.id, one]));
  for (const id of topologicalOrder(waitingGraph(open)))
    if (byId.get(id)?.dependsOn.some((dependency) => never.has(dependency))) never.add(id);
  return never;
}

const asked = ({ type, action, region, provider, duration, time }: OpenOperation) => ({
  operation: { type, ...(region && { region }), ...(provider && { provider }), with: { duration, time } },
  // What a plan calls a replacement is here what makes the new alone.
  action,
  there: undefined,
});

function left({ waitUntil, startedAt }: OpenOperation, seconds: number, now: number): number {
  const endsAt = waitUntil ? Date.parse(waitUntil) : Date.parse(startedAt ?? '') + seconds * 1000;
  return Math.max(0, (endsAt - now) / 1000) || 0;
}

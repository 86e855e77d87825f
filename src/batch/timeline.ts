import type { CriticalStep, Span, Timeline } from '../domain/batch-timeline.ts';

/** An operation of a batch as it went. Times are ISO 8601. */
export type Went = Omit<Span, 'lane' | 'seconds' | 'waitedSeconds' | 'critical'>;

type Batch = Omit<Timeline, 'lanes' | 'criticalPath' | 'operations'>;

/** What became of a batch's operations in time: lanes, waits, and the path that decided how long it took. */
export function timelineOf(batch: Batch, operations: readonly Went[]): Timeline {
  const now = Date.parse(batch.at);
  const begin = Date.parse(batch.startedAt ?? batch.createdAt);
  const ends = new Map(operations.map((one) => [one.id, endOf(one, now)]));
  const lanes = lanesOf(operations, now);
  const readyAt = ({ dependsOn }: Went): number =>
    dependsOn.reduce((last, id) => Math.max(last, ends.get(id) ?? 0), begin);
  const waited = (one: Went): number =>
    one.startedAt === null ? 0 : Math.max(0, Date.parse(one.startedAt) - readyAt(one)) / 1000;
  const criticalPath = criticalPathOf(operations, ends, begin, waited);
  const critical = new Set(criticalPath.map(({ id }) => id));
  return {
    ...batch,
    lanes: new Set(lanes.values()).size,
    criticalPath,
    operations: operations.map((one) => ({
      ...one,
      lane: lanes.get(one.id) ?? null,
      seconds: tookSeconds(one, ends),
      waitedSeconds: one.startedAt === null ? null : waited(one),
      critical: critical.has(one.id),
    })),
  };
}

/** In milliseconds; undefined where it has not begun, or came about without any doing. */
function endOf({ startedAt, endedAt }: Went, now: number): number | undefined {
  if (startedAt === null) return undefined;
  return endedAt === null ? now : Date.parse(endedAt);
}

function tookSeconds({ id, startedAt }: Went, ends: ReadonlyMap<string, number | undefined>): number | null {
  const end = ends.get(id);
  return startedAt === null || end === undefined ? null : Math.max(0, end - Date.parse(startedAt)) / 1000;
}

/** Puts each operation into the first lane that is free when it begins. */
function lanesOf(operations: readonly Went[], now: number): ReadonlyMap<string, number> {
  const free = new Heap();
  const underWay = new Heap();
  const lanes = new Map<string, number>();
  const begun = operations
    .flatMap((one) => (one.startedAt === null ? [] : [{ one, start: Date.parse(one.startedAt) }]))
    .sort((a, b) => a.start - b.start);
  let count = 0;
  for (const { one, start } of begun) {
    for (let first = underWay.first(); first && first.key <= start; first = underWay.first()) {
      underWay.take();
      free.put({ key: first.lane, lane: first.lane });
    }
    const lane = free.take()?.lane ?? count++;
    lanes.set(one.id, lane);
    underWay.put({ key: endOf(one, now) ?? start, lane });
  }
  return lanes;
}

interface Entry {
  readonly key: number;
  readonly lane: number;
}

/** Gives the least key first. */
class Heap {
  readonly #entries: Entry[] = [];

  first(): Entry | undefined {
    return this.#entries[0];
  }

  put(entry: Entry): void {
    const entries = this.#entries;
    let at = entries.push(entry) - 1;
    for (let above = (at - 1) >> 1; at > 0; above = (at - 1) >> 1) {
      const parent = entries[above];
      if (!parent || parent.key <= entry.key) break;
      entries[at] = parent;
      at = above;
    }
    entries[at] = entry;
  }

  take(): Entry | undefined {
    const entries = this.#entries;
    const [least] = entries;
    const last = entries.pop();
    if (!last || entries.length === 0) return least;
    let at = 0;
    for (;;) {
      const [left, right] = [entries[2 * at + 1], entries[2 * at + 2]];
      const child = right && left && right.key < left.key ? 2 * at + 2 : 2 * at + 1;
      const below = entries[child];
      if (!below || below.key >= last.key) break;
      entries[at] = below;
      at = child;
    }
    entries[at] = last;
    return least;
  }
}

/** From the operation that ended last back through the dependency that ended last, given from its beginning. */
function criticalPathOf(
  operations: readonly Went[],
  ends: ReadonlyMap<string, number | undefined>,
  begin: number,
  waited: (one: Went) => number,
): CriticalStep[] {
  const byId = new Map(operations.map((one) => [one.id, one]));
  const latest = (ids: Iterable<string>): Went | undefined => {
    let last: { readonly id: string; readonly end: number } | undefined;
    for (const id of ids) {
      const end = ends.get(id);
      if (end !== undefined && (!last || end > last.end)) last = { id, end };
    }
    return last && byId.get(last.id);
  };
  const path: Went[] = [];
  for (let one = latest(byId.keys()); one; one = latest(one.dependsOn)) path.unshift(one);
  const whole = ((ends.get(path.at(-1)?.id ?? '') ?? begin) - begin) / 1000;
  return path.map((one) => {
    const [waitedSeconds, seconds] = [waited(one), tookSeconds(one, ends) ?? 0];
    return {
      id: one.id,
      waitedSeconds,
      seconds,
      share: whole > 0 ? Math.round(((waitedSeconds + seconds) / whole) * 1000) / 1000 : 0,
    };
  });
}

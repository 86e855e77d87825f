import { cpuSeconds, type ProcessNow, processesNow } from '../processes.ts';

/** What some processes used between two moments, by their names. */
export interface Usage {
  readonly cpuSeconds: Readonly<Record<string, number>>;
  /** The most memory that any one process of the name held, as it was seen twice a second. */
  readonly peakMib: Readonly<Record<string, number>>;
}

const everyMs = 500;

/** Begins to measure processes, each with what it has started: PostgreSQL works in its backends. */
export async function startMeter(pids: Readonly<Record<string, number>>): Promise<() => Promise<Usage>> {
  const names = Object.keys(pids);
  const peaks = new Map<string, number>();
  const seen = new Map<number, { readonly name: string; readonly before: number }>();
  let first = true;

  async function look(): Promise<void> {
    const now = await processesNow();
    for (const name of names) {
      for (const { pid, residentMib } of familyOf(pids[name] ?? 0, now)) {
        peaks.set(name, Math.max(peaks.get(name) ?? 0, residentMib));
        // One that came later has used all that it used since it came.
        if (!seen.has(pid)) seen.set(pid, { name, before: first ? cpuSeconds(pid) : 0 });
      }
    }
    first = false;
  }

  await look();
  const timer = setInterval(() => void look().catch(() => undefined), everyMs);
  return async () => {
    clearInterval(timer);
    await look();
    const used = new Map(names.map((name) => [name, 0]));
    for (const [pid, { name, before }] of seen) {
      used.set(name, (used.get(name) ?? 0) + Math.max(0, cpuSeconds(pid) - before));
    }
    return { cpuSeconds: Object.fromEntries(used), peakMib: Object.fromEntries(peaks) };
  };
}

function familyOf(root: number, all: readonly ProcessNow[]): ProcessNow[] {
  const family = all.filter(({ pid }) => pid === root);
  // Grows while it is walked.
  for (const { pid } of family) family.push(...all.filter(({ parent }) => parent === pid));
  return family;
}

/** One line of a benchmark: a value, its peer measured in the same run, and whether the goal holds for their ratio. */
export interface Result {
  readonly id: string;
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  readonly peer: string;
  readonly peerValue: number;
  /** value / peerValue. */
  readonly ratio: number;
  readonly goal: string;
  readonly holds: boolean;
}

export interface GroupOptions {
  /** With the cases that the default leaves out for their time. */
  readonly full: boolean;
  /** The parts to be measured; all where it is empty. */
  readonly only: readonly string[];
  /** Keeps rows for the JSON file, and shows them above the results. */
  readonly note: (title: string, rows: readonly unknown[]) => void;
}

/** A figure of 3 digits. */
export const round = (value: number): number => Number(value.toPrecision(3));

/** A value that is to stay at or below a fixed one. */
export const limit = (
  id: string,
  what: string,
  value: number,
  unit: string,
  peer: string,
  peerValue: number,
): Result => ({
  id,
  what,
  value: round(value),
  unit,
  peer,
  peerValue,
  ratio: round(value / peerValue),
  goal: `at most ${peerValue} ${unit}`,
  holds: value <= peerValue,
});

export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export const median = (values: readonly number[]): number => percentile(values, 0.5);

/** Runs `once` for each number up to `count`, `atOnce` at a time; gives seconds in all and milliseconds of each. */
export async function load(
  count: number,
  atOnce: number,
  once: (index: number) => Promise<void>,
): Promise<{ seconds: number; each: number[] }> {
  const each: number[] = [];
  let next = 0;
  const began = performance.now();
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (next < count) {
        const index = next++;
        const at = performance.now();
        await once(index);
        each.push(performance.now() - at);
      }
    }),
  );
  return { seconds: (performance.now() - began) / 1000, each };
}

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

/** A figure of 3 digits. */
export const round = (value: number): number => Number(value.toPrecision(3));

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

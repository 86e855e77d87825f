import { randomInt } from 'node:crypto';
import { expect, test } from 'vitest';
import { runChaos } from './chaos.ts';
import { fixedSeed, keptSeeds } from './seeds.ts';

/**
 * `CHAOS_SEED` runs that seed alone, `CHAOS_KEPT=1` those that found something. `CHAOS_SECONDS` is how long things go
 * wrong in each run: short by default, as long as one likes by hand. It is part of the seed.
 */
const { CHAOS_SEED, CHAOS_KEPT, CHAOS_SECONDS = '25', CI } = process.env;
const seconds = Number(CHAOS_SECONDS);

function seeds(): Readonly<Record<string, { readonly seed: number; readonly seconds: number }>> {
  if (CHAOS_SEED !== undefined) return { 'the seed asked for': { seed: Number(CHAOS_SEED), seconds } };
  if (CHAOS_KEPT !== undefined) return keptSeeds;
  const fixed = { 'the fixed seed': { seed: fixedSeed, seconds } };
  // A new day is for whoever can look at what it finds, not for a check of something else.
  return CI ? fixed : { ...fixed, 'a new seed': { seed: randomInt(2 ** 31), seconds } };
}

for (const [name, run] of Object.entries(seeds())) {
  test(
    `${name}, CHAOS_SEED=${run.seed} CHAOS_SECONDS=${run.seconds}: every job ends, and nothing is leaked, lost or done twice`,
    async () => {
      expect(await runChaos(run)).toEqual([]);
    },
    300_000 + 2000 * run.seconds,
  );
}

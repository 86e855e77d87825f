import { randomInt } from 'node:crypto';
import { expect, test } from 'vitest';
import { runChaos } from './chaos.ts';
import { fixedSeed, keptSeeds } from './seeds.ts';

/**
 * `CHAOS_SEED` runs that seed alone; `CHAOS_SECONDS` is how long things go wrong in each run: short by default, as long
 * as one likes by hand.
 */
const { CHAOS_SEED, CHAOS_SECONDS = '25' } = process.env;
const seconds = Number(CHAOS_SECONDS);
const random = randomInt(2 ** 31);
const seeds: readonly [string, number][] =
  CHAOS_SEED === undefined
    ? [...Object.entries(keptSeeds), ['the fixed seed', fixedSeed], ['a new seed', random]]
    : [['the seed asked for', Number(CHAOS_SEED)]];

for (const [name, seed] of seeds) {
  test(
    `${name}, CHAOS_SEED=${seed} CHAOS_SECONDS=${seconds}: every job ends, and nothing is leaked, lost or done twice`,
    async () => {
      expect(await runChaos({ seed, seconds })).toEqual([]);
    },
    240_000 + 2000 * seconds,
  );
}

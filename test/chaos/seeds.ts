interface KeptSeed {
  readonly seed: number;
  /** Part of what it is: another length is another day. */
  readonly seconds: number;
}

/**
 * Seeds that found something, each by what it found. What they found has a test of its own besides, for processes are
 * not as repeatable as the script: these are run in the long form, by `CHAOS_KEPT=1`.
 */
export const keptSeeds: Readonly<Record<string, KeptSeed>> = {
  'a batch that ended beside an operation of it that a lost workflow task had begun': { seed: 301, seconds: 30 },
};

/** Run each time, so that every run has one that can be compared with the one before. */
export const fixedSeed = 20_261_124;

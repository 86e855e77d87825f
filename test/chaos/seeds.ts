/** Seeds that found something, each by what it found. They are run in short form, so that it is not found again. */
export const keptSeeds: Readonly<Record<string, number>> = {};

/** Run each time, so that every run has one that can be compared with the one before. */
export const fixedSeed = 20_261_124;

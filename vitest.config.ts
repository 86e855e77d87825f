import { defineConfig } from 'vitest/config';

/** `unit` is fast and needs nothing; the others share one PostgreSQL and one Temporal for the run. */
export default defineConfig({
  test: {
    pool: 'forks',
    maxConcurrency: 100,
    projects: [
      { extends: true, test: { name: 'unit', include: ['test/**/*.unit.test.ts'] } },
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['test/**/*.test.ts'],
          exclude: ['test/**/*.unit.test.ts', 'test/chaos/**', '**/node_modules/**'],
          globalSetup: ['test/harness/global.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'chaos',
          include: ['test/chaos/**/*.test.ts'],
          globalSetup: ['test/harness/global.ts'],
          testTimeout: 180_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});

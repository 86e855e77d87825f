import { defineConfig } from 'vitest/config';

/**
 * `unit` is fast and needs nothing; `integration` shares one PostgreSQL and one Temporal for the run; `chaos` kills what
 * a platform of its own is made of.
 */
export default defineConfig({
  test: {
    pool: 'forks',
    maxConcurrency: 100,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.unit.test.ts'],
          // Properties are tried on hundreds of inputs, beside everything else that the machine does.
          testTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['test/**/*.test.ts'],
          exclude: ['test/**/*.unit.test.ts', 'test/chaos/**', '**/node_modules/**'],
          globalSetup: ['test/harness/global.ts'],
          testTimeout: 120_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'chaos',
          include: ['test/chaos/**/*.test.ts'],
          testTimeout: 240_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});

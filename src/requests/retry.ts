import type { Config } from '../config/index.ts';
import type { RetryPolicy } from '../domain/job.ts';

/** How the steps of the jobs that this process accepts are tried again. */
export const retryPolicy = (config: Config): RetryPolicy => ({
  maximumAttempts: config.MILLWRIGHT_STEP_ATTEMPTS,
  initialSeconds: config.MILLWRIGHT_STEP_PAUSE_SECONDS,
  maximumSeconds: config.MILLWRIGHT_STEP_PAUSE_MAX_SECONDS,
});

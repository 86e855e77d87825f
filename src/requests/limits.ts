import type { Config } from '../config/index.ts';
import type { JobLimits } from '../domain/job.ts';

/** The bounds of the jobs that this process accepts. */
export const jobLimits = (config: Config): JobLimits => ({
  retry: {
    maximumAttempts: config.MILLWRIGHT_STEP_ATTEMPTS,
    initialSeconds: config.MILLWRIGHT_STEP_PAUSE_SECONDS,
    maximumSeconds: config.MILLWRIGHT_STEP_PAUSE_MAX_SECONDS,
  },
  stepSeconds: config.MILLWRIGHT_STEP_TIMEOUT_SECONDS,
  undoWaitSeconds: config.MILLWRIGHT_UNDO_WAIT_SECONDS,
  jobSeconds: config.MILLWRIGHT_JOB_TIMEOUT_SECONDS,
  batchEvents: config.MILLWRIGHT_BATCH_EVENTS,
});

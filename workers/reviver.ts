import { isDatabaseAway } from '../src/db/client.ts';
import { jobsUnderWay } from '../src/db/queries/dispatch.ts';
import type { Logger } from '../src/log.ts';
import { isTemporalAway } from '../temporal/away.ts';
import { adoptLost, type Hosting, reviveJob } from '../temporal/revive.ts';
import { runningAmong } from '../temporal/running.ts';
import { repeat } from './repeat.ts';

const longestPauseMs = 30_000;
const atOnce = 1000;

/**
 * Sees that every job under way has a workflow: one that was terminated in Temporal, or lost with it, is followed by
 * another, which goes on from the job's checkpoint. Who wants a job to end cancels the job.
 */
export function startReviver(hosting: Hosting, lostAfterSeconds: number, log: Logger): { stop(): Promise<void> } {
  return repeat(
    'looking for jobs without a workflow',
    Math.min(longestPauseMs, lostAfterSeconds * 1000),
    log,
    async (signal) => {
      let jobs = await jobsUnderWay(hosting.sql, lostAfterSeconds, atOnce, undefined);
      // Nothing is under way, and so nothing can be lost.
      if (jobs.length === 0) return;
      while (jobs.length > 0) {
        const hosts = jobs.map(({ workflowId }) => workflowId);
        const running = await runningAmong(hosting.client, hosts);
        for (const job of jobs) {
          if (signal.aborted) return;
          if (!running.has(job.workflowId)) await revive(hosting, job, log);
        }
        jobs = jobs.length < atOnce ? [] : await jobsUnderWay(hosting.sql, lostAfterSeconds, atOnce, jobs.at(-1));
      }
      const adopted = await adoptLost(hosting);
      if (adopted > 0)
        log.warn({ operations: adopted }, 'the workflow of these operations was gone: their batch has them');
    },
  );
}

async function revive(hosting: Hosting, job: { readonly id: string; readonly workflowId: string }, log: Logger) {
  const { id: jobId, workflowId } = job;
  try {
    // The list of those running lags behind: the workflow itself is asked before it gets a successor.
    if ((await reviveJob(hosting, job)) !== 'revived') return;
    log.warn({ jobId, workflowId }, 'the workflow of this job was gone: it has a new one');
  } catch (error) {
    if (isDatabaseAway(error) || isTemporalAway(error)) throw error;
    // One that cannot be opened or started keeps no other waiting.
    log.error({ err: error, jobId, workflowId }, 'the workflow of this job is gone, and it cannot get another');
  }
}

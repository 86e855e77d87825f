import type { Client } from '@temporalio/client';
import type { JobView } from '../src/domain/job.ts';
import { type LiveWorker, liveWorkers } from '../temporal/workers.ts';

/** Workers tell of themselves every 5 s: asking more often tells nothing new. */
const believedMs = 2000;

/** Says of a job under way that it waits for its region, when none of that region's workers lives. */
export function createRegionWatch(temporal: Client): (job: JobView) => Promise<JobView> {
  let asked: { readonly at: number; readonly workers: Promise<readonly LiveWorker[] | undefined> } | undefined;

  function workers(): Promise<readonly LiveWorker[] | undefined> {
    if (!asked || Date.now() - asked.at > believedMs)
      asked = { at: Date.now(), workers: liveWorkers(temporal).catch(() => undefined) };
    return asked.workers;
  }

  return async (job) => {
    if (job.state !== 'RUNNING' || job.region === null) return job;
    const known = await workers();
    if (!known || known.some(({ region, status }) => region === job.region && status === 'running')) return job;
    const waitingFor = `a worker of region ${job.region}: none is running. It goes on when "millwright worker region --region ${job.region}" runs again`;
    return { ...job, waitingFor };
  };
}

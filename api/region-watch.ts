import type { Client } from '@temporalio/client';
import type { JobView } from '../src/domain/job.ts';
import { type LiveWorker, liveWorkers } from '../temporal/workers.ts';

/** Workers tell of themselves every 5 s: asking more often tells nothing new. */
const believedMs = 2000;

export interface RegionWatch {
  /** Says of a job under way that it waits for its region, when none of that region's workers lives. */
  readonly ofJob: (job: JobView) => Promise<JobView>;
  /** Whether a region has no worker, as far as is known. */
  readonly isAway: () => Promise<(region: string) => boolean>;
}

export function createRegionWatch(temporal: Client): RegionWatch {
  let asked: { readonly at: number; readonly workers: Promise<readonly LiveWorker[] | undefined> } | undefined;

  function workers(): Promise<readonly LiveWorker[] | undefined> {
    if (!asked || Date.now() - asked.at > believedMs)
      asked = { at: Date.now(), workers: liveWorkers(temporal).catch(() => undefined) };
    return asked.workers;
  }

  async function isAway(): Promise<(region: string) => boolean> {
    const known = await workers();
    if (!known) return () => false;
    const there = new Set(known.filter(({ status }) => status === 'running').map(({ region }) => region));
    return (region) => !there.has(region);
  }

  return {
    isAway,
    ofJob: async (job) => {
      if (job.state !== 'RUNNING' || job.region === null || !(await isAway())(job.region)) return job;
      const waitingFor = `a worker of region ${job.region}: none is running. It goes on when "millwright worker region --region ${job.region}" runs again`;
      return { ...job, waitingFor };
    },
  };
}

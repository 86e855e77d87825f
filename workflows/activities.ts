import { ActivityCancellationType, proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import type { ControlActivities, RegionActivities, RegionCall } from '../activities/types.ts';
import type { Job } from '../src/domain/job.ts';
import { heartbeatTimeoutMs, regionQueue } from '../temporal/names.ts';

/**
 * The database's part: local activities, tried until the database answers. What is refused comes back as a value,
 * so that what throws here is a database that is away, and the job goes on when it is back.
 */
export const control = proxyLocalActivities<ControlActivities>({
  startToCloseTimeout: '30s',
  retry: { initialInterval: '100ms', maximumInterval: '5s' },
});

/** No single call to a provider takes longer; a worker that dies is noticed by its heartbeat long before. */
const longestCall = '1h';
/** A step waits this long in all, tries and pauses and a region without a worker included, before it counts as failed. */
const longestStep = '24h';

type Region = {
  [Name in keyof RegionActivities]: Parameters<RegionActivities[Name]> extends [RegionCall, ...infer Rest]
    ? (...rest: Rest) => ReturnType<RegionActivities[Name]>
    : never;
};

/** The provider's part of one step of a job, on the queue of the job's region. */
export function region(job: Job, step: string): Region {
  const activities = proxyActivities<RegionActivities>({
    taskQueue: regionQueue(job.region),
    startToCloseTimeout: longestCall,
    scheduleToCloseTimeout: longestStep,
    heartbeatTimeout: heartbeatTimeoutMs,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    summary: `${step} ${job.resourceName}`,
    retry: {
      maximumAttempts: job.retry.maximumAttempts,
      initialInterval: job.retry.initialSeconds * 1000,
      maximumInterval: job.retry.maximumSeconds * 1000,
    },
  });
  const call: RegionCall = {
    jobId: job.id,
    step,
    provider: job.provider,
    region: job.region,
    key: job.key,
    retry: job.retry,
  };
  return {
    ensureVm: (spec) => activities.ensureVm(call, spec),
    removeVm: () => activities.removeVm(call),
    ensureNetwork: (spec) => activities.ensureNetwork(call, spec),
    removeNetwork: () => activities.removeNetwork(call),
    ensureVolume: (spec) => activities.ensureVolume(call, spec),
    removeVolume: () => activities.removeVolume(call),
  };
}

import { ActivityCancellationType, proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import type { ControlActivities, RegionActivities, RegionCall } from '../activities/types.ts';
import type { Job } from '../src/domain/job.ts';
import { heartbeatTimeoutMs, regionQueue } from '../temporal/names.ts';

/**
 * The database's part: local activities, tried until the database answers. What is refused comes back as a value,
 * so that what throws here is a database that is away, and the job goes on when it is back. After the first short pauses
 * a try is waited for by a timer: a workflow whose worker waits for it keeps one of the few places for workflow tasks,
 * and of as many that wait for one locked row every other would be kept waiting (docs/decisions/016).
 */
export const control = proxyLocalActivities<ControlActivities>({
  startToCloseTimeout: '30s',
  retry: { initialInterval: '100ms', maximumInterval: '3s' },
  localRetryThreshold: '500ms',
});

/** No single call to a provider takes longer; a worker that dies is noticed by its heartbeat long before. */
const longestCall = '1h';
/** How long a step waits in all where its job, accepted before there were deadlines, does not say. */
const longestStepMs = 24 * 60 * 60 * 1000;

/**
 * The region worker ends a step at its deadline, so that nothing of it is under way when it is undone. Temporal does so
 * this much later, for a worker that is away.
 */
const deadlineGraceMs = 10_000;

/** Jobs whose steps are not bound by the job's deadline any more: they are being undone, or an operator wants them retried. */
export const withoutDeadline = new Set<string>();

/** Jobs that are being undone: what of it no worker takes for long is an operator's to decide. */
export const undoing = new Set<string>();

function stepMsOf({ id, deadlines }: Job): number {
  if (!deadlines) return longestStepMs;
  const stepMs = deadlines.stepSeconds * 1000;
  return withoutDeadline.has(id) ? stepMs : Math.max(1, Math.min(stepMs, Date.parse(deadlines.jobAt) - Date.now()));
}

type Region = {
  [Name in keyof RegionActivities]: Parameters<RegionActivities[Name]> extends [RegionCall, ...infer Rest]
    ? (...rest: Rest) => ReturnType<RegionActivities[Name]>
    : never;
};

/** The provider's part of one step of a job, on the queue of the job's region. */
export function region(job: Job, step: string): Region {
  const stepMs = stepMsOf(job);
  const { undoWaitSeconds, workerWaitSeconds } = job.deadlines ?? {};
  const waitSeconds = undoing.has(job.id) ? undoWaitSeconds : workerWaitSeconds;
  const activities = proxyActivities<RegionActivities>({
    taskQueue: regionQueue(job.region),
    startToCloseTimeout: longestCall,
    scheduleToCloseTimeout: stepMs + deadlineGraceMs,
    ...(waitSeconds === undefined ? {} : { scheduleToStartTimeout: waitSeconds * 1000 }),
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
    deadlineAt: new Date(Date.now() + stepMs).toISOString(),
    ...(job.trail ? { trail: job.trail } : {}),
  };
  // Every activity takes the call first; the proxy has one under every name.
  return new Proxy({} as Region, {
    get: (_target, name) => {
      const run = Reflect.get(activities, name) as (call: RegionCall, ...rest: unknown[]) => Promise<unknown>;
      return (...rest: unknown[]) => run(call, ...rest);
    },
  });
}

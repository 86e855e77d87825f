import type { Info } from '@temporalio/activity';
import type { Client } from '@temporalio/client';

/** Clocks that differ by less than this are taken for the same. */
const toleranceMs = 1000;

/**
 * How long an attempt that begins now may take until its step's deadline, which Temporal's clock has set. This process
 * looks at its own clock, unless what that says cannot be: that time is up, or that it is earlier than when the attempt
 * was scheduled. Then it is late, or its clock is wrong, and Temporal is asked when it began the attempt.
 */
export async function timeLeftMs(client: Client, info: Info, deadlineAt: string): Promise<number> {
  const deadlineMs = Date.parse(deadlineAt);
  const leftMs = deadlineMs - Date.now();
  const atMostMs = deadlineMs - info.currentAttemptScheduledTimestampMs;
  if (leftMs > 0 && leftMs <= atMostMs + toleranceMs) return leftMs;
  const startedMs = await startedAt(client, info).catch(() => undefined);
  return startedMs === undefined ? Math.min(leftMs, atMostMs) : deadlineMs - startedMs;
}

/** When Temporal gave this attempt away, by its clock, in milliseconds since 1970. */
async function startedAt(client: Client, { workflowExecution, activityId }: Info): Promise<number | undefined> {
  const { pendingActivities } = await client.workflowService.describeWorkflowExecution({
    namespace: client.options.namespace,
    execution: workflowExecution ?? null,
  });
  const started = pendingActivities?.find((pending) => pending.activityId === activityId)?.lastStartedTime;
  return started ? Number(started.seconds) * 1000 + Math.floor((started.nanos ?? 0) / 1_000_000) : undefined;
}

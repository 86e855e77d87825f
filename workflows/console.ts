import { proxyActivities } from '@temporalio/workflow';
import type { RegionActivities } from '../activities/types.ts';
import { type ConsoleRead, type ConsoleText, heartbeatTimeoutMs, regionQueue } from '../temporal/names.ts';
import { isUntaken, toErrorInfo } from './failures.ts';

/** Reads a VM's console in its region, at once or not at all: somebody waits for it. No job, and nothing is recorded. */
export async function readConsole({ call, lines }: ConsoleRead): Promise<ConsoleText> {
  const region = proxyActivities<Pick<RegionActivities, 'readConsole'>>({
    taskQueue: regionQueue(call.region),
    scheduleToStartTimeout: '3s',
    scheduleToCloseTimeout: '10s',
    heartbeatTimeout: heartbeatTimeoutMs,
    retry: { maximumAttempts: 1 },
  });
  try {
    return { lines: await region.readConsole(call, lines) };
  } catch (error) {
    if (!isUntaken(error)) return { refused: toErrorInfo(error, call) };
    const message = `No worker of region ${call.region} took the question. Ask again when "millwright worker region --region ${call.region}" runs.`;
    return { refused: { code: 'unavailable', message } };
  }
}

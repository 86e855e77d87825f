import type { Client } from '@temporalio/client';

/** Processes follow the key file within seconds; one whose clock is off may take longer. */
const slackMs = 60_000;

/**
 * How many workflows Temporal still knows that began before a key ceased to encrypt: their histories, running or kept
 * until the namespace's retention is over, may hold payloads that only it opens.
 */
export async function workflowsBefore(client: Client, until: string | null): Promise<number> {
  const before = new Date((until === null ? Date.now() : Date.parse(until)) + slackMs).toISOString();
  const { count } = await client.workflow.count(`StartTime < "${before}"`);
  return count;
}

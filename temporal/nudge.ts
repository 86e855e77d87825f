import type { Client } from '@temporalio/client';
import type { Logger } from '../src/log.ts';
import { lookSignal } from './names.ts';

const patienceMs = 3000;

/**
 * Tells a batch's workflow to look at what the database says of its batch. One that does not hear it looks by itself, a
 * little later.
 */
export async function nudge(client: Client, workflowId: string, log: Logger): Promise<void> {
  try {
    await client.withDeadline(Date.now() + patienceMs, () => client.workflow.getHandle(workflowId).signal(lookSignal));
  } catch (error) {
    log.warn({ err: error, workflowId }, 'a batch could not be told to look: it will by itself');
  }
}

import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import type { Sql } from 'postgres';
import { jobToRevive, lockRevival } from '../src/db/queries/dispatch.ts';
import type { Sealer } from '../src/secrets/sealer.ts';
import { openInput } from '../src/secrets/specs.ts';
import { startJob } from './client.ts';

/** What it takes to give a job a workflow: where it is, who runs it, and what opens its secrets. */
export interface Hosting {
  readonly sql: Sql;
  readonly client: Client;
  readonly sealer: Sealer;
}

/**
 * Gives a job whose workflow is gone a new one, which goes on from the job's checkpoint. `running`: it is not gone.
 * `ended`: the job needs none. One at a time for each job: who comes second finds it running.
 */
export function reviveJob(
  { sql, client, sealer }: Hosting,
  { id, workflowId }: { readonly id: string; readonly workflowId: string },
): Promise<'revived' | 'running' | 'ended'> {
  return sql.begin(async (transaction) => {
    await lockRevival(transaction, workflowId);
    if (await isRunning(client, workflowId)) return 'running';
    const job = await jobToRevive(transaction, id);
    if (!job) return 'ended';
    await startJob(client, { ...job, input: await openInput(sealer, job.id, job.input) });
    return 'revived';
  });
}

async function isRunning(client: Client, workflowId: string): Promise<boolean> {
  try {
    return (await client.workflow.getHandle(workflowId).describe()).status.name === 'RUNNING';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import type { Sql } from 'postgres';
import {
  hostedElsewhere,
  inputToRevive,
  jobToRevive,
  lockRevival,
  orphanToRevive,
} from '../src/db/queries/dispatch.ts';
import type { StartableJob } from '../src/domain/start.ts';
import type { Sealer } from '../src/secrets/sealer.ts';
import { openInput } from '../src/secrets/specs.ts';
import { startJob } from './client.ts';
import { adoptSignal, jobWorkflowId } from './names.ts';
import { runningAmong } from './running.ts';

/** What it takes to give a job a workflow: where it is, who runs it, and what opens its secrets. */
export interface Hosting {
  readonly sql: Sql;
  readonly client: Client;
  readonly sealer: Sealer;
}

/** Temporal's part of a revival holds the job's row: it takes no longer than this. */
const patienceMs = 8000;

/** Takes back what a revival had written for a workflow that was not started. */
class AnotherRuns extends Error {}

/**
 * Gives a job whose workflow is gone a new one, which goes on from the job's checkpoint. `running`: it is not gone,
 * or another runs by now. `ended`: the job needs none. One at a time for each job: who comes second finds it running.
 */
export async function reviveJob(
  { sql, client, sealer }: Hosting,
  { id, workflowId }: { readonly id: string; readonly workflowId: string },
): Promise<'revived' | 'running' | 'ended'> {
  const stored = await inputToRevive(sql, id);
  if (!stored) return 'ended';
  // Before the transaction: it may need a connection of its own, which revivals must not wait for one another to get.
  const input = await openInput(sealer, stored.id, stored.input);
  try {
    return await sql.begin(async (transaction) => {
      await lockRevival(transaction, workflowId);
      return await client.withDeadline(Date.now() + patienceMs, async () => {
        if (await isRunning(client, workflowId)) return 'running';
        const job =
          (await jobToRevive(transaction, id)) ??
          (await orphanToRevive(transaction, id, ({ type, name }) => jobWorkflowId(type, name, id)));
        if (!job) return 'ended';
        if (await startJob(client, { ...(await withLiving(client, job)), input })) return 'revived';
        // One that an earlier revival started, whose commit was lost, is where the job has moved by now.
        if (job.moved) return 'running';
        throw new AnotherRuns();
      });
    });
  } catch (error) {
    if (error instanceof AnotherRuns) return 'running';
    throw error;
  }
}

/** Of the workflows that host operations of a batch those that are not gone: what the others hosted it takes up itself. */
async function withLiving(client: Client, job: StartableJob): Promise<StartableJob> {
  const { again } = job;
  if (!again?.underWay) return job;
  const hosts = [...new Set(again.underWay.map(({ workflowId }) => workflowId))];
  const living = new Set(
    (await Promise.all(hosts.map(async (id) => ((await isRunning(client, id)) ? [id] : [])))).flat(),
  );
  return { ...job, again: { ...again, underWay: again.underWay.filter(({ workflowId }) => living.has(workflowId)) } };
}

/**
 * Has the newest workflow of each batch go on with operations whose own host, an earlier workflow of the batch, is gone.
 * Gives how many there were.
 */
export async function adoptLost({ sql, client }: Pick<Hosting, 'sql' | 'client'>): Promise<number> {
  const hosted = await hostedElsewhere(sql);
  const hosts = hosted.map(({ workflowId }) => workflowId);
  const running = await runningAmong(client, hosts);
  const lost = hosted.filter(({ workflowId }) => !running.has(workflowId));
  let found = 0;
  for (const [host, operations] of Map.groupBy(lost, ({ workflowId }) => workflowId)) {
    // The list of those running lags behind.
    if (await isRunning(client, host)) continue;
    found += operations.length;
    for (const [batch, own] of Map.groupBy(operations, ({ batchWorkflowId }) => batchWorkflowId)) {
      const ids = own.map(({ operationId }) => operationId);
      await client.workflow.getHandle(batch).signal<[readonly string[]]>(adoptSignal, ids);
    }
  }
  return found;
}

async function isRunning(client: Client, workflowId: string): Promise<boolean> {
  try {
    return (await client.workflow.getHandle(workflowId).describe()).status.name === 'RUNNING';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}

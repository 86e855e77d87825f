import type { Client } from '@temporalio/client';

/** So many are named in one question: what Temporal reads of a query has a limit. */
const atOnce = 100;

/**
 * Those of these workflows that run, as Temporal's list has it, which lags behind. They are asked for by their ids, so
 * that it makes no difference how many others there are.
 */
export async function runningAmong(client: Client, workflowIds: Iterable<string>): Promise<ReadonlySet<string>> {
  const running = new Set<string>();
  const ids = [...new Set(workflowIds)];
  for (let from = 0; from < ids.length; from += atOnce) {
    const named = ids.slice(from, from + atOnce).map((id) => `'${id.replaceAll("'", "''")}'`);
    const query = `ExecutionStatus = 'Running' AND WorkflowId IN (${named.join(', ')})`;
    for await (const { workflowId } of client.workflow.list({ query, pageSize: atOnce })) running.add(workflowId);
  }
  return running;
}

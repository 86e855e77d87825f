import { Client, Connection, WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import type { OperationType } from '../src/domain/kinds.ts';
import type { StartableJob } from '../src/domain/start.ts';
import type { KeyRing } from '../src/secrets/key-ring.ts';
import { dataConverter } from './codec.ts';
import {
  batchWorkflow,
  controlQueue,
  type SettleMessage,
  settleUpdate,
  workflowNames,
  workflowTaskTimeout,
} from './names.ts';

export interface TemporalSettings {
  readonly address: string;
  readonly namespace: string;
  readonly keys: KeyRing;
}

/** A client that connects when it is first used, so that a Temporal that is away keeps nobody from starting. */
export function temporalClient({ address, namespace, keys }: TemporalSettings): {
  client: Client;
  connection: Connection;
} {
  const connection = Connection.lazy({ address, connectTimeout: '5s' });
  return { client: new Client({ connection, namespace, dataConverter: dataConverter(keys) }), connection };
}

/** Starts the workflow of a job, once: a start that comes again, or late, changes nothing. */
export async function startJob(client: Client, job: StartableJob): Promise<void> {
  const { name, summary, resource, region } = describe(job);
  const { organization, project } = job.input;
  try {
    await client.workflow.start(name, {
      workflowId: job.workflowId,
      taskQueue: controlQueue,
      workflowTaskTimeout,
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      args: [{ ...job.input, sequence: job.sequence }],
      staticSummary: summary,
      staticDetails: `Project ${organization}/${project}, job ${job.id}.`,
      searchAttributes: {
        Organization: [organization],
        Project: [project],
        Resource: [resource],
        ...(region ? { Region: [region] } : {}),
        State: ['RUNNING'],
        NeedsAttention: [false],
      },
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}

function describe(job: StartableJob): { name: string; summary: string; resource: string; region: string | undefined } {
  if ('parallelLimit' in job.input) {
    const { name } = job.input;
    return { name: batchWorkflow, summary: `Batch ${name}`, resource: `batch/${name}`, region: undefined };
  }
  const { type, resourceName, region } = job.input;
  const verb = type.endsWith('.create') ? 'Create' : 'Delete';
  const [kind] = type.split('.');
  return {
    name: workflowNames[type as OperationType],
    summary: `${verb} ${kind} ${resourceName} in ${region}`,
    resource: `${kind}/${resourceName}`,
    region,
  };
}

/** Tells a held job how to go on; returns when its workflow has taken it. */
export async function settleJob(client: Client, workflowId: string, message: SettleMessage): Promise<void> {
  await client.workflow.getHandle(workflowId).executeUpdate<void, [SettleMessage]>(settleUpdate, { args: [message] });
}

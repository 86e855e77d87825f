import { SpanKind } from '@opentelemetry/api';
import {
  Client,
  type ClientInterceptors,
  Connection,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { httpType, type SagaType } from '../src/domain/kinds.ts';
import type { StartableJob } from '../src/domain/start.ts';
import type { KeyRing } from '../src/secrets/key-ring.ts';
import { inSpan, jobContext } from '../src/telemetry/tracing.ts';
import { dataConverter } from './codec.ts';
import {
  batchWorkflow,
  type CancelMessage,
  cancelUpdate,
  controlQueue,
  type SettleMessage,
  settleUpdate,
  workflowName,
} from './names.ts';

export interface TemporalSettings {
  readonly address: string;
  readonly namespace: string;
  readonly keys: KeyRing;
  /** What the workflows that it starts have (`MILLWRIGHT_WORKFLOW_TASK_TIMEOUT_MS`); for a client that starts any. */
  readonly workflowTaskTimeoutMs?: number;
}

/** A client that connects when it is first used, so that a Temporal that is away keeps nobody from starting. */
export function temporalClient({ address, namespace, keys, workflowTaskTimeoutMs }: TemporalSettings): {
  client: Client;
  connection: Connection;
} {
  const connection = Connection.lazy({ address, connectTimeout: '5s' });
  const own = workflowTaskTimeoutMs === undefined ? {} : { workflowTaskTimeout: msToTs(workflowTaskTimeoutMs) };
  const interceptors: ClientInterceptors = {
    workflow: [{ start: (input, next) => next({ ...input, options: { ...input.options, ...own } }) }],
  };
  const client = new Client({ connection, namespace, dataConverter: dataConverter(keys), interceptors });
  return { client, connection };
}

/**
 * Starts the workflow of a job, once: a start that comes again, or late, changes nothing, and gives false. A job that is
 * to be started again had a workflow that is gone: it gets another, unless one is running.
 */
export async function startJob(client: Client, job: StartableJob): Promise<boolean> {
  const { name, summary, resource, region } = describe(job);
  const { organization, project } = job.input;
  const span = {
    kind: SpanKind.PRODUCER,
    parent: jobContext(job.input.trail, job.id),
    attributes: { 'millwright.workflow.id': job.workflowId },
  };
  try {
    await inSpan(`start ${name}`, span, () =>
      client.workflow.start(name, {
        workflowId: job.workflowId,
        taskQueue: controlQueue,
        workflowIdReusePolicy: job.again ? 'ALLOW_DUPLICATE' : 'REJECT_DUPLICATE',
        args: [{ ...job.input, sequence: job.sequence, ...job.again }],
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
      }),
    );
    return true;
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
    throw error;
  }
}

function describe(job: StartableJob): { name: string; summary: string; resource: string; region: string | undefined } {
  if ('parallelLimit' in job.input) {
    const { name } = job.input;
    return { name: batchWorkflow, summary: `Batch ${name}`, resource: `batch/${name}`, region: undefined };
  }
  const { type, resourceName, region } = job.input;
  const [kind = '', act = ''] = type.split('.');
  const verb = `${act.slice(0, 1).toUpperCase()}${act.slice(1)}`;
  return {
    name: workflowName(type as SagaType),
    summary:
      type === httpType ? `Call of ${resourceName} from ${region}` : `${verb} ${kind} ${resourceName} in ${region}`,
    resource: `${kind}/${resourceName}`,
    region,
  };
}

/** `taken`: the workflow has it. `refused`: it cannot be done now. `gone`: there is no such workflow any more, or not yet. */
export type Delivery = { readonly is: 'taken' | 'gone' } | { readonly is: 'refused'; readonly why: string };

/** Tells a held job how to go on; returns when what comes of it is on record. */
export const deliverSettlement = (client: Client, workflowId: string, message: SettleMessage): Promise<Delivery> =>
  deliver(client, () =>
    client.workflow.getHandle(workflowId).executeUpdate<void, [SettleMessage]>(settleUpdate, { args: [message] }),
  );

/** Tells a job to be canceled; returns when it has heard it, not when it is undone. */
export const deliverCancel = (client: Client, workflowId: string, message: CancelMessage): Promise<Delivery> =>
  deliver(client, () =>
    client.workflow.getHandle(workflowId).executeUpdate<void, [CancelMessage]>(cancelUpdate, { args: [message] }),
  );

/** Without a control worker nobody answers; who asks is not to wait for one. */
const patienceMs = 10_000;

async function deliver(client: Client, send: () => Promise<void>): Promise<Delivery> {
  try {
    await client.withDeadline(Date.now() + patienceMs, send);
    return { is: 'taken' };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return { is: 'gone' };
    if (error instanceof WorkflowUpdateFailedError)
      return { is: 'refused', why: error.cause?.message ?? error.message };
    throw error;
  }
}

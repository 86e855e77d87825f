import { setTimeout as pause } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { defaultNamespace } from '../../temporal/names.ts';
import { type UpPlatform, until } from '../up.ts';
import { batchFile, edgesOf, type GraphName, idealSeconds } from './graphs.ts';
import { startMeter, type Usage } from './meter.ts';
import type { Peer } from './peer.ts';

/** What is to be done, whoever does it. */
export interface Work {
  readonly graph: GraphName;
  readonly operations: number;
  readonly stepMs: number;
  readonly parallelLimit: number;
}

export interface Run extends Work {
  readonly engine: string;
  /** From the answer to the request until all is done. */
  readonly seconds: number;
  readonly idealSeconds: number;
  readonly usage: Usage;
  /** A batch's alone: how long its request took, and the events of its workflows. */
  readonly answerSeconds?: number;
  readonly events?: { readonly largest: number; readonly total: number };
}

export const timesIdeal = ({ seconds, idealSeconds }: Run): number => seconds / idealSeconds;

const parts = ['temporal', 'postgres', 'simulator'];

/** Milliseconds of a core for each operation, of the processes that are not Temporal, PostgreSQL or the simulator. */
export const ownCpuMs = ({ usage, operations }: Run): number =>
  (Object.entries(usage.cpuSeconds).reduce((sum, [name, seconds]) => (parts.includes(name) ? sum : sum + seconds), 0) *
    1000) /
  operations;

const longestMs = 900_000;
let runs = 0;

/** Applies a batch. `meanwhile` is done from its answer on, and told when it has ended. */
export async function runBatch(
  platform: UpPlatform,
  work: Work,
  meanwhile: (ended: AbortSignal) => Promise<void> = async () => undefined,
): Promise<Run> {
  await platform.setLatency(work.stepMs);
  const edges = edgesOf(work.graph, work.operations);
  const name = `${work.graph}-${++runs}`;
  const file = JSON.stringify(batchFile(name, edges, work.parallelLimit));
  const stop = await startMeter(platform.pids);
  const asked = performance.now();
  const { jobId = '' } = await platform.post('/api/tenant/v1/batches', file);
  const answered = performance.now();
  const ended = new AbortController();
  const other = meanwhile(ended.signal);
  await succeeded(platform, jobId);
  const done = performance.now();
  const usage = await stop();
  ended.abort();
  await other;
  return {
    ...work,
    engine: 'millwright',
    seconds: (done - answered) / 1000,
    idealSeconds: idealSeconds(edges, work.parallelLimit, work.stepMs),
    usage,
    answerSeconds: (answered - asked) / 1000,
    events: await eventsOf(platform, jobId),
  };
}

/** Lets a peer do the work of a batch of independent operations. */
export async function runPeer(platform: UpPlatform, peer: Peer, engine: string, work: Work): Promise<Run> {
  await platform.setLatency(work.stepMs);
  const { temporal = 0, postgres = 0, simulator = 0 } = platform.pids;
  const stop = await startMeter({ peer: peer.pid, temporal, postgres, simulator });
  const { operations, parallelLimit, stepMs } = work;
  const run = `${engine.replaceAll(' ', '-')}-${++runs}`;
  const seconds = await peer.run({ way: engine, run, operations, parallelLimit });
  const ideal = idealSeconds(edgesOf('independent', operations), parallelLimit, stepMs);
  return { ...work, engine, seconds, idealSeconds: ideal, usage: await stop() };
}

/** Resolves when a job has succeeded; throws where it has ended otherwise. */
export async function succeeded({ sql }: UpPlatform, jobId: string): Promise<void> {
  const state = await until(
    `job ${jobId} to end`,
    async () => {
      const [job] = await sql<{ state: string; ended: boolean }[]>`
        SELECT state, ended_at IS NOT NULL AS ended FROM jobs WHERE id = ${jobId}`;
      return job?.ended ? job.state : undefined;
    },
    { everyMs: 15, deadlineMs: longestMs },
  );
  if (state !== 'SUCCEEDED') throw new Error(`job ${jobId} has ended as ${state}`);
}

/** The events of a batch's workflows: all its generations, and what else is named after it. */
async function eventsOf({ sql, endpoints }: UpPlatform, jobId: string): Promise<{ largest: number; total: number }> {
  const [job] = await sql<{ workflowId: string }[]>`SELECT workflow_id AS "workflowId" FROM jobs WHERE id = ${jobId}`;
  const family = (job?.workflowId ?? '').replace(/\/\d+$/, '');
  const connection = await Connection.connect({ address: endpoints.temporal });
  const client = new Client({ connection, namespace: defaultNamespace });
  try {
    const lengths = await until('the workflows of the batch to end', async () => {
      const found = [];
      for await (const { workflowId, runId } of client.workflow.list({ query: `WorkflowId STARTS_WITH "${family}"` })) {
        found.push(await client.workflow.getHandle(workflowId, runId).describe());
      }
      const running = found.some(({ status }) => status.name === 'RUNNING');
      return running || found.length === 0 ? undefined : found.map(({ historyLength }) => historyLength);
    });
    return { largest: Math.max(...lengths), total: lengths.reduce((sum, length) => sum + length, 0) };
  } finally {
    await connection.close();
  }
}

/** Until what was done before has come to rest. */
export const rest = (): Promise<void> => pause(500);

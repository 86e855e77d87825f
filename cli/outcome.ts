import type { JobView } from '../src/domain/job.ts';
import { Exit } from './errors.ts';
import type { Session } from './session.ts';
import { oneLine, took } from './text.ts';

/** Of so many operations that failed each is named; the rest are left to `batch get`. */
const namedAtMost = 10;

const failedStates = ['FAILED', 'CANCELED', 'ROLLBACK_FAILED'] as const;

/** Says of each job that was followed what became of it; fails unless every one succeeded. */
export async function reportOutcome(session: Session, jobs: readonly JobView[], mode: 'wait' | 'watch'): Promise<void> {
  for (const job of jobs) {
    const title = `${job.type} ${job.resource.name}`;
    if (job.state !== 'SUCCEEDED') {
      const lines = [`${title} ${whatBecame(job)}`, ...(await consequences(session, job))];
      session.talk(`${session.paint('red', 'millwright: error:')} ${lines.map(oneLine).join('\n')}`);
    } else if (mode === 'watch') {
      session.talk(`${title} SUCCEEDED in ${took(job.startedAt ?? job.createdAt, job.endedAt, Date.now())}.`);
    }
  }
  if (jobs.some(({ state }) => state !== 'SUCCEEDED')) throw new Exit(1);
}

function whatBecame({ state, error }: JobView): string {
  switch (state) {
    case 'FAILED':
    case 'CANCELED':
    case 'HELD':
      return error ? `${state}: ${error.message}` : `${state}.`;
    case 'PENDING':
    case 'RUNNING':
    case 'RETRYING':
    case 'SUCCEEDED':
      return `is ${state}, and waits for a decision.`;
  }
}

async function consequences(session: Session, job: JobView): Promise<string[]> {
  const { command } = session;
  const isBatch = job.type === 'batch.apply';
  const ofBatch = isBatch ? await operationsOf(session, job) : [];
  const settle = job.state === 'HELD' ? [settleAdvice(session, job.id)] : [];
  return [
    ...ofBatch,
    ...rollbackOf(job),
    ...settle,
    `See all of it with "${command(isBatch ? `batch get ${job.resource.id}` : `job get ${job.id}`)}".`,
  ];
}

function rollbackOf({ rollback, leftovers, state }: JobView): string[] {
  switch (rollback) {
    case 'none':
      return state === 'FAILED' || state === 'CANCELED' ? ['Nothing had to be undone.'] : [];
    case 'complete':
      return ['What it had done is undone.'];
    case 'running':
      return ['What it had done is being undone.'];
    case 'stuck':
      return [`Undoing it is stuck. Left over: ${leftovers.join(', ') || 'unknown'}.`];
  }
}

/** The operations that keep a batch from its end or made it fail, and how to settle those that wait for a decision. */
async function operationsOf(session: Session, { resource }: JobView): Promise<string[]> {
  const [{ counts }, failed, held] = await Promise.all([
    session.client.oneBatch.basic(resource.id),
    session.client.oneBatch.operations(resource.id, failedStates, namedAtMost),
    session.client.jobs({ batch: resource.id, state: 'HELD', resource: undefined }, namedAtMost),
  ]);
  const lines = failed.map(({ id, type, state, error, jobId }) => {
    const why = error ? `: ${error.message}` : '.';
    return `Operation ${id} (${type}) ${state}${why}${jobId ? ` Its job: ${jobId}` : ''}`;
  });
  const more = failedStates.reduce((sum, state) => sum + (counts[state] ?? 0), 0) - failed.length;
  const states = failedStates.map((state) => ` --state ${state}`).join('');
  const rest =
    more > 0 ? [`And ${more} more; see "${session.command(`batch operations ${resource.id}${states}`)}".`] : [];
  const waiting = held.flatMap(({ id, operationId, type, error }) => [
    `Operation ${operationId} (${type}) is HELD${error ? `: ${error.message}` : '.'}`,
    settleAdvice(session, id),
  ]);
  return [...lines, ...rest, ...waiting];
}

const settleAdvice = ({ command }: Session, jobId: string): string =>
  `Mend the cause, then: ${command(`job settle ${jobId} retry --reason "…"`)}`;

import { setTimeout as pause } from 'node:timers/promises';
import { pendingJob, workflowIdOf } from '../src/db/queries/dispatch.ts';
import type { JobView, Settlement } from '../src/domain/job.ts';
import { MillwrightError } from '../src/errors.ts';
import { openInput } from '../src/secrets/specs.ts';
import { type Delivery, deliverCancel, deliverSettlement, startJob } from './client.ts';
import { type Hosting, reviveJob } from './revive.ts';

type Hosted = Pick<JobView, 'id' | 'workflowId'>;

interface Decision {
  readonly job: Hosted;
  readonly deliver: (workflowId: string) => Promise<Delivery>;
  /** Whether the database still says that this can be decided. */
  readonly applies: () => Promise<boolean>;
}

/** A workflow that was begun just now takes a moment to be where a message can reach it. */
const betweenMs = 100;
const tries = 100;

/** Has a held job go on as an operator decided, in its workflow or, where that is gone, in a new one. */
export const settleJob = (
  hosting: Hosting,
  job: Hosted,
  { action, reason, applies }: { action: Settlement; reason: string; applies: Decision['applies'] },
): Promise<void> =>
  reach(hosting, {
    job,
    deliver: (workflowId) => deliverSettlement(hosting.client, workflowId, { jobId: job.id, action, reason }),
    applies,
  });

/** Has a job stop and undo what it did, likewise. */
export const cancelJob = (
  hosting: Hosting,
  job: Hosted,
  { reason, applies }: { reason: string; applies: Decision['applies'] },
): Promise<void> =>
  reach(hosting, {
    job,
    deliver: (workflowId) => deliverCancel(hosting.client, workflowId, { jobId: job.id, reason }),
    applies,
  });

async function reach(hosting: Hosting, { job, deliver, applies }: Decision): Promise<void> {
  let { workflowId } = job;
  for (let round = 1; round <= tries; round += 1) {
    const delivery = await deliver(workflowId).catch(async (cause: unknown) => {
      // The answer was lost, or is late; what the database says by now tells whether the message was heard.
      if (await applies()) throw unheard(job, cause);
      return { is: 'taken' } as const;
    });
    if (delivery.is === 'taken') return;
    if (!(await applies())) {
      throw new MillwrightError('conflict', `Job ${job.id} has gone on in the meantime. Look at it again.`, {
        jobId: job.id,
      });
    }
    if (delivery.is === 'gone') {
      await begin(hosting, job);
      // The job of an operation whose batch has ended moves to a workflow of its own.
      workflowId = (await workflowIdOf(hosting.sql, job.id)) ?? workflowId;
    }
    await pause(betweenMs);
  }
  throw unheard(job);
}

const unheard = ({ id }: Hosted, cause?: unknown): MillwrightError =>
  new MillwrightError(
    'unavailable',
    `Nobody took it: Temporal, or every control worker, does not answer now. It may still be heard later: look at job ${id} before you ask again.`,
    { jobId: id, cause },
  );

/** Gives a job a workflow: its first, where it has not been begun. */
async function begin({ sql, client, sealer }: Hosting, job: Hosted): Promise<void> {
  const pending = await pendingJob(sql, job.id);
  if (pending && (await startJob(client, { ...pending, input: await openInput(sealer, job.id, pending.input) })))
    return;
  await reviveJob({ sql, client, sealer }, job);
}

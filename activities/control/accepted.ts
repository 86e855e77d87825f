import type { Sql } from 'postgres';
import { jobForWork, jobState, moveJob } from '../../src/db/queries/batch-work.ts';
import type { Checkpoint, Job } from '../../src/domain/job.ts';
import type { ControlDependencies } from './index.ts';

/**
 * Accepts a job whose id was fixed beforehand. Another may have accepted it in the meantime; that keeps this one from
 * being accepted, and is no fault.
 */
export async function acceptUnlessThere<Given>(
  sql: Sql,
  jobId: string,
  accept: () => Promise<Given>,
): Promise<Given | undefined> {
  try {
    return await accept();
  } catch (error) {
    if (!(await jobState(sql, jobId))) throw error;
    return undefined;
  }
}

/** A job that has been accepted, as this workflow is to go on with it. Throws where its secrets cannot be opened. */
export async function acceptedJob(
  { database: { sql }, sealer }: ControlDependencies,
  jobId: string,
): Promise<{ readonly job: Job; readonly checkpoint: Checkpoint; readonly workflowId: string }> {
  const accepted = await jobForWork(sql, sealer, jobId);
  if (!accepted) throw new Error(`job ${jobId} was accepted and is not there`);
  return accepted;
}

/** The same job for its new host: an earlier workflow may have had it, and is gone. */
export const hostedBy = async (
  { database: { sql } }: ControlDependencies,
  { job, workflowId }: { readonly job: Job; readonly workflowId: string },
  host: string,
): Promise<Job> => (workflowId === host ? job : { ...job, epoch: await moveJob(sql, job.id, host) });

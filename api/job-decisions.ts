import { auditedAround } from '../src/db/queries/audit.ts';
import { findJob } from '../src/db/queries/jobs.ts';
import type { Act } from '../src/domain/audit.ts';
import { hasEnded, type JobView, mayCancel, type Settlement } from '../src/domain/job.ts';
import { MillwrightError } from '../src/errors.ts';
import type { Caller } from '../src/requests/caller.ts';
import { cancelPending } from '../src/requests/cancel-pending.ts';
import { cancelJob, settleJob } from '../temporal/decide.ts';
import type { ApiDependencies } from './env.ts';
import { workflowUrl } from './workflow-url.ts';

/** They end a job by somebody's word of what is at the provider: a tenant's would let it leave things there, uncounted. */
const takenOnTrust: readonly Settlement[] = ['skip', 'mark-done'];

const onlyOperators = (action: Settlement): MillwrightError =>
  new MillwrightError(
    'forbidden',
    `"${action}" takes somebody's word for what is at the provider, and so is an operator's to say. "retry" finds out.`,
  );

const cannotSettle = ({ id, state, settlements }: JobView, action: Settlement): MillwrightError =>
  new MillwrightError(
    'conflict',
    state === 'HELD'
      ? `Job ${id} cannot be settled by ${action}. What applies: ${settlements.join(', ')}.`
      : `Job ${id} is ${state}, not HELD; there is nothing to settle.`,
    { jobId: id },
  );

const cannotCancel = ({ id, state, rollback }: JobView): MillwrightError =>
  new MillwrightError(
    'conflict',
    hasEnded(state)
      ? `Job ${id} has ended: it is ${state}.`
      : `Job ${id} is being undone already (rollback: ${rollback}). ${state === 'HELD' ? 'Settle it.' : 'Follow it to its end.'}`,
    { jobId: id },
  );

const notFound = (id: string): MillwrightError =>
  new MillwrightError('not_found', `There is no job "${id}" in this project.`);

/** For the record: who decides what of a job, and why. */
const decision = (
  { actor, origin }: Caller,
  { id, organizationId, projectId, resource }: JobView,
  action: `job.settle.${Settlement}` | 'job.cancel',
  reason: string,
): Act => ({ organizationId, projectId, actor, origin, action, resource, jobId: id, reason });

interface Settle {
  readonly action: Settlement;
  readonly reason: string;
  /** Whether the caller may take somebody's word for what is at the provider. */
  readonly isOperator: boolean;
}

/** What may be decided of a job, on record; each gives the job as it then is. */
export function jobDecisions(dependencies: ApiDependencies) {
  const { database, temporal, sealer } = dependencies;
  const urlOf = workflowUrl(dependencies);
  const { sql } = database;
  const hosting = { sql, client: temporal, sealer };

  async function find(projectId: string, id: string): Promise<JobView> {
    const job = await findJob(sql, projectId, id, urlOf);
    if (!job) throw notFound(id);
    return job;
  }

  return {
    find,
    async settle(caller: Caller, id: string, { action, reason, isOperator }: Settle): Promise<JobView> {
      const job = await find(caller.project.id, id);
      if (!job.settlements.includes(action)) throw cannotSettle(job, action);
      if (takenOnTrust.includes(action) && !isOperator) throw onlyOperators(action);
      const applies = async () => (await find(job.projectId, id)).settlements.includes(action);
      await auditedAround(sql, decision(caller, job, `job.settle.${action}`, reason), () =>
        settleJob(hosting, job, { action, reason, applies }),
      );
      return await find(caller.project.id, id);
    },
    async cancel(caller: Caller, id: string, reason: string): Promise<JobView> {
      const job = await find(caller.project.id, id);
      if (!mayCancel(job)) throw cannotCancel(job);
      if (!job.cancelRequested) {
        const applies = async () => {
          const now = await find(job.projectId, id);
          return mayCancel(now) && !now.cancelRequested;
        };
        await auditedAround(sql, decision(caller, job, 'job.cancel', reason), async () => {
          if (!(await cancelPending(sql, job, reason))) await cancelJob(hosting, job, { reason, applies });
        });
      }
      return await find(caller.project.id, id);
    },
  };
}

import type { JobView } from '../../src/domain/job.ts';
import type { ResourceKind } from '../../src/domain/kinds.ts';
import type { Auditor } from './auditor.ts';

/** What the auditor holds that a resource must be, by how its jobs ended and what was decided of them. */
export interface Expected {
  readonly id: string;
  readonly projectId: string;
  readonly kind: ResourceKind;
  readonly name: string;
  readonly region: string;
  /** Whether the API shows it, and as what. */
  record: 'resting' | 'error' | 'none';
  /** Whether the provider has it. `either`: a job ended as it was, and somebody wanted it so. */
  provider: 'there' | 'either' | 'none';
}

const failed = { record: 'error', provider: 'either' } as const;

/** Every resource that there ever was, by its id. `jobs`: all of them, the oldest first, each ended. */
export function expectedResources(jobs: readonly JobView[], auditor: Auditor): ReadonlyMap<string, Expected> {
  const all = new Map<string, Expected>();
  for (const job of jobs) {
    if (job.type === 'batch.apply') continue;
    const { id, kind, name } = job.resource;
    if (job.type.endsWith('.create')) {
      const place = { id, projectId: job.projectId, kind: kind as ResourceKind, name, region: job.region ?? '' };
      all.set(id, { ...place, ...afterCreate(job, auditor) });
      continue;
    }
    const before = all.get(id);
    if (before) Object.assign(before, afterDelete(job, before, auditor));
    else auditor.find(`job ${job.id} deletes ${kind} ${id}, which no job has created`);
  }
  return all;
}

type End = Pick<Expected, 'record' | 'provider'>;

function afterCreate(job: JobView, auditor: Auditor): End {
  const byHand = auditor.maybe(job.id, 'mark-done', 'skip');
  if (job.state === 'SUCCEEDED') return { record: 'resting', provider: byHand ? 'either' : 'there' };
  if (job.rollback === 'complete') return { record: 'none', provider: byHand ? 'either' : 'none' };
  if (job.steps.length === 0) return { record: 'none', provider: 'none' };
  if (!mayEndAsItIs(job, auditor))
    auditor.find(`job ${job.id} (${job.type}, ${job.state}) ended without rollback, and nobody wanted it so`);
  if (job.leftovers.length === 0)
    auditor.find(`job ${job.id} (${job.type}, ${job.state}) ended as it was, and names no leftovers`);
  return failed;
}

function afterDelete(job: JobView, before: Expected, auditor: Auditor): End {
  if (job.state === 'SUCCEEDED') {
    const byHand = auditor.maybe(job.id, 'mark-done', 'skip');
    return { record: 'none', provider: byHand && before.provider !== 'none' ? 'either' : 'none' };
  }
  // Canceled or refused before it had done anything.
  if (job.steps.length === 0) return before;
  // What was empty is made anew; somebody's word that it was stands for it.
  if (job.rollback === 'complete')
    return auditor.maybe(job.id, 'mark-done', 'skip') ? { record: before.record, provider: 'either' } : before;
  if (job.state === 'FAILED' && !mayEndAsItIs(job, auditor))
    auditor.find(`job ${job.id} (${job.type}) failed, and nobody wanted it so`);
  return failed;
}

/** By its request's policy, an operator's word, or (an operation's job) its batch's. */
function mayEndAsItIs(job: JobView, auditor: Auditor): boolean {
  if (job.onFailure === 'keep' || auditor.maybe(job.id, 'abandon')) return true;
  // A batch takes back by deletions that fail at once: it is the batch that is then held.
  return job.batchId !== null && job.type.endsWith('.delete') && job.onFailure === 'rollback';
}

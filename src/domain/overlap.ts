import type { ResourceKind, Verb } from './kinds.ts';
import { lives } from './life.ts';

/** What may be asked of a resource that is there. `update` changes labels and protection, and begins no job. */
type Act = 'update' | 'delete';

/**
 * What may be asked of a resource while a job is at work on it. Whatever is not `true` here is refused, naming the job
 * in the way. One that is not at work on it any more, but held, is in the way just as well.
 */
const mayOverlap: Readonly<Record<Verb, Readonly<Record<Act, boolean>>>> = {
  create: { update: true, delete: false },
  delete: { update: false, delete: false },
};

/** Whether a job that has a resource in this status lets this be done beside it. */
export function overlaps(kind: ResourceKind, status: string, act: Act): boolean {
  const atWork = (['create', 'delete'] as const).find((verb) => lives[kind][verb].during === status);
  return atWork !== undefined && mayOverlap[atWork][act];
}

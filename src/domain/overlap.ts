import { type ActType, type ResourceKind, verbsOf } from './kinds.ts';
import { moveFor } from './life.ts';

/** What may be asked of a resource that is there. `update` changes labels and protection, and begins no job. */
export type Wish = 'update' | 'delete' | ActType;

/**
 * What may be asked of a resource while a job is at work on it. Whatever is not `true` here is refused, naming the job
 * in the way. One that is not at work on it any more, but held, is in the way just as well.
 */
const mayOverlap = {
  create: { update: true, delete: false, act: false },
  delete: { update: false, delete: false, act: false },
  act: { update: true, delete: false, act: false },
} as const;

/** Whether a job that has a resource in this status lets this be done beside it. */
export function overlaps(kind: ResourceKind, status: string, wish: Wish): boolean {
  const atWork = verbsOf[kind].find((verb) => moveFor(kind, verb).during === status);
  if (atWork === undefined) return false;
  const row = mayOverlap[atWork === 'create' || atWork === 'delete' ? atWork : 'act'];
  return row[wish === 'update' || wish === 'delete' ? wish : 'act'];
}

import type { OperationState } from '../domain/batch.ts';
import type { ActiveView, Wait } from '../domain/batch-progress.ts';
import type { FailurePolicy, JobState, RollbackState } from '../domain/job.ts';
import type { ErrorInfo } from '../errors.ts';
import { memberOf } from './schedule.ts';

/** A batch at one moment, as far as its operations wait for it. Times are ISO 8601. */
export interface BatchNow {
  readonly id: string;
  readonly jobId: string;
  readonly state: JobState;
  readonly rollback: RollbackState;
  readonly onFailure: FailurePolicy;
  readonly parallelLimit: number;
  readonly limits: Readonly<Record<string, number>>;
  readonly pausedAt: string | null;
  readonly pausedBy: string | null;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  /** What is replaced, and has deleted its old and not begun its new: it keeps its place in its groups. */
  readonly halfReplaced: readonly string[];
  /** The first operation that failed and has the whole batch taken back. */
  readonly stoppedBy: string | null;
}

/** An operation under way, being taken back, or at rest until a time or somebody's word. */
export interface Active {
  readonly id: string;
  readonly state: ActiveView['state'];
  readonly region: string | null;
  readonly startedAt: string | null;
  readonly waitUntil: string | null;
  /** Of an approval: what it asks, and the least role that may say. */
  readonly message: string | null;
  readonly role: string | null;
  readonly jobId: string | null;
  readonly jobState: JobState | null;
  readonly error: ErrorInfo | null;
  readonly nextAttemptAt: string | null;
  readonly step: string | null;
  readonly attempts: number;
  readonly stepStartedAt: string | null;
  readonly stepEndedAt: string | null;
}

/** An operation that has not begun, with what it waits for. */
export interface Pending {
  readonly id: string;
  /** How many operations it waits for. */
  readonly unmet: number;
  /** Some of them, the first of the file first. */
  readonly named: readonly {
    readonly id: string;
    readonly state: OperationState;
    readonly jobState: JobState | null;
    readonly error: ErrorInfo | null;
  }[];
  /** When the last of its dependencies ended. */
  readonly readyAt: string | null;
}

export const namedAtMost = 3;

/** Whether an operation takes one of its batch's slots: one that is held has given its own back. */
const takesSlot = ({ state, jobState }: Active): boolean =>
  (state === 'RUNNING' || state === 'ROLLING_BACK') && jobState !== 'HELD';

/** What keeps operations from beginning, whichever they are. */
export interface Pressure {
  readonly underWay: number;
  readonly fullGroups: readonly {
    readonly id: string;
    readonly limit: number;
    /** What has a place: an operation, and likewise what is replaced, with both its halves. */
    readonly members: ReadonlySet<string>;
  }[];
}

/** What is held, or waits, gives its slot to another, and keeps its place in its groups; a rollback has no such limits. */
export function pressureOf({ limits, halfReplaced }: BatchNow, active: readonly Active[]): Pressure {
  const placed = active.flatMap(({ id, state }) => (state === 'RUNNING' || state === 'WAITING' ? [memberOf(id)] : []));
  const fullGroups = Object.entries(limits).flatMap(([id, limit]) => {
    const members = new Set([...placed, ...halfReplaced].filter((member) => member.startsWith(`${id}/`)));
    return members.size >= limit ? [{ id, limit, members }] : [];
  });
  return { underWay: active.filter(takesSlot).length, fullGroups };
}

const words = (wait: Pick<Wait, 'kind' | 'reason'> & Partial<Wait>): Wait => ({ since: null, until: null, ...wait });

/** What a batch as a whole waits for, and so each of its operations that could begin. */
function batchWait(batch: BatchNow): Wait | undefined {
  if (batch.state === 'PENDING')
    return words({ kind: 'worker', reason: 'a control worker to start the batch', since: batch.createdAt });
  if (batch.state === 'HELD')
    return words({
      kind: 'decision',
      reason: `a decision on the batch, which is held: "millwright job settle ${batch.jobId} ACTION --reason …"`,
    });
  if (batch.pausedAt)
    return words({
      kind: 'paused',
      reason: `the batch to be resumed: ${batch.pausedBy ?? 'somebody'} paused it. "millwright batch resume ${batch.id} --reason …"`,
      since: batch.pausedAt,
    });
  return undefined;
}

/** Why an operation has not begun; null where its batch has ended. */
export function waitOfPending(batch: BatchNow, pressure: Pressure, pending: Pending): Wait | null {
  if (batch.endedAt) return null;
  if (batch.rollback !== 'none' || batch.stoppedBy !== null)
    return words({
      kind: 'end',
      reason: `nothing: it will be left out, because ${batch.stoppedBy === null ? 'the batch is taken back' : `"${batch.stoppedBy}" failed and the batch is taken back`}`,
    });
  const since = pending.readyAt ?? batch.startedAt ?? batch.createdAt;
  if (batch.state === 'HELD') return batchWait(batch) ?? null;
  if (pending.unmet > 0) return words({ kind: 'operations', reason: operationsOf(pending), since });
  const whole = batchWait(batch);
  if (whole) return whole;
  const group = pressure.fullGroups.find(
    ({ id, members }) => pending.id.startsWith(`${id}/`) && !members.has(memberOf(pending.id)),
  );
  if (group)
    return words({
      kind: 'group',
      reason: `a place in group "${group.id}": its limit is ${group.limit}, and ${group.members.size} have one`,
      since,
    });
  if (pressure.underWay >= batch.parallelLimit)
    return words({
      kind: 'slot',
      reason: `a slot: parallelLimit is ${batch.parallelLimit}, and ${pressure.underWay} are under way`,
      since,
    });
  return words({ kind: 'worker', reason: 'the control worker, which is about to begin it', since });
}

/** `"db" (RETRYING: no answer), "net" (RUNNING) and 5 more`. */
function operationsOf({ unmet, named }: Pending): string {
  const shown = named.map(({ id, state, jobState, error }) => {
    const doing = jobState === 'HELD' || jobState === 'RETRYING' ? jobState : state;
    return `"${id}" (${doing}${error ? `: ${error.message}` : ''})`;
  });
  const more = unmet - shown.length;
  return `${unmet === 1 ? 'operation' : 'operations'} ${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** What an operation that has begun waits for; null while it is at work. */
export function waitOfActive(batch: BatchNow, active: Active, isAway: (region: string) => boolean): Wait | null {
  if (batch.endedAt) return null;
  const { state, jobState, startedAt, waitUntil, stepStartedAt, region } = active;
  if (state === 'WAITING') return waitOfWaiting(batch, active);
  if (jobState === 'HELD')
    return words({
      kind: 'decision',
      reason: `a decision on job ${active.jobId}${because(active)}. "millwright job settle ${active.jobId} ACTION --reason …"`,
      since: active.stepEndedAt ?? stepStartedAt ?? startedAt,
    });
  if (state === 'ROLLBACK_FAILED') return batch.state === 'HELD' ? (batchWait(batch) ?? null) : null;
  if (jobState === 'RETRYING')
    return words({
      kind: 'retry',
      reason: `the next try of step "${active.step}": attempt ${active.attempts} failed${because(active)}`,
      since: stepStartedAt,
      until: active.nextAttemptAt,
    });
  if (region !== null && isAway(region))
    return words({
      kind: 'region',
      reason: `a worker of region ${region}: none is running. "millwright worker region --region ${region}"`,
      since: stepStartedAt ?? startedAt,
      until: waitUntil,
    });
  return null;
}

const because = ({ error }: Active): string => (error ? `: ${error.message}` : '');

function waitOfWaiting({ id }: BatchNow, active: Active): Wait {
  const { startedAt: since, waitUntil: until } = active;
  if (active.message === null)
    return words({ kind: 'time', reason: `its time${until ? `, ${until}` : ''}`, since, until });
  return words({
    kind: 'approval',
    reason: `the approval of ${roleName(active.role ?? 'member')}: ${active.message}. "millwright batch approve ${id} ${active.id} --reason …"`,
    since,
    until,
  });
}

const roleName = (role: string): string => `${/^[aeiou]/.test(role) ? 'an' : 'a'} ${role}`;

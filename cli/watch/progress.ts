import type { BatchDetail } from '../../src/domain/batch.ts';
import { hasEnded, type JobEvent, type JobView } from '../../src/domain/job.ts';

/** A step of one job, an operation of a batch, or one of several jobs. */
export interface ProgressLine {
  readonly name: string;
  /** Empty for a step. */
  readonly type: string;
  state: string;
  step: string | null;
  attempts: number;
  nextAttemptAt: string | null;
  error: string | null;
  startedAt: string | null;
  endedAt: string | null;
}

/** What a progress display knows of the jobs it follows. */
export interface Progress {
  readonly title: string;
  readonly jobIds: ReadonlySet<string>;
  /** Of what there is one line each. */
  readonly unit: 'step' | 'operation' | 'job';
  state: string;
  startedAt: string;
  endedAt: string | null;
  readonly lines: Map<string, ProgressLine>;
}

export const doneStates: readonly string[] = ['SUCCEEDED', 'UNCHANGED'];
/** What needs attention first. */
export const activeStates: readonly string[] = ['HELD', 'ROLLBACK_FAILED', 'RETRYING', 'ROLLING_BACK', 'RUNNING'];

const newLine = (name: string, type: string, state: string): ProgressLine => ({
  name,
  type,
  state,
  step: null,
  attempts: 0,
  nextAttemptAt: null,
  error: null,
  startedAt: null,
  endedAt: null,
});

/** Of one job its steps are followed, of a batch its operations, of several jobs each. */
export function createProgress(jobs: readonly JobView[], batch?: BatchDetail): Progress {
  const [first] = jobs;
  const several = jobs.length > 1;
  const progress: Progress = {
    title: several ? `${jobs.length} jobs` : `${first?.type} ${first?.resource.name}`,
    jobIds: new Set(jobs.map(({ id }) => id)),
    unit: several ? 'job' : first?.type === 'batch.apply' ? 'operation' : 'step',
    state: several ? 'RUNNING' : (first?.state ?? 'PENDING'),
    startedAt: first?.startedAt ?? first?.createdAt ?? new Date().toISOString(),
    endedAt: null,
    lines: new Map(several ? jobs.map((job) => [job.id, newLine(job.resource.name, job.type, job.state)]) : []),
  };
  if (batch) readBatch(progress, batch);
  return progress;
}

/** What the API knows of a batch beside its jobs' events: operations that stay as they are, that wait, that were skipped. */
export function readBatch({ lines }: Progress, { operations }: BatchDetail): void {
  for (const { id, type, state, error, startedAt, endedAt } of operations) {
    const line = lines.get(id);
    const seen = { state, error: error?.message ?? null, startedAt, endedAt };
    if (!line) lines.set(id, { ...newLine(id, type, state), ...seen });
    // Events tell more of what is under way, and may have come while the batch was read.
    else if (state !== 'PENDING' && (state !== 'RUNNING' || line.state === 'PENDING')) Object.assign(line, seen);
  }
}

export function track(progress: Progress, event: JobEvent): void {
  const own = progress.jobIds.has(event.jobId);
  if (own && progress.unit !== 'job') {
    progress.state = stateOf(event);
    if (hasEnded(event.state)) progress.endedAt = event.at;
  }
  const line = lineOf(progress, event, own);
  if (!line) return;
  const { step, error, at } = event;
  if (progress.unit !== 'step') line.state = line.type === event.type ? stateOf(event) : stateOfUndo(event);
  else if (step) line.state = step.state;
  line.step = step?.name ?? null;
  line.attempts = step?.attempts ?? 0;
  line.nextAttemptAt = step?.nextAttemptAt ?? null;
  line.error = error?.message ?? null;
  line.startedAt ??= at;
  line.endedAt = [...activeStates, 'UNDOING', 'PENDING'].includes(line.state) ? null : at;
}

const stateOf = ({ state, rollback }: JobEvent): string =>
  rollback === 'running' && !hasEnded(state) ? 'ROLLING_BACK' : state;

/** An operation is taken back by a job of the opposite type, whose success is the operation's end. */
function stateOfUndo({ state }: JobEvent): string {
  if (state === 'SUCCEEDED') return 'ROLLED_BACK';
  if (hasEnded(state)) return 'ROLLBACK_FAILED';
  return state === 'RUNNING' || state === 'PENDING' ? 'ROLLING_BACK' : state;
}

function lineOf(
  { unit, lines }: Progress,
  { jobId, operationId, type, step }: JobEvent,
  own: boolean,
): ProgressLine | undefined {
  if (unit === 'job') return lines.get(jobId);
  const name = unit === 'operation' ? operationId : own ? step?.name : null;
  if (!name) return undefined;
  const line = lines.get(name) ?? newLine(name, unit === 'operation' ? type : '', 'PENDING');
  lines.set(name, line);
  return line;
}

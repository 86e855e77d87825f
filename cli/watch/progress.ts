import { hasEnded, type JobEvent, type JobView } from '../../src/domain/job.ts';

/** A step of one job, or one of several jobs. */
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
  readonly unit: 'step' | 'job';
  state: string;
  startedAt: string;
  endedAt: string | null;
  readonly lines: Map<string, ProgressLine>;
}

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

/** Of one job its steps are followed, of several jobs each. */
export function createProgress(jobs: readonly JobView[]): Progress {
  const [first] = jobs;
  const several = jobs.length > 1;
  return {
    title: several ? `${jobs.length} jobs` : `${first?.type} ${first?.resource.name}`,
    jobIds: new Set(jobs.map(({ id }) => id)),
    unit: several ? 'job' : 'step',
    state: several ? 'RUNNING' : (first?.state ?? 'PENDING'),
    startedAt: first?.startedAt ?? first?.createdAt ?? new Date().toISOString(),
    endedAt: null,
    lines: new Map(several ? jobs.map((job) => [job.id, newLine(job.resource.name, job.type, job.state)]) : []),
  };
}

export function track(progress: Progress, event: JobEvent): void {
  const own = progress.jobIds.has(event.jobId);
  if (own && progress.unit === 'step') {
    progress.state = stateOf(event);
    if (hasEnded(event.state)) progress.endedAt = event.at;
  }
  const line = lineOf(progress, event, own);
  if (!line) return;
  const { step, error, at } = event;
  if (progress.unit === 'job') line.state = stateOf(event);
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

function lineOf({ unit, lines }: Progress, { jobId, step }: JobEvent, own: boolean): ProgressLine | undefined {
  if (unit === 'job') return lines.get(jobId);
  const name = own ? step?.name : undefined;
  if (!name) return undefined;
  const line = lines.get(name) ?? newLine(name, '', 'PENDING');
  lines.set(name, line);
  return line;
}

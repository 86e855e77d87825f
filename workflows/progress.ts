import type { Job, JobResult, JobState, RollbackState, StepState } from '../src/domain/job.ts';
import type { StepChange, Transition } from '../src/domain/transition.ts';
import type { ErrorInfo } from '../src/errors.ts';
import type { AttemptReport } from '../temporal/names.ts';
import { record } from './record.ts';

const isoNow = (): string => new Date().toISOString();

interface JobNow {
  readonly state: JobState;
  readonly rollback: RollbackState;
  readonly error: ErrorInfo | null;
  readonly nextAttemptAt: string | null;
  readonly leftovers: readonly string[];
}

interface StepNow {
  readonly state?: StepState;
  readonly attempts?: number;
  readonly error?: ErrorInfo | null;
  readonly nextAttemptAt?: string | null;
  readonly providerReference?: string | null;
}

/** Called with each change of a job, for whoever hosts it: its text in the Temporal Web UI. */
export type Watcher = (job: Pick<Job, 'id' | 'resourceName'>, now: JobNow, step: StepChange | undefined) => void;
let watcher: Watcher = () => undefined;
export function watchProgress(watch: Watcher): void {
  watcher = watch;
}

/** Where a job stands, and the one way by which a change of it is recorded. */
export class Progress {
  readonly #job: Pick<Job, 'id' | 'resourceName'>;
  readonly #steps = new Map<string, StepChange>();
  readonly #noted: Transition[] = [];
  #current: string | undefined;
  #sequence: number;
  #now: JobNow = { state: 'RUNNING', rollback: 'none', error: null, nextAttemptAt: null, leftovers: [] };

  constructor(job: Pick<Job, 'id' | 'resourceName' | 'sequence'>) {
    this.#job = job;
    this.#sequence = job.sequence;
  }

  /** Records the job's new state. Gives why it was refused, or null. */
  tell(
    change: Partial<JobNow>,
    more: Pick<Transition, 'resource' | 'result' | 'step'> = {},
  ): Promise<ErrorInfo | null> {
    this.note(change, more);
    const noted = this.#noted.splice(0);
    const recorded = Promise.all(noted.map(record)).then(
      (refusals) => refusals.find((refusal) => refusal !== null) ?? null,
    );
    // Most callers go on without waiting; those that wait still see a failure.
    recorded.catch(() => undefined);
    return recorded;
  }

  /** Keeps a change to be recorded together with the next, where one is sure to follow at once. */
  note(change: Partial<JobNow>, more: Pick<Transition, 'resource' | 'result' | 'step'> = {}): void {
    this.#now = { ...this.#now, ...change };
    this.#sequence += 1;
    watcher(this.#job, this.#now, more.step);
    this.#noted.push({ jobId: this.#job.id, sequence: this.#sequence, at: isoNow(), ...this.#now, ...more });
  }

  /** Records the new state of a step, the job's with it. */
  step(name: string, change: StepNow, job: Partial<JobNow> = {}): Promise<ErrorInfo | null> {
    return this.tell(job, { step: this.#changed(name, change) });
  }

  /** Notes that a step has come to its end: the next, or the end of the job, is recorded with it. */
  stepEnded(name: string, change: StepNow): void {
    this.note(
      { state: 'RUNNING', nextAttemptAt: null },
      { step: this.#changed(name, { ...change, nextAttemptAt: null }) },
    );
  }

  #changed(name: string, change: StepNow): StepChange {
    const before = this.#steps.get(name) ?? {
      position: this.#steps.size + 1,
      name,
      state: 'RUNNING',
      attempts: 1,
      error: null,
      nextAttemptAt: null,
      providerReference: null,
      startedAt: isoNow(),
      endedAt: null,
    };
    const state = change.state ?? before.state;
    const goesOn = state === 'RUNNING' || state === 'RETRYING' || state === 'UNDOING';
    const step: StepChange = { ...before, ...change, state, endedAt: goesOn ? null : isoNow() };
    this.#steps.set(name, step);
    this.#current = goesOn ? name : undefined;
    return step;
  }

  /** An attempt of the step under way failed and will be made again, or is being made again. Late news is dropped. */
  attempt(report: AttemptReport): void {
    const step = this.#steps.get(report.step);
    if (!step || this.#current !== report.step) return;
    const undoing = this.#now.rollback === 'running';
    if (report.failed) {
      const { error, nextAttemptAt } = report.failed;
      void this.step(
        report.step,
        { state: undoing ? 'UNDOING' : 'RETRYING', attempts: report.attempt, error, nextAttemptAt },
        { state: 'RETRYING', nextAttemptAt },
      );
    } else {
      void this.step(
        report.step,
        { state: undoing ? 'UNDOING' : 'RUNNING', attempts: report.attempt, nextAttemptAt: null },
        { state: 'RUNNING', nextAttemptAt: null },
      );
    }
  }

  /** Records the end of the job. */
  end(state: JobState, resource: Transition['resource'], result?: JobResult): Promise<ErrorInfo | null> {
    return this.tell(
      { state, nextAttemptAt: null, leftovers: [] },
      { ...(resource ? { resource } : {}), ...(result ? { result } : {}) },
    );
  }
}

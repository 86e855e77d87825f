import type { Checkpoint, Job, JobResult, JobState, RollbackState, StepState } from '../src/domain/job.ts';
import type { StepChange, Transition } from '../src/domain/transition.ts';
import type { ErrorInfo } from '../src/errors.ts';
import type { AttemptReport } from '../temporal/names.ts';
import { record } from './record.ts';

const isoNow = (): string => new Date().toISOString();

export interface JobNow {
  readonly state: JobState;
  readonly rollback: RollbackState;
  readonly error: ErrorInfo | null;
  readonly cancelRequested: boolean;
  readonly nextAttemptAt: string | null;
  readonly leftovers: readonly string[];
}

interface StepNow {
  readonly state?: StepState;
  readonly attempts?: number;
  readonly error?: ErrorInfo | null;
  readonly nextAttemptAt?: string | null;
  readonly startedAt?: string;
  readonly result?: JobResult;
}

type More = Pick<Transition, 'resource' | 'result' | 'step'>;

/** What there is to know of a job before its first transition of this workflow. */
export type Begun = Pick<Job, 'id' | 'resourceName' | 'sequence' | 'epoch' | 'checkpoint'>;

/** Called with each change of a job, for whoever hosts it: its text in the Temporal Web UI. */
export type Watcher = (job: Pick<Job, 'id' | 'resourceName'>, now: JobNow, step: StepChange | undefined) => void;
let watcher: Watcher = () => undefined;
export function watchProgress(watch: Watcher): void {
  watcher = watch;
}

/** Where a job stands, and the one way by which a change of it is recorded. */
export class Progress {
  readonly #job: Begun;
  readonly #steps: Map<string, StepChange>;
  /** How often a step had been tried when its present turn began. */
  readonly #triedBefore = new Map<string, number>();
  readonly #noted: Transition[] = [];
  readonly #recorded: (() => void)[] = [];
  #current: string | undefined;
  #sequence: number;
  #now: JobNow;

  constructor(job: Begun) {
    this.#job = job;
    this.#sequence = job.sequence;
    const { steps, ...now } = job.checkpoint ?? fresh;
    this.#now = { ...now, nextAttemptAt: null };
    this.#steps = new Map(steps.map((step) => [step.name, step]));
  }

  get now(): JobNow {
    return this.#now;
  }

  /** For the workflow that goes on with the job: what it is to begin with. */
  get handedOver(): Pick<Begun, 'sequence' | 'checkpoint'> {
    const { nextAttemptAt: _, ...now } = this.#now;
    return { sequence: this.#sequence, checkpoint: { ...now, steps: [...this.#steps.values()] } };
  }

  /** A step as it now is; undefined where it has not begun. */
  stepNow(name: string): StepChange | undefined {
    return this.#steps.get(name);
  }

  /** The steps that have begun and are not done. */
  get unfinished(): readonly string[] {
    return [...this.#steps.values()].filter(({ result }) => result === null).map(({ name }) => name);
  }

  /** What all steps that are done gave. */
  get results(): JobResult {
    return Object.assign({}, ...[...this.#steps.values()].map(({ result }) => result));
  }

  /** Resolves when the next transition has been recorded. */
  recorded(): Promise<void> {
    return new Promise((resolve) => this.#recorded.push(resolve));
  }

  /** Records the job's new state. Gives why it was refused, or null. */
  tell(change: Partial<JobNow>, more: More = {}): Promise<ErrorInfo | null> {
    this.note(change, more);
    const noted = this.#noted.splice(0);
    const waiting = this.#recorded.splice(0);
    const recorded = Promise.all(noted.map(record))
      .then((refusals) => refusals.find((refusal) => refusal !== null) ?? null)
      .finally(() => {
        for (const resolve of waiting) resolve();
      });
    // Most callers go on without waiting; those that wait still see a failure.
    recorded.catch(() => undefined);
    return recorded;
  }

  /** Keeps a change to be recorded together with the next, where one is sure to follow at once. */
  note(change: Partial<JobNow>, more: More = {}): void {
    this.#now = { ...this.#now, ...change };
    this.#sequence += 1;
    watcher(this.#job, this.#now, more.step);
    const { id, epoch } = this.#job;
    const place = { jobId: id, sequence: this.#sequence, ...(epoch ? { epoch } : {}) };
    this.#noted.push({ ...place, at: isoNow(), ...this.#now, ...more });
  }

  /** Someone wants the job canceled. While it is held, what comes of it is told with the end of the hold. */
  cancelRequested(error: ErrorInfo): void {
    if (this.#now.state === 'HELD') this.#now = { ...this.#now, cancelRequested: true };
    else void this.tell({ cancelRequested: true, error });
  }

  /** Records that a step is begun, or its undoing. */
  begin(name: string, state: 'RUNNING' | 'UNDOING'): Promise<ErrorInfo | null> {
    const before = this.#steps.get(name)?.attempts ?? 0;
    this.#triedBefore.set(name, before);
    const error = this.#now.rollback === 'none' ? { error: null } : {};
    return this.#step(
      name,
      { state, attempts: before + 1, nextAttemptAt: null, startedAt: isoNow() },
      { state: 'RUNNING', nextAttemptAt: null, leftovers: [], ...error },
    );
  }

  /** Notes that a step has come to its end: the next, or the end of the job, is recorded with it. */
  stepEnded(name: string, change: StepNow): void {
    const error = this.#now.rollback === 'none' ? { error: null } : {};
    this.note(
      { state: 'RUNNING', nextAttemptAt: null, ...error },
      { step: this.#changed(name, { ...change, nextAttemptAt: null }) },
    );
  }

  /** Records that a step counts as done because an operator says so. */
  skip(name: string): void {
    void this.#step(
      name,
      { state: 'SKIPPED', nextAttemptAt: null, result: {} },
      { state: 'RUNNING', error: null, leftovers: [] },
    );
  }

  #step(name: string, change: StepNow, job: Partial<JobNow>): Promise<ErrorInfo | null> {
    return this.tell(job, { step: this.#changed(name, change) });
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
      result: null,
      startedAt: isoNow(),
      endedAt: null,
    };
    const state = change.state ?? before.state;
    const goesOn = state === 'RUNNING' || state === 'RETRYING' || state === 'UNDOING';
    const providerReference = change.result?.providerReference ?? before.providerReference;
    const step: StepChange = { ...before, ...change, providerReference, state, endedAt: goesOn ? null : isoNow() };
    this.#steps.set(name, step);
    this.#current = goesOn ? name : undefined;
    return step;
  }

  /** An attempt of the step under way failed and will be made again, or is being made again. Late news is dropped. */
  attempt(report: AttemptReport): void {
    const step = this.#steps.get(report.step);
    if (!step || this.#current !== report.step) return;
    const undoing = this.#now.rollback === 'running';
    const attempts = (this.#triedBefore.get(report.step) ?? 0) + report.attempt;
    if (report.failed) {
      const { error, nextAttemptAt } = report.failed;
      void this.#step(
        report.step,
        { state: undoing ? 'UNDOING' : 'RETRYING', attempts, error, nextAttemptAt },
        { state: 'RETRYING', nextAttemptAt, ...(undoing ? {} : { error }) },
      );
    } else {
      void this.#step(
        report.step,
        { state: undoing ? 'UNDOING' : 'RUNNING', attempts, nextAttemptAt: null },
        { state: 'RUNNING', nextAttemptAt: null },
      );
    }
  }

  /** Records the end of the job, and where its resource goes with it; what `leftovers` names stays behind. */
  end(state: JobState, change: Partial<Pick<JobNow, 'rollback' | 'error' | 'leftovers'>>, more: More = {}) {
    return this.tell({ leftovers: [], ...change, state, nextAttemptAt: null }, more);
  }
}

const fresh: Checkpoint = {
  state: 'RUNNING',
  rollback: 'none',
  error: null,
  cancelRequested: false,
  leftovers: [],
  steps: [],
};

import { CancellationScope, isCancellation, sleep, workflowInfo } from '@temporalio/workflow';
import type { BeginOperation, Begun } from '../activities/types.ts';
import type { Graph, Outcome } from '../src/batch/graph.ts';
import { Schedule } from '../src/batch/schedule.ts';
import type { BatchInput, HostedOperation } from '../src/domain/start.ts';
import type { OperationEnd } from '../temporal/names.ts';
import { control } from './activities.ts';
import {
  cancelElsewhere,
  type Generation,
  HandedOver,
  hear,
  isLong,
  Reporter,
  startSuccessor,
} from './batch-generation.ts';
import { canceledError } from './failures.ts';
import { watchHolds } from './hold.ts';
import { runJob } from './job.ts';
import { beginner } from './record.ts';

/** One way through a batch's graph, forth or back. */
export interface Course {
  readonly direction: BeginOperation['direction'];
  /** What is not to be begun, and how it counts. */
  readonly ended: ReadonlyMap<string, Outcome>;
  readonly mayBegin: (id: string) => boolean;
  /** What earlier generations host of it. */
  readonly underWay: readonly HostedOperation[];
  /** Told of each end; says how it counts for those that wait for it. */
  readonly onEnd: (id: string, end: OperationEnd) => Outcome;
  /** What is begun runs in it. */
  readonly scope: CancellationScope;
  /** What the successor of this workflow is started with. */
  readonly handOver: (generation: Generation) => BatchInput;
}

/** Between one look at what is told by others and the next, in case that their word was lost. */
const firstLookMs = 30_000;
const longestLookMs = 600_000;

/**
 * Goes through a graph: begins each operation when its turn comes, hosts its job, and hands the rest over to a successor
 * when this workflow's history has grown long. Whatever goes wrong in an operation is its own end and nobody else's.
 */
export class Walk {
  readonly #input: BatchInput;
  readonly #graph: Graph;
  readonly #course: Course;
  readonly #begin: (begin: BeginOperation) => Promise<Begun>;
  readonly #reporter: Reporter;
  /** What earlier generations host, and which. */
  readonly #elsewhere: Map<string, string>;
  /** What this one hosts. */
  readonly #hosted = new Set<string>();
  /** Those that wait for a time or a decision, with what ends the wait. */
  readonly #waiting = new Map<string, () => void>();
  readonly #clock = new CancellationScope();
  #schedule: Schedule;
  #paused = false;
  /** How often somebody said that something was decided. */
  #looks = 0;
  #handsOver = false;
  #successor: string | undefined;
  #finish: (() => void) | undefined;
  #fail: ((error: unknown) => void) | undefined;

  constructor(input: BatchInput, graph: Graph, course: Course) {
    this.#input = input;
    this.#graph = graph;
    this.#course = course;
    this.#begin = beginner(input.batchId, workflowInfo().workflowId);
    this.#reporter = new Reporter(input);
    this.#elsewhere = new Map(
      course.underWay
        .filter(({ operationId }) => !course.ended.has(operationId))
        .map(({ operationId, workflowId }) => [operationId, workflowId]),
    );
    this.#schedule = this.#newSchedule({});
  }

  #newSchedule(limits: Readonly<Record<string, number>>): Schedule {
    const { parallelLimit } = this.#input;
    return new Schedule(this.#graph, {
      parallelLimit,
      limits: this.#course.direction === 'forth' ? limits : {},
      ended: this.#course.ended,
      underWay: this.#elsewhere.keys(),
    });
  }

  /** Returns when nothing is under way and nothing can be begun; throws `HandedOver` where a successor goes on. */
  async toEnd(): Promise<void> {
    const { paused, limits } = await CancellationScope.nonCancellable(() => control.lookAtBatch(this.#input.batchId));
    this.#paused = paused;
    this.#schedule = this.#newSchedule(limits);
    // One that is held gives its slot to another; one that an operator settles goes on at once, slot or not.
    watchHolds({
      held: (type) => this.#onHold(type, () => this.#schedule.pause()),
      released: (type) => this.#onHold(type, () => this.#schedule.goOn()),
    });
    const done = new Promise<void>((finish, fail) => {
      this.#finish = finish;
      this.#fail = fail;
    });
    hear({
      look: () => this.#look(),
      ended: (ends) => {
        for (const end of ends) this.#endedElsewhere(end);
      },
      adopt: (ids) => {
        for (const id of ids) if (this.#elsewhere.delete(id)) this.#run(id);
      },
    });
    if (this.#course.scope.consideredCancelled) this.stop();
    void this.#clock.run(() => this.#keepLooking()).catch(() => undefined);
    this.#fill();
    await done;
    hear(undefined);
    this.#clock.cancel();
    if (!this.#handsOver) return;
    await this.#reporter.told();
    throw new HandedOver();
  }

  /** The scope of what is under way was canceled: that goes for what others host as well. */
  stop(): void {
    void cancelElsewhere(this.#elsewhere.values());
    this.#fill();
  }

  #onHold(type: string, change: () => void): void {
    if (type === 'batch.apply' || this.#handsOver) return;
    change();
    this.#fill();
  }

  #fill(): void {
    while (!this.#handsOver) {
      const id = this.#schedule.take();
      if (id === undefined) break;
      if (!this.#course.mayBegin(id)) {
        this.#schedule.finish(id, 'failed');
      } else if (this.#paused) {
        this.#schedule.putBack(id);
        return;
      } else if (isLong(this.#input)) {
        this.#schedule.putBack(id);
        this.#handOver().catch((error: unknown) => this.#fail?.(error));
      } else this.#run(id);
    }
    if (this.#handsOver ? this.#successor !== undefined && this.#hosted.size === 0 : this.#schedule.idle)
      this.#finish?.();
  }

  #run(operationId: string): void {
    this.#hosted.add(operationId);
    this.#operation(operationId).then(
      (end) => {
        this.#hosted.delete(operationId);
        if (end === 'not yet') {
          if (!this.#handsOver) this.#schedule.putBack(operationId);
        } else if (this.#handsOver) this.#reporter.report(end);
        else this.#schedule.finish(operationId, this.#course.onEnd(operationId, end));
        this.#fill();
      },
      (error: unknown) => this.#fail?.(error),
    );
  }

  async #operation(operationId: string): Promise<OperationEnd | 'not yet'> {
    const begin: BeginOperation = { operationId, direction: this.#course.direction };
    try {
      for (;;) {
        const looks = this.#looks;
        const begun = await this.#begin(begin);
        if ('job' in begun) return { operationId, ...(await this.#course.scope.run(() => runJob(begun.job))) };
        if ('error' in begun) return { operationId, state: 'FAILED', error: begun.error };
        if ('done' in begun) return { operationId, state: 'SUCCEEDED' };
        if ('skipped' in begun) return { operationId, state: 'SKIPPED' };
        if ('paused' in begun) {
          this.#paused = true;
          return 'not yet';
        }
        // What was decided while this was asked may not be in the answer.
        if (looks === this.#looks) await this.#wait(operationId, begun.wait.until);
        if (this.#handsOver) return 'not yet';
      }
    } catch (error) {
      if (isCancellation(error)) return { operationId, state: 'CANCELED', error: canceledError('') };
      const message = error instanceof Error ? error.message : String(error);
      return { operationId, state: 'FAILED', error: { code: 'internal', message } };
    }
  }

  /** Until the time has come, or somebody has decided. A slot is not needed for that. */
  async #wait(id: string, until: string | null): Promise<void> {
    this.#schedule.pause();
    this.#fill();
    const timer = new CancellationScope();
    const { scope } = this.#course;
    try {
      await scope.run(() => {
        const told = new Promise<void>((resolve, reject) => {
          this.#waiting.set(id, resolve);
          scope.cancelRequested.catch(reject);
        });
        if (until === null) return told;
        const time = timer.run(() => sleep(Math.max(1, Date.parse(until) - Date.now())));
        return Promise.race([told, time]);
      });
    } finally {
      this.#waiting.delete(id);
      timer.cancel();
      this.#schedule.goOn();
    }
  }

  #endedElsewhere(end: OperationEnd): void {
    // Told twice, or found before it was told.
    if (!this.#elsewhere.delete(end.operationId)) return;
    if (this.#handsOver) this.#reporter.report(end);
    else this.#schedule.finish(end.operationId, this.#course.onEnd(end.operationId, end));
    this.#fill();
  }

  #look(): void {
    this.#looks += 1;
    const looks = this.#looks;
    for (const wake of this.#waiting.values()) wake();
    void CancellationScope.nonCancellable(() => control.lookAtBatch(this.#input.batchId)).then(({ paused }) => {
      // An answer to an earlier question is not news any more.
      if (looks !== this.#looks) return;
      this.#paused = paused;
      this.#fill();
    });
  }

  /** Looks itself, now and then, at what it should be told: whether it may go on, and how what others host has ended. */
  async #keepLooking(): Promise<void> {
    let pauseMs = firstLookMs;
    for (;;) {
      await sleep(pauseMs);
      pauseMs = Math.min(2 * pauseMs, longestLookMs);
      if (this.#handsOver) return;
      if (this.#paused || this.#waiting.size > 0) this.#look();
      const { batchId } = this.#input;
      const open = [...this.#elsewhere.keys()];
      if (open.length === 0) continue;
      const ends = await control.endedOperations(batchId, open, this.#course.direction);
      for (const end of ends) this.#endedElsewhere(end);
    }
  }

  async #handOver(): Promise<void> {
    this.#handsOver = true;
    const generation = (this.#input.generation ?? 1) + 1;
    // Those that merely wait need nobody to host them: the successor takes them up.
    for (const wake of this.#waiting.values()) wake();
    const { workflowId } = workflowInfo();
    const successor = await CancellationScope.nonCancellable(() =>
      startSuccessor(this.#input, generation, () =>
        this.#course.handOver({
          generation,
          underWay: [
            ...[...this.#elsewhere].map(([operationId, host]) => ({ operationId, workflowId: host })),
            ...[...this.#hosted].map((operationId) => ({ operationId, workflowId })),
          ],
        }),
      ),
    );
    this.#successor = successor;
    this.#reporter.reportTo(successor);
    this.#fill();
  }
}

import { CancellationScope, setCurrentDetails, sleep } from '@temporalio/workflow';
import type { BatchGraph } from '../activities/types.ts';
import { dependantsFirst, type Graph, type Outcome } from '../src/batch/graph.ts';
import type { FailurePolicy } from '../src/domain/job-states.ts';
import type { BatchInput } from '../src/domain/start.ts';
import type { ErrorInfo } from '../src/errors.ts';
import type { OperationEnd } from '../temporal/names.ts';
import { control } from './activities.ts';
import { type Generation, HandedOver, handleGenerations } from './batch-generation.ts';
import { type Course, Walk } from './batch-walk.ts';
import { canceledError } from './failures.ts';
import { hold } from './hold.ts';
import { endAs } from './job.ts';
import { handleMessages, type Listener, listen, unlisten } from './messages.ts';
import { Progress, watchProgress } from './progress.ts';
import type { SagaEnd } from './saga.ts';

type Operation = BatchGraph['operations'][number];

/**
 * One generation of a batch: it holds the graph and the schedule, and hosts the jobs of the operations that it begins.
 * What each operation is, and what it gave, stays in the database. When its history has grown long it starts its
 * successor, which begins whatever is still to begin, sees its own jobs to their end, and tells how each ended.
 */
export async function hostBatch(input: BatchInput): Promise<void> {
  handleMessages();
  handleGenerations();
  const batch = new Batch(input);
  try {
    await endAs(await batch.run());
  } catch (error) {
    if (!(error instanceof HandedOver)) throw error;
  }
}

interface Failure {
  readonly operationId: string;
  readonly policy: FailurePolicy;
  readonly end: Pick<OperationEnd, 'state' | 'error'>;
}

/** The first operation that failed speaks for the batch. */
const errorOf = ({ operationId, end }: Failure): ErrorInfo => ({
  ...(end.error ?? { code: 'internal', message: 'failed' }),
  message: `Operation "${operationId}": ${end.error?.message ?? 'failed.'}`,
});

const isDone = (state: Operation['state']): boolean =>
  state === 'SUCCEEDED' || state === 'UNCHANGED' || state === 'ROLLING_BACK' || state === 'ROLLBACK_FAILED';
const hasFailed = (state: Operation['state']): state is 'FAILED' | 'CANCELED' =>
  state === 'FAILED' || state === 'CANCELED';
const isUnderWay = (state: Operation['state']): boolean => state === 'RUNNING' || state === 'WAITING';

class Batch {
  readonly #input: BatchInput;
  readonly #progress: Progress;
  readonly #listener: Listener;
  #scope = new CancellationScope();
  #operations: ReadonlyMap<string, Operation> = new Map();
  readonly #done = new Set<string>();
  /** Operations that failed and may have left something: an operator gave them up, or the policy is to keep it. */
  readonly #left = new Set<string>();
  readonly #failures: Failure[] = [];
  /** Set once the batch's time is up. */
  #late: ErrorInfo | undefined;
  #hasDeadline: boolean;
  #canceled = canceledError('');
  #walk: Walk | undefined;
  /** What earlier generations host when this one begins. They are seen to their end on its first way. */
  #underWay: BatchInput['underWay'] & object;

  constructor(input: BatchInput) {
    const progress = new Progress({ ...input, id: input.jobId, resourceName: input.name });
    this.#input = input;
    this.#progress = progress;
    this.#hasDeadline = input.deadlines !== undefined;
    this.#underWay = input.underWay ?? [];
    this.#listener = {
      attempt: () => undefined,
      recorded: () => progress.recorded(),
      cancel: (reason) => {
        this.#listener.cancel = undefined;
        this.#canceled = canceledError(reason);
        progress.cancelRequested(this.#canceled);
        this.#stop();
      },
    };
    this.#showProgress();
  }

  async run(): Promise<SagaEnd> {
    const { rollback, cancelRequested, state } = this.#progress.now;
    if (rollback !== 'none' || cancelRequested) this.#listener.cancel = undefined;
    const isNew = this.#input.sequence === 0 || this.#input.epoch !== undefined;
    const refused = isNew && state !== 'HELD' ? await this.#progress.tell({ state: 'RUNNING' }) : null;
    if (refused) return { state: 'FAILED', error: refused };
    await this.#load();
    listen(this.#input.jobId, this.#listener);
    for (;;) {
      if (rollback === 'none') await this.#apply();
      const next = await this.#decide();
      if (next !== 'retry') {
        this.#listener.cancel = undefined;
        return await CancellationScope.nonCancellable(() => this.#end(next));
      }
      await CancellationScope.nonCancellable(() => control.retryOperations(this.#input.batchId));
      // An operator wants it done: what it lacked in time is not counted any more.
      this.#hasDeadline = false;
      this.#late = undefined;
      await this.#load();
    }
  }

  /** The graph with its checkpoint, page by page: a result of Temporal's holds 2 MB. */
  async #load(): Promise<void> {
    const operations: Operation[] = [];
    let more: boolean | undefined;
    do {
      const page = await CancellationScope.nonCancellable(() =>
        control.loadBatch(this.#input.batchId, operations.length),
      );
      operations.push(...page.operations);
      more = page.more;
    } while (more);
    this.#operations = new Map(operations.map((operation) => [operation.id, operation]));
    this.#left.clear();
    this.#failures.length = 0;
    for (const { id, state, error, left } of operations) {
      if (isDone(state)) this.#done.add(id);
      if (left) this.#left.add(id);
      if (hasFailed(state)) this.#failed(id, { state, ...(error ? { error } : {}) });
    }
  }

  #failed(operationId: string, end: Failure['end']): void {
    const policy = this.#operations.get(operationId)?.onFailure ?? this.#input.onFailure ?? 'rollback';
    this.#failures.push({ operationId, policy, end });
  }

  /** Nothing more is begun, and what is under way is given up. */
  #stop(): void {
    this.#scope.cancel();
    this.#walk?.stop();
  }

  get #isCanceled(): boolean {
    return this.#progress.now.cancelRequested || (this.#scope.consideredCancelled && !this.#late);
  }

  get #isStopped(): boolean {
    return this.#isCanceled || this.#late !== undefined || this.#failures.some(({ policy }) => policy === 'rollback');
  }

  /**
   * Runs each operation as soon as its dependencies allow, until all that can be done is. One that fails keeps any other
   * from beginning where the batch is then rolled back; else only those that depend on it.
   */
  async #apply(): Promise<void> {
    this.#scope = new CancellationScope();
    if (this.#progress.now.cancelRequested) this.#scope.cancel();
    const clock = new CancellationScope();
    void clock.run(() => this.#watchDeadline()).catch(() => undefined);
    const operations = [...this.#operations.values()];
    const ended = new Map<string, Outcome>();
    for (const { id, state } of operations) {
      if (isDone(state) || state === 'SKIPPED') ended.set(id, 'done');
      if (hasFailed(state)) ended.set(id, 'failed');
    }
    const begun = new Set(operations.filter(({ state }) => isUnderWay(state)).map(({ id }) => id));
    await this.#go(operations, {
      direction: 'forth',
      ended,
      // What was begun before the workflow was lost is seen to its end, whatever that is.
      mayBegin: (id) => !this.#isStopped || begun.has(id),
      onEnd: (id, end) => {
        if (end.state === 'SUCCEEDED') this.#done.add(id);
        if (end.state === 'SUCCEEDED' || end.state === 'SKIPPED') return 'done';
        this.#failed(id, end);
        if (end.leftovers?.length) this.#left.add(id);
        return 'failed';
      },
    });
    clock.cancel();
  }

  async #watchDeadline(): Promise<void> {
    const at = this.#input.deadlines?.jobAt;
    if (!at || !this.#hasDeadline) return;
    await sleep(Math.max(1, Date.parse(at) - Date.now()));
    this.#late = { code: 'unavailable', message: `The batch was not done by its deadline, ${at}.` };
    this.#stop();
  }

  async #go(graph: Graph, course: Omit<Course, 'scope' | 'underWay' | 'handOver'>): Promise<void> {
    const handOver = (generation: Generation): BatchInput => {
      unlisten(this.#input.jobId);
      const { deadlines, ...input } = this.#input;
      const time = deadlines && this.#hasDeadline ? { deadlines } : {};
      return { ...input, ...time, ...this.#progress.handedOver, ...generation };
    };
    const underWay = this.#underWay;
    this.#underWay = [];
    this.#walk = new Walk(this.#input, graph, { ...course, scope: this.#scope, underWay, handOver });
    await this.#walk.toEnd();
    this.#walk = undefined;
  }

  /** How the batch goes on when nothing more can be begun: the policies say, or an operator. */
  async #decide(): Promise<'done' | 'keep' | 'rollback' | 'retry'> {
    const { now } = this.#progress;
    if (now.rollback !== 'none' || this.#isCanceled) return 'rollback';
    const policy = this.#policy();
    if (policy === undefined) return 'done';
    if (policy !== 'hold') return policy;
    const held = { rollback: 'none', leftovers: [], error: this.#error() } as const;
    // The time that is up keeps nobody from deciding.
    const scope = new CancellationScope();
    this.#scope = scope;
    const action = await scope
      .run(() => hold('batch.apply', this.#listener, this.#progress, held))
      .catch(() => 'cancel' as const);
    if (action === 'retry') {
      void this.#progress.tell({ state: 'RUNNING', error: null });
      return 'retry';
    }
    return action === 'abandon' ? 'keep' : 'rollback';
  }

  /** Of several that failed, the one that undoes most; undefined where all is done. */
  #policy(): FailurePolicy | undefined {
    const policies = this.#failures.map(({ policy }) => policy);
    if (this.#late) policies.push(this.#input.onFailure ?? 'rollback');
    return (['rollback', 'hold', 'keep'] as const).find((policy) => policies.includes(policy));
  }

  #error(): ErrorInfo {
    if (this.#late) return this.#late;
    const [first] = this.#failures;
    return first ? errorOf(first) : this.#canceled;
  }

  async #end(how: 'done' | 'keep' | 'rollback'): Promise<SagaEnd> {
    const before = this.#progress.now;
    if (how === 'done') {
      await this.#progress.end('SUCCEEDED', { error: null });
      return { state: 'SUCCEEDED' };
    }
    const wasCanceled = this.#isCanceled || (!this.#late && this.#failures[0]?.end.state === 'CANCELED');
    const state = wasCanceled ? 'CANCELED' : 'FAILED';
    const error = before.error ?? (this.#isCanceled ? this.#canceled : this.#error());
    await this.#cancelBegun((await control.skipOperations(this.#input.batchId)) ?? []);
    if (how === 'keep') {
      await this.#progress.end('FAILED', { error, leftovers: [...this.#left] });
      return { state: 'FAILED', error };
    }
    return await this.#undo(state, error);
  }

  /** Ends what a workflow task began that was lost: its job is on record, and has done nothing yet that it would not undo. */
  async #cancelBegun(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    const begun = new Set(ids);
    const operations = [...this.#operations.values()].filter(({ id }) => begun.has(id));
    this.#scope = new CancellationScope();
    this.#scope.cancel();
    const onEnd = (): Outcome => 'done';
    const free = operations.map((operation) => ({ ...operation, dependsOn: [], softDependsOn: [] }));
    await this.#go(free, { direction: 'forth', ended: new Map(), mayBegin: () => true, onEnd });
  }

  async #undo(state: 'FAILED' | 'CANCELED', error: ErrorInfo): Promise<SagaEnd> {
    const { now } = this.#progress;
    let stuck = now.state === 'HELD' && now.rollback === 'stuck';
    let left: readonly string[] = now.leftovers.filter((id) => !this.#left.has(id));
    for (;;) {
      if (stuck) {
        const held = { rollback: 'stuck', leftovers: left } as const;
        const action = await hold('batch.apply', this.#listener, this.#progress, held);
        if (action === 'mark-done') break;
        if (action === 'abandon') {
          await this.#progress.end('FAILED', { error, leftovers: [...this.#left, ...left] });
          return { state: 'FAILED', error };
        }
      }
      const cancelRequested = state === 'CANCELED';
      void this.#progress.tell({ state: 'RUNNING', rollback: 'running', error, cancelRequested, leftovers: [] });
      left = await this.#rollBack();
      if (left.length === 0) break;
      stuck = true;
    }
    const leftovers = [...this.#left];
    await this.#progress.end(state, { error, rollback: leftovers.length > 0 ? 'stuck' : 'complete', leftovers });
    return { state, error };
  }

  /** Takes back what was done, dependants first, in parallel where the graph allows; gives what could not be. */
  async #rollBack(): Promise<readonly string[]> {
    const operations = [...this.#operations.values()];
    const isToDo = ({ id, state, reversible }: Operation): boolean =>
      reversible && this.#done.has(id) && state !== 'UNCHANGED';
    // What is not to be taken back still stands in the order between what is.
    const ended = new Map(operations.filter((operation) => !isToDo(operation)).map(({ id }) => [id, 'done' as const]));
    const left: string[] = [];
    this.#scope = new CancellationScope({ cancellable: false });
    await this.#go(dependantsFirst(operations), {
      direction: 'back',
      ended,
      mayBegin: () => true,
      onEnd: (id, end) => {
        if (end.state === 'SUCCEEDED') this.#done.delete(id);
        else left.push(id);
        // What could not be taken back does not keep the rest from being tried.
        return 'done';
      },
    });
    return left;
  }

  #showProgress(): void {
    const running = new Map<string, string>();
    watchProgress((job, now, step) => {
      if (job.id === this.#input.jobId) running.delete(job.id);
      else if (now.state === 'RUNNING' || now.state === 'RETRYING' || now.state === 'HELD') {
        running.set(job.id, `- \`${job.resourceName}\`: ${now.state}${step ? `, step \`${step.name}\`` : ''}`);
      } else running.delete(job.id);
      const shown = [...running.values()].slice(0, 20);
      setCurrentDetails(
        [`**batch** \`${this.#input.name}\`: ${this.#done.size} done, ${running.size} under way`, ...shown].join('\n'),
      );
    });
  }
}

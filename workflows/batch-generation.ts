import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  CancellationScope,
  defineSignal,
  getExternalWorkflowHandle,
  ParentClosePolicy,
  setHandler,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import type { BatchInput, HostedOperation } from '../src/domain/start.ts';
import {
  adoptSignal,
  batchWorkflow,
  batchWorkflowId,
  cancelSignal,
  endedSignal,
  lookSignal,
  type OperationEnd,
} from '../temporal/names.ts';
import { control } from './activities.ts';

/** What of a batch's input is its successor's own. */
export interface Generation {
  readonly generation: number;
  readonly underWay: readonly HostedOperation[];
}

/** Ends a generation that has a successor, once all that it hosted has ended. */
export class HandedOver extends Error {}

/** What other workflows, and the API, tell the walk that is under way; kept for the next while there is none. */
export interface Hearer {
  /** Something was decided: whether the batch is paused, or an approval. */
  look(): void;
  ended(ends: readonly OperationEnd[]): void;
  /** Nobody hosts these any more. */
  adopt(operationIds: readonly string[]): void;
}

const early: ((hearer: Hearer) => void)[] = [];
let hearer: Hearer | undefined;

export function hear(next: Hearer | undefined): void {
  hearer = next;
  if (next) for (const tell of early.splice(0)) tell(next);
}

function tell(telling: (hearer: Hearer) => void): void {
  if (hearer) telling(hearer);
  else early.push(telling);
}

/** To be called first by a batch's workflow. */
export function handleGenerations(): void {
  setHandler(defineSignal(lookSignal), () => tell((one) => one.look()));
  setHandler(defineSignal<[readonly OperationEnd[]]>(endedSignal), (ends) => tell((one) => one.ended(ends)));
  setHandler(defineSignal<[readonly string[]]>(adoptSignal), (ids) => tell((one) => one.adopt(ids)));
}

/** Whether this workflow's history is long enough for a batch to go on in another. */
export function isLong({ eventsAtMost }: BatchInput): boolean {
  const { continueAsNewSuggested, historyLength } = workflowInfo();
  return continueAsNewSuggested || (eventsAtMost !== undefined && historyLength >= eventsAtMost);
}

/** Starts the next generation of a batch; whoever asks for the batch's job is sent there from before it begins. */
export async function startSuccessor(input: BatchInput, generation: number, next: () => BatchInput): Promise<string> {
  const { batchId, name, organization, project } = input;
  const workflowId = batchWorkflowId(name, batchId, generation);
  await control.handOver(batchId, generation, workflowId);
  try {
    await startChild(batchWorkflow, {
      workflowId,
      args: [next()],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      workflowTaskTimeout: workflowInfo().taskTimeoutMs,
      staticSummary: `Batch ${name}, part ${generation}`,
      staticDetails: `Project ${organization}/${project}, job ${input.jobId}.`,
      searchAttributes: {
        Organization: [organization],
        Project: [project],
        Resource: [`batch/${name}`],
        State: ['RUNNING'],
        NeedsAttention: [false],
      },
    });
  } catch (error) {
    // Somebody found none yet, and gave the batch's job one from its checkpoint.
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
  return workflowId;
}

/** Tells a later generation how operations ended: the successor, or the newest where that has gone on in turn. */
export class Reporter {
  readonly #input: BatchInput;
  readonly #due: OperationEnd[] = [];
  #successor: string | undefined;
  #sending: Promise<void> | undefined;

  constructor(input: BatchInput) {
    this.#input = input;
  }

  report(end: OperationEnd): void {
    this.#due.push(end);
    this.#send();
  }

  /** From now on there is somebody to tell. */
  reportTo(successor: string): void {
    this.#successor = successor;
    this.#send();
  }

  /** Resolves when all has been told that was to be told. */
  async told(): Promise<void> {
    while (this.#sending) await this.#sending;
  }

  #send(): void {
    if (this.#successor === undefined || this.#sending || this.#due.length === 0) return;
    this.#sending = CancellationScope.nonCancellable(() => this.#sendAll()).finally(() => {
      this.#sending = undefined;
      this.#send();
    });
  }

  async #sendAll(): Promise<void> {
    // Whatever ends at the same moment goes along.
    await Promise.resolve();
    const ends = this.#due.splice(0);
    try {
      await getExternalWorkflowHandle(this.#successor ?? '').signal(endedSignal, ends);
    } catch {
      this.#successor = await control.newestHost(this.#input.batchId);
      // One that is lost is found in the database by the sweep of whoever waits for it.
      await getExternalWorkflowHandle(this.#successor)
        .signal(endedSignal, ends)
        .catch(() => undefined);
    }
  }
}

/** Has earlier generations cancel what they host of the batch: a signal that names no job is for all. */
export async function cancelElsewhere(workflowIds: Iterable<string>): Promise<void> {
  await CancellationScope.nonCancellable(() =>
    Promise.all(
      [...new Set(workflowIds)].map((id) =>
        getExternalWorkflowHandle(id)
          .signal(cancelSignal)
          .catch(() => undefined),
      ),
    ),
  );
}

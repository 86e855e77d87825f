import { defineSignal, defineUpdate, setHandler, upsertSearchAttributes } from '@temporalio/workflow';
import type { Settlement } from '../src/domain/job.ts';
import {
  type AttemptReport,
  attemptSignal,
  type CancelMessage,
  cancelSignal,
  cancelUpdate,
  type SettleMessage,
  settleSignal,
  settleUpdate,
} from '../temporal/names.ts';

/**
 * What a job hosted by this workflow understands. A job that has ended, or was never here, does not answer: an attempt
 * reported late is dropped, a settlement or a cancellation refused.
 */
export interface Listener {
  attempt(report: AttemptReport): void;
  /** Resolves when what comes of a message has been recorded. */
  recorded(): Promise<void>;
  /** Set while the job is held. */
  held?: Held | undefined;
  /** Set while the job may be canceled. */
  cancel?: ((reason: string) => void) | undefined;
}

/** A hold that waits for one of these decisions. */
interface Held {
  readonly settlements: readonly Settlement[];
  settle(action: Settlement): void;
}

const listeners = new Map<string, Listener>();

export function listen(jobId: string, listener: Listener): Listener {
  listeners.set(jobId, listener);
  return listener;
}

export function unlisten(jobId: string): void {
  listeners.delete(jobId);
}

function heldBy({ jobId, action }: SettleMessage): { listener: Listener; held: Held } {
  const listener = listeners.get(jobId);
  if (!listener?.held) throw new Error(`Job ${jobId} is not held here; only a held job can be settled.`);
  const { held } = listener;
  if (!held.settlements.includes(action))
    throw new Error(`Job ${jobId} can be settled by ${held.settlements.join(', ')}; not by ${action}.`);
  return { listener, held };
}

function cancelableBy({ jobId }: CancelMessage): (reason: string) => void {
  const listener = listeners.get(jobId);
  if (!listener?.cancel) throw new Error(`Job ${jobId} is not here, has ended, or is being undone already.`);
  return listener.cancel;
}

/** A signal without an argument is for all; one whose argument does not name a job is a slip, and is for none. */
const isMeant = (message: Partial<SettleMessage> | Partial<CancelMessage> | null | undefined): boolean =>
  message === undefined ||
  message === null ||
  (typeof message === 'object' &&
    (typeof message.jobId === 'string' || ('action' in message && !('jobID' in message))));

/** The first decision holds: whoever comes second finds the job not held any more. */
function settle(listener: Listener, held: Held, action: Settlement): void {
  listener.held = undefined;
  held.settle(action);
}

/** To be called first by every workflow that hosts jobs. */
export function handleMessages(): void {
  setHandler(defineSignal<[AttemptReport]>(attemptSignal), (report) => listeners.get(report.jobId)?.attempt(report));
  // A signal without a job is for every one that is held here, so that an operator can send it in bulk.
  setHandler(defineSignal<[Partial<SettleMessage>?]>(settleSignal), (message) => {
    if (!isMeant(message)) return;
    const action = message?.action ?? 'retry';
    for (const [jobId, listener] of [...listeners]) {
      const { held } = listener;
      if ((message?.jobId ?? jobId) === jobId && held?.settlements.includes(action)) settle(listener, held, action);
    }
  });
  setHandler(defineSignal<[Partial<CancelMessage>?]>(cancelSignal), (message) => {
    if (!isMeant(message)) return;
    for (const [jobId, { cancel }] of [...listeners]) {
      if ((message?.jobId ?? jobId) === jobId) cancel?.(message?.reason ?? '');
    }
  });
  setHandler(
    defineUpdate<void, [SettleMessage]>(settleUpdate),
    async (message) => {
      const { listener, held } = heldBy(message);
      const recorded = listener.recorded();
      settle(listener, held, message.action);
      await recorded;
    },
    { validator: (message) => void heldBy(message) },
  );
  setHandler(defineUpdate<void, [CancelMessage]>(cancelUpdate), (message) => cancelableBy(message)(message.reason), {
    validator: (message) => void cancelableBy(message),
  });
}

let heldJobs = 0;

/** Keeps the search attribute by which an operator finds the workflows that wait for a decision. */
export function needsAttention(more: 1 | -1): void {
  heldJobs += more;
  upsertSearchAttributes({ NeedsAttention: [heldJobs > 0] });
}

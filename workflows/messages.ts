import { defineSignal, defineUpdate, setHandler, upsertSearchAttributes } from '@temporalio/workflow';
import {
  type AttemptReport,
  attemptSignal,
  type SettleMessage,
  settleSignal,
  settleUpdate,
} from '../temporal/names.ts';

/**
 * The messages that a workflow understands, whichever job of those it hosts they are for. A job that has ended, or
 * was never here, does not answer: an attempt reported late is dropped, a settlement is refused.
 */
export interface Listener {
  attempt(report: AttemptReport): void;
  /** Set while the job is held. */
  settle?: (message: SettleMessage) => void;
}

const listeners = new Map<string, Listener>();

export function listen(jobId: string, listener: Listener): void {
  listeners.set(jobId, listener);
}

export function unlisten(jobId: string): void {
  listeners.delete(jobId);
}

function held(message: SettleMessage): (message: SettleMessage) => void {
  const settle = listeners.get(message.jobId)?.settle;
  if (!settle) throw new Error(`Job ${message.jobId} is not held here; only a held job can be settled.`);
  return settle;
}

/** To be called first by every workflow that hosts jobs. */
export function handleMessages(): void {
  setHandler(defineSignal<[AttemptReport]>(attemptSignal), (report) => listeners.get(report.jobId)?.attempt(report));
  setHandler(defineSignal<[Partial<SettleMessage>?]>(settleSignal), (message) => {
    for (const [jobId, { settle }] of listeners) {
      if (message?.jobId === undefined || message.jobId === jobId)
        settle?.({ action: 'retry', reason: '', ...message, jobId });
    }
  });
  setHandler(defineUpdate<void, [SettleMessage]>(settleUpdate), (message) => held(message)(message), {
    validator: (message) => void held(message),
  });
}

let heldJobs = 0;

/** Keeps the search attribute by which an operator finds the workflows that wait for a decision. */
export function needsAttention(more: 1 | -1): void {
  heldJobs += more;
  upsertSearchAttributes({ NeedsAttention: [heldJobs > 0] });
}

import type { SagaType } from '../src/domain/kinds.ts';

/** Names that both sides of Temporal agree on. Pure: workflows import this file. */
export const controlQueue = 'control';
export const regionQueue = (region: string): string => `region.${region}`;

export const defaultNamespace = 'millwright';

/** Search attributes of every workflow, and their types in Temporal. */
export const searchAttributes = {
  Organization: 'Keyword',
  Project: 'Keyword',
  Resource: 'Keyword',
  Region: 'Keyword',
  State: 'Keyword',
  NeedsAttention: 'Bool',
} as const;

/** The name of a type's workflow: `vm.create` → `createVm`, `bare-metal-host.provide` → `provideBareMetalHost`. */
export function workflowName(type: SagaType): string {
  const [kind = '', verb = ''] = type.split('.');
  const camel = (text: string) => text.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase());
  const noun = camel(`-${kind}`);
  return `${camel(verb)}${noun}`;
}
export const batchWorkflow = 'hostBatch';
export const consoleWorkflow = 'readConsole';
export const reconcileWorkflow = 'reconcile';
/** Also how the ids of its runs begin. */
export const scheduleIdOf = (region: string, provider: string): string => `reconcile/${region}/${provider}`;
/** What reads a VM's console: the call that its region's worker gets, and how many lines are wanted. */
export interface ConsoleRead {
  readonly call: import('../activities/types.ts').RegionCall;
  readonly lines: number;
}
export type ConsoleText =
  | { readonly lines: readonly string[] }
  | { readonly refused: import('../src/errors.ts').ErrorInfo };

/** `vm/create/web-1.9f3c0a4b17de`: readable, and unique by the 48 random bits that end a job's id. */
export const jobWorkflowId = (type: SagaType, resourceName: string, jobId: string): string =>
  `${type.replace('.', '/')}/${resourceName}.${jobId.slice(-12)}`;
export const batchWorkflowId = (name: string, batchId: string, generation: number): string =>
  `batch/${name}.${batchId.slice(-12)}/${generation}`;

/** A region worker's heartbeat comes every second; one that misses this many milliseconds has lost its activities. */
export const heartbeatTimeoutMs = 4000;
export const heartbeatIntervalMs = 1000;

/** Tells a workflow how an attempt of one of its steps went; sent by the region worker's interceptor. */
export const attemptSignal = 'attempt';
export interface AttemptReport {
  readonly jobId: string;
  readonly step: string;
  readonly attempt: number;
  /** Set when the attempt failed; absent when a later attempt begins. */
  readonly failed?: { readonly error: import('../src/errors.ts').ErrorInfo; readonly nextAttemptAt: string };
}

/** Settles a held job: as an Update (which answers) and as a Signal (which can be sent from Temporal's UI in bulk). */
export const settleUpdate = 'settle';
export const settleSignal = 'settleSignal';
export interface SettleMessage {
  readonly jobId: string;
  readonly action: import('../src/domain/job.ts').Settlement;
  readonly reason: string;
}

/** Cancels a job that its workflow hosts: as an Update, and as a Signal. Of a workflow's one job, Temporal's own cancel does the same. */
export const cancelUpdate = 'cancel';
export const cancelSignal = 'cancelSignal';
export interface CancelMessage {
  readonly jobId: string;
  readonly reason: string;
}

/** Tells a batch's workflow to look at its batch: it was paused or is to go on, or an approval was decided. */
export const lookSignal = 'look';

/** Tells the newest workflow of a batch how operations ended that an earlier one hosts. */
export const endedSignal = 'operationsEnded';
export interface OperationEnd {
  readonly operationId: string;
  readonly state: 'SUCCEEDED' | 'FAILED' | 'CANCELED' | 'SKIPPED';
  readonly error?: import('../src/errors.ts').ErrorInfo;
  /** The steps that may have left something at the provider. */
  readonly leftovers?: readonly string[];
}

/** Tells the newest workflow of a batch that the workflow that hosts these operations is gone: it is to go on with them. */
export const adoptSignal = 'adopt';

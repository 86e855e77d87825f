/** What Temporal may start, by name: `workflowName` in temporal/names.ts says which is whose. */
export { applyBatch } from './apply-batch.ts';
export { hostBatch } from './batch.ts';
export { readConsole } from './console.ts';
// Under whatever name a job of its own is started: `createVm`, `startVm`.
export { hostJob as default } from './job.ts';
export { reconcile } from './reconcile.ts';

/** What Temporal may start, by name: `workflowNames` in temporal/names.ts says which is whose. */
export { applyBatch } from './apply-batch.ts';
export { hostBatch } from './batch.ts';
export {
  hostJob as createNetwork,
  hostJob as createVm,
  hostJob as createVolume,
  hostJob as deleteNetwork,
  hostJob as deleteVm,
  hostJob as deleteVolume,
  hostJob as requestHttp,
} from './job.ts';

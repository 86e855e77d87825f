import { randomUUID } from 'node:crypto';
import type { BatchDetail, BatchOperationView, OperationState } from '../../src/domain/batch.ts';
import type { JobEvent, JobView } from '../../src/domain/job.ts';
import type { Vm } from '../../src/domain/vm.ts';

const owner = { organizationId: randomUUID(), projectId: randomUUID() };
const before = (seconds: number): string => new Date(Date.now() - seconds * 1000).toISOString();

/** Things as the API shows them. */
export const vm = (name: string, changes: Partial<Vm> = {}): Vm => ({
  ...owner,
  id: randomUUID(),
  kind: 'vm',
  name,
  status: 'running',
  statusReason: null,
  labels: {},
  provider: 'simulator',
  region: 'tpe-1',
  providerReference: null,
  deletionProtection: false,
  maintainer: null,
  currentJobId: null,
  createdAt: before(185),
  updatedAt: before(5),
  flavor: 'small',
  vcpus: 1,
  memoryMib: 2048,
  diskGib: 10,
  gpus: 0,
  image: 'debian-13',
  sshKeys: [],
  networks: [],
  volumes: [],
  address: '10.0.0.4',
  addresses: [],
  ...changes,
});

export const job = (changes: Partial<JobView> = {}): JobView => ({
  ...owner,
  id: randomUUID(),
  type: 'vm.create',
  state: 'PENDING',
  rollback: 'none',
  resource: { id: randomUUID(), kind: 'vm', name: 'web-1' },
  region: 'tpe-1',
  batchId: null,
  operationId: null,
  error: null,
  onFailure: 'rollback',
  cancelRequested: false,
  deadlineAt: null,
  nextAttemptAt: null,
  waitingFor: null,
  settlements: [],
  leftovers: [],
  steps: [],
  workflowId: 'vm/create/web-1.7f3a',
  temporalUiUrl: null,
  createdAt: before(20),
  startedAt: before(18),
  endedAt: null,
  ...changes,
});

export const event = (of: JobView, changes: Partial<JobEvent> = {}): JobEvent => ({
  jobId: of.id,
  type: of.type,
  operationId: of.operationId,
  resource: of.resource,
  state: 'RUNNING',
  rollback: 'none',
  step: null,
  error: null,
  at: '2026-11-23T12:03:04.000Z',
  ...changes,
});

export const operation = (
  id: string,
  state: OperationState,
  changes: Partial<BatchOperationView> = {},
): BatchOperationView => ({
  id,
  type: 'vm.create',
  region: 'tpe-1',
  provider: null,
  dependsOn: [],
  state,
  waitingFor: null,
  jobId: null,
  resource: null,
  outputs: null,
  error: null,
  startedAt: null,
  endedAt: null,
  ...changes,
});

export const batch = (operations: BatchOperationView[], changes: Partial<BatchDetail> = {}): BatchDetail => {
  const counts: BatchDetail['counts'] = {};
  for (const { state } of operations) counts[state] = (counts[state] ?? 0) + 1;
  return {
    ...owner,
    id: randomUUID(),
    name: 'web',
    version: 1,
    parallelLimit: 10,
    onFailure: 'rollback',
    state: 'PENDING',
    rollback: 'none',
    jobId: randomUUID(),
    counts,
    error: null,
    workflowId: null,
    createdAt: before(20),
    startedAt: null,
    endedAt: null,
    progress: {
      held: [],
      retrying: [],
      running: [],
      underWay: 0,
      waiting: [],
      next: [],
      estimatedEndAt: null,
    },
    operations,
    ...changes,
  };
};

/** The job that applies a batch. */
export const jobOf = (one: BatchDetail, changes: Partial<JobView> = {}): JobView =>
  job({
    id: one.jobId,
    type: 'batch.apply',
    resource: { id: one.id, kind: 'batch', name: one.name },
    region: null,
    ...changes,
  });

import type { Job, JobResult, VmPowerSpec, VmRebuild, VmResizeSpec, VmRestState, VmSpec } from '../src/domain/job.ts';
import type { PlacementWish } from '../src/domain/placement.ts';
import { control, region } from './activities.ts';
import { given } from './failures.ts';
import { none, type RunStep, type SagaEnd, saga } from './saga.ts';

export const createVm = (job: Job<VmSpec>): Promise<SagaEnd> =>
  saga(job, (step) => {
    const create = (spec: VmSpec): Promise<JobResult> =>
      step('create', {
        do: () => region(job, 'create').ensureVm(spec),
        undo: () => region(job, 'create').removeVm(),
      });
    // Not awaited in between where there is nothing to assign: the jobs of earlier releases go on as they began.
    const withAddresses = (spec: VmSpec): Promise<JobResult> =>
      spec.addresses === 'assigned' ? addressed({ ...job, spec }, step).then(create) : create(spec);
    const { placement } = job.spec;
    return placement ? placed(job, step, placement).then(withAddresses) : withAddresses(job.spec);
  });

/** The spec with the compute host that is to have it. A VM that is deleted gives its room back with its quota. */
async function placed(
  { id, key, region, provider, spec }: Job<VmSpec>,
  step: RunStep,
  wish: PlacementWish,
): Promise<VmSpec> {
  const { vcpus, memoryMib, diskGib, gpus = 0 } = spec;
  const room = { vcpus, memoryMib, diskGib, gpus };
  const { host } = await step('place', {
    do: async () => given(await control.placeVm({ jobId: id, key, region, provider, room, wish })),
    undo: () => control.unplaceVm(key),
  });
  return host === undefined ? spec : { ...spec, host };
}

/** The spec with the addresses that are ours to assign. A VM that is deleted gives its own back with its quota. */
async function addressed({ id, key, resourceName, spec }: Job<VmSpec>, step: RunStep): Promise<VmSpec> {
  const networks = spec.networks.map(({ key, name }) => ({ key, name }));
  const { addresses = [] } = await step('address', {
    do: async () => given(await control.assignAddresses({ jobId: id, owner: key, hostname: resourceName, networks })),
    undo: () => control.releaseAddresses(key),
  });
  const named = new Map(addresses.map(({ network, address }) => [network, { address }]));
  return { ...spec, networks: networks.map((network) => ({ ...network, ...named.get(network.name) })) };
}

export const deleteVm = (job: Job): Promise<SagaEnd> =>
  saga(job, (step) =>
    step('delete', {
      do: () => region(job, 'delete').removeVm(),
      undo: none('what a deletion took cannot be given back'),
    }),
  );

/** Start, stop, suspend and resume: each brings it into a state, and its undo into the one before. */
const powerVm =
  (name: string, state: VmRestState) =>
  (job: Job<VmPowerSpec>): Promise<SagaEnd> => {
    const { before } = job.spec;
    return saga(job, (step) =>
      step(name, {
        do: () => region(job, name).setVmState(state),
        undo: before ? () => region(job, name).setVmState(before) : none('nobody knows what state it was in'),
      }),
    );
  };

export const startVm = powerVm('start', 'running');
export const stopVm = powerVm('stop', 'stopped');
export const suspendVm = powerVm('suspend', 'suspended');
export const resumeVm = powerVm('resume', 'running');

export const rebootVm = (job: Job): Promise<SagaEnd> =>
  saga(job, (step) =>
    step('reboot', {
      do: () => region(job, 'reboot').rebootVm(job.id),
      undo: none('a reboot that has begun cannot be taken back'),
    }),
  );

export const resizeVm = (job: Job<VmResizeSpec>): Promise<SagaEnd> =>
  saga(job, (step) => {
    const { after, before, claims } = job.spec;
    const resize = (): Promise<JobResult> =>
      step('resize', {
        do: () => region(job, 'resize').resizeVm(after),
        undo: () => region(job, 'resize').resizeVm(before),
      });
    return claims ? claimed(job, step).then(resize) : resize();
  });

/** Room for the larger of both, before it grows. What is too much is given back with its quota, when the job has ended. */
function claimed({ id, key, spec: { after, before } }: Job<VmResizeSpec>, step: RunStep): Promise<JobResult> {
  const size = {
    vcpus: Math.max(after.vcpus, before.vcpus),
    memoryMib: Math.max(after.memoryMib, before.memoryMib),
    diskGib: Math.max(after.diskGib, before.diskGib),
  };
  return step('claim', {
    do: async () => given(await control.resizePlacement({ jobId: id, key, size })),
    undo: async () => given(await control.resizePlacement({ jobId: id, key, size: before })),
  });
}

export const rebuildVm = (job: Job<VmRebuild>): Promise<SagaEnd> =>
  saga(job, (step) =>
    step('rebuild', {
      do: () => region(job, 'rebuild').rebuildVm(job.spec, job.id),
      undo: none('what the disk held is gone'),
    }),
  );

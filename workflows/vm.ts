import type { Job, JobResult, VmSpec } from '../src/domain/job.ts';
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
    return job.spec.addresses === 'assigned' ? addressed(job, step).then(create) : create(job.spec);
  });

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

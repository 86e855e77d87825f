import { expect } from 'vitest';
import { fragileRegion } from '../../harness/check-saga.ts';
import { computeHost } from '../../harness/compute-hosts.ts';
import { sagas } from './cases.ts';
import { sagaSuiteOf } from './suite.ts';

const withStep = (type: 'vm.create' | 'vm.resize', name: string) => ({
  ...sagas[type],
  steps: [{ name }, ...sagas[type].steps],
});

/** In regions with compute hosts: what each saga claims of them is there while its VM is, and no longer. */
sagaSuiteOf(
  {
    'vm.create': withStep('vm.create', 'place'),
    'vm.delete': sagas['vm.delete'],
    'vm.resize': withStep('vm.resize', 'claim'),
  },
  async ({ api }) => {
    for (const region of ['tpe-1', fragileRegion]) {
      for (const name of ['a', 'b'])
        expect(await computeHost(api, { name: `${region}-${name}`, region })).toMatchObject({ vms: 0 });
    }
  },
  'vm.create',
  'vm.delete',
  'vm.resize',
);

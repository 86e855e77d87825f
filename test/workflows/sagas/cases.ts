import { expect } from 'vitest';
import type { OperationType } from '../../../src/domain/kinds.ts';
import type { Api } from '../../harness/api.ts';
import type { SagaCase } from '../../harness/check-saga.ts';
import { hostSagas } from './hosts.ts';

const vm = (name: string, region: string) => ({ name, region, flavor: 'small', image: 'debian-13' });
const network = (name: string, region: string) => ({ name, region, cidr: '10.30.0.0/24' });
const volume = (name: string, region: string) => ({ name, region, sizeGib: 10 });

const bucket = (name: string, region: string) => ({ name, region });
const snapshot = (name: string) => ({ name, volume: `${name}-vol` });

const cluster = (name: string, region: string) => ({
  ...{ name, region, version: '1.33', image: 'debian-13' },
  controlPlane: { count: 1, flavor: 'small' },
  pools: [{ name: 'web', count: 1, flavor: 'small' }],
});

const vmAct = (verb: string, act: SagaCase['act'] = {}) => ({
  body: vm,
  act,
  steps: [{ name: verb, operation: `vm.${verb}` }],
});
const volumeAct = (verb: string, act: SagaCase['act'] = {}) => ({
  body: volume,
  act,
  steps: [{ name: verb, operation: `volume.${verb}` }],
});

const done = async (api: Api, method: string, path: string, body?: object): Promise<void> => {
  expect(await api.done(method, path, body)).toMatchObject({ state: 'SUCCEEDED' });
};
const withVm = (api: Api, name: string, region: string) => done(api, 'POST', '/vms', vm(`${name}-vm`, region));
const withVolume = (api: Api, name: string, region: string) =>
  done(api, 'POST', '/volumes', volume(`${name}-vol`, region));
const withoutVm = (api: Api, name: string) => done(api, 'DELETE', `/vms/${name}-vm`);

const withoutKey = (api: Api, name: string) => done(api, 'POST', `/buckets/${name}/revoke-key`, { key: 'app' });

/** Every saga there is; one that is missing fails the type check. */
export const sagas: { readonly [Type in OperationType]: Omit<SagaCase, 'type'> } = {
  'vm.create': { body: vm, steps: [{ name: 'create', operation: 'vm.create' }] },
  'vm.delete': { body: vm, steps: [{ name: 'delete', operation: 'vm.delete' }] },
  'vm.start': vmAct('start', { from: 'stopped', prepare: (api, name) => done(api, 'POST', `/vms/${name}/stop`, {}) }),
  'vm.stop': vmAct('stop'),
  'vm.reboot': vmAct('reboot'),
  'vm.suspend': vmAct('suspend'),
  'vm.resume': vmAct('resume', {
    from: 'suspended',
    prepare: (api, name) => done(api, 'POST', `/vms/${name}/suspend`, {}),
  }),
  'vm.resize': vmAct('resize', { ask: () => ({ flavor: 'medium' }) }),
  'vm.rebuild': vmAct('rebuild', { ask: () => ({ userData: '#cloud-config' }) }),
  'network.create': { body: network, steps: [{ name: 'create', operation: 'network.create' }] },
  'network.delete': { body: network, steps: [{ name: 'delete', operation: 'network.delete' }] },
  'volume.create': { body: volume, steps: [{ name: 'create', operation: 'volume.create' }] },
  'volume.attach': volumeAct('attach', {
    prepare: withVm,
    release: withoutVm,
    ask: (name) => ({ vm: `${name}-vm` }),
  }),
  'volume.detach': volumeAct('detach', {
    prepare: async (api, name, region) => {
      await withVm(api, name, region);
      await done(api, 'POST', `/volumes/${name}/attach`, { vm: `${name}-vm` });
    },
    release: withoutVm,
  }),
  'volume.grow': volumeAct('grow', { ask: () => ({ sizeGib: 20 }) }),
  'volume.restore': volumeAct('restore', {
    prepare: (api, name) => done(api, 'POST', '/snapshots', { name: `${name}-then`, volume: name }),
    release: (api, name) => done(api, 'DELETE', `/snapshots/${name}-then`),
    ask: (name) => ({ snapshot: `${name}-then` }),
  }),
  'snapshot.create': {
    body: snapshot,
    before: withVolume,
    steps: [{ name: 'create', operation: 'snapshot.create' }],
  },
  'snapshot.delete': {
    body: snapshot,
    before: withVolume,
    steps: [{ name: 'delete', operation: 'snapshot.delete' }],
  },
  'bucket.create': { body: bucket, steps: [{ name: 'create', operation: 'bucket.create' }] },
  'bucket.delete': {
    body: bucket,
    query: { force: 'true' },
    steps: [{ name: 'delete', operation: 'bucket.delete' }, { name: 'forget-keys' }],
  },
  'bucket.create-key': {
    body: bucket,
    act: { ask: () => ({ key: 'app' }), release: withoutKey },
    steps: [{ name: 'record' }, { name: 'create', operation: 'bucket.create-key' }],
  },
  'bucket.revoke-key': {
    body: bucket,
    act: {
      ask: () => ({ key: 'app' }),
      prepare: (api, name) => done(api, 'POST', `/buckets/${name}/create-key`, { key: 'app' }),
      release: withoutKey,
    },
    steps: [{ name: 'revoke', operation: 'bucket.revoke-key' }, { name: 'forget' }],
  },
  'volume.delete': { body: volume, steps: [{ name: 'delete', operation: 'volume.delete' }] },
  'cluster.create': {
    body: cluster,
    steps: [{ name: 'machines' }, { name: 'bootstrap', operation: 'cluster.bootstrap' }],
  },
  'cluster.delete': {
    body: cluster,
    steps: [{ name: 'remove-cluster', operation: 'cluster.delete' }, { name: 'machines' }],
  },
  'cluster.scale': {
    body: cluster,
    act: {
      ask: () => ({
        pools: [
          { name: 'web', count: 0 },
          { name: 'jobs', count: 1, flavor: 'small' },
        ],
      }),
    },
    steps: [
      { name: 'machines' },
      { name: 'join', operation: 'cluster.join', of: (name) => `${name}-jobs-0` },
      { name: 'drain', operation: 'cluster.drain', of: (name) => `${name}-web-0` },
      { name: 'remove-machines' },
    ],
  },
  ...hostSagas,
};

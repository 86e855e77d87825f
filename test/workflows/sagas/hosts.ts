import { expect } from 'vitest';
import type { Api } from '../../harness/api.ts';
import type { SagaCase } from '../../harness/check-saga.ts';

type Steps = SagaCase['steps'];
type Case = Omit<SagaCase, 'type'>;

const path = '/bare-metal-hosts';
const imageUrl = 'https://images.example.org/installer.iso';
const body = (name: string, region: string) => ({
  name,
  region,
  bmcAddress: name,
  bmcCredential: 'simulated',
  gpus: 2,
});

/** How a host gets to each state, from `enroll` on. */
const ways: Readonly<Record<string, readonly (readonly [string, object?])[]>> = {
  enroll: [],
  manageable: [['manage']],
  available: [['manage'], ['provide']],
  active: [['manage'], ['provide'], ['deploy', { imageUrl }]],
  rescue: [['manage'], ['provide'], ['deploy', { imageUrl }], ['rescue', { imageUrl }]],
};
type Verb = readonly [string, object?];

async function ask(api: Api, name: string, verbs: readonly Verb[]): Promise<void> {
  for (const [verb, asked = {}] of verbs)
    expect(await api.done('POST', `${path}/${name}/${verb}`, asked)).toMatchObject({ state: 'SUCCEEDED' });
}

/** What runs on a host keeps it from being given up. */
async function release(api: Api, name: string): Promise<void> {
  const { status } = (await api.tenant('GET', `${path}/${name}`)).body;
  if (/active|deploy|rescue/.test(status)) await ask(api, name, [['undeploy']]);
}

const act = (from: string, steps: Steps, asked?: object, more: readonly Verb[] = []): Case => ({
  body,
  steps,
  act: {
    from,
    release,
    prepare: (api, name) => ask(api, name, [...(ways[from] ?? []), ...more]),
    ...(asked ? { ask: () => asked } : {}),
  },
});
const step = (name: string, action = name) => ({ name, operation: `bare-metal-host.${action}` });
const stopped = (name: string) => ({ ...step(name), stops: true }) as const;

export const hostSagas = {
  'bare-metal-host.create': { body, steps: [{ name: 'enrol' }] },
  'bare-metal-host.delete': { body, steps: [{ name: 'release' }] },
  'bare-metal-host.manage': act('enroll', [step('verify', 'get')]),
  'bare-metal-host.inspect': act('manageable', [step('inspect', 'get')]),
  'bare-metal-host.clean': act('manageable', [stopped('clean')]),
  'bare-metal-host.provide': act('manageable', [stopped('clean')]),
  'bare-metal-host.deploy': act('available', [stopped('deploy')], { imageUrl }),
  'bare-metal-host.rebuild': act('active', [step('power-off', 'power'), stopped('deploy')]),
  'bare-metal-host.undeploy': act('active', [step('undeploy'), stopped('clean')]),
  'bare-metal-host.rescue': act('active', [stopped('rescue')], { imageUrl }),
  'bare-metal-host.unrescue': act('rescue', [step('unrescue')]),
  'bare-metal-host.adopt': act('manageable', [step('verify', 'get')]),
  'bare-metal-host.power-on': act('manageable', [step('power-on', 'power')]),
  'bare-metal-host.power-off': act('manageable', [step('power-off', 'power')], {}, [['power-on']]),
  'bare-metal-host.reboot': act('manageable', [step('reboot', 'power')]),
  'bare-metal-host.set-boot-device': act('manageable', [step('set-boot-device', 'boot')], { device: 'pxe' }),
  'bare-metal-host.insert-media': act('manageable', [step('insert-media', 'media')], { imageUrl }),
  'bare-metal-host.eject-media': act('manageable', [step('eject-media', 'media')], {}, [
    ['insert-media', { imageUrl }],
  ]),
} as const satisfies Readonly<Record<string, Case>>;

import { ProviderError } from '../../errors.ts';
import type { BareMetalDriver, HostTarget } from '../bare-metal.ts';
import type { CallContext, Driver, DriverManifest, DriverModule, DriverSettings } from '../types.ts';
import { type Client, openClient } from './client.ts';
import { inventoryOf } from './inventory.ts';
import { ejectMedia, insertMedia, setBootDevice } from './media.ts';
import { setPower } from './power.ts';
import { clean, deploy, type Machine, rescue, startFromDisk, undeploy } from './provision.ts';
import { accessTo, knownControllers, type RedfishSettings, readCredentials } from './settings.ts';
import { findSystem, foundHost, listSystems, powerOf } from './system.ts';

const manifest: DriverManifest = { name: 'redfish', version: '1.0.0', kinds: [] };

/** Hosts of metal by the Redfish of their controllers (DMTF DSP0266). */
export const redfish: DriverModule = {
  manifest,
  open: (settings) => {
    const own = settings.redfish;
    if (!own) {
      throw new ProviderError(
        'permanent',
        'precondition',
        'The driver "redfish" needs MILLWRIGHT_REDFISH_CREDENTIALS.',
      );
    }
    readCredentials(own.credentialsFile);
    return {
      manifest,
      ...nothingElse,
      bareMetal: bareMetal(settings, own),
      reachable: async () => void readCredentials(own.credentialsFile),
    };
  },
};

function bareMetal({ timeoutMs }: DriverSettings, own: RedfishSettings): BareMetalDriver {
  async function machineOf({ bmc }: HostTarget, call: CallContext): Promise<Machine> {
    call.signal.throwIfAborted();
    const client = openClient(accessTo(own, bmc), timeoutMs, call);
    const system = await findSystem(client, bmc.systemId);
    return { client, system, landingMs: own.powerLandingMs ?? 60_000 };
  }

  return {
    verify: async (host, call) => foundHost((await machineOf(host, call)).system, host.bmc.address),
    inspect: async (host, call) => {
      const { client, system } = await machineOf(host, call);
      return inventoryOf(client, system);
    },
    setPower: async (host, action, call) => setPower(await machineOf(host, call), action, call),
    setBootDevice: async (host, boot, call) => {
      const { client, system } = await machineOf(host, call);
      await setBootDevice(client, system, boot, call);
    },
    insertMedia: async (host, url, call) => {
      const { client, system } = await machineOf(host, call);
      await insertMedia(client, system, url, call);
    },
    ejectMedia: async (host, call) => {
      const { client, system } = await machineOf(host, call);
      await ejectMedia(client, system, call);
    },
    clean: async (host, call) => clean(await machineOf(host, call), own.cleaningImage, call),
    deploy: async (host, image, call) => deploy(await machineOf(host, call), image, call),
    undeploy: async (host, call) => undeploy(await machineOf(host, call), call),
    rescue: async (host, url, call) => rescue(await machineOf(host, call), url, call),
    unrescue: async (host, call) => startFromDisk(await machineOf(host, call), call),
    health: async (host, call) => {
      const { system } = await machineOf(host, call);
      const { Status: status } = system;
      const said = (status?.HealthRollup ?? status?.HealthRollUp ?? status?.Health)?.toLowerCase();
      const health = said === 'ok' || said === 'warning' || said === 'critical' ? said : 'unknown';
      return { health, power: powerOf(system) };
    },
    list: async (call) => {
      const found = [];
      for (const bmc of knownControllers(own)) {
        call.signal.throwIfAborted();
        const client: Client = openClient(accessTo(own, bmc), timeoutMs, call);
        for (const system of await listSystems(client)) found.push(foundHost(system, bmc.address));
      }
      return found;
    },
  };
}

const refuse = (): Promise<never> =>
  Promise.reject(
    new ProviderError('permanent', 'invalid', 'The provider "redfish" has hosts of metal and nothing else.'),
  );
const nothing = { ensure: refuse, remove: refuse, find: refuse, list: refuse };
const nothingElse: Pick<Driver, 'compute' | 'network' | 'storage'> = {
  compute: { ...nothing, setState: refuse, reboot: refuse, resize: refuse, rebuild: refuse, console: refuse },
  network: nothing,
  storage: {
    ...{ ...nothing, attach: refuse, detach: refuse, grow: refuse, snapshots: nothing, restore: refuse },
    buckets: { ...nothing, destroy: refuse, createKey: refuse, revokeKey: refuse },
  },
};

import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { ProviderError } from '../../errors.ts';
import type { BareMetalDriver, FoundHost, HostTarget } from '../bare-metal.ts';
import type { CallContext } from '../types.ts';
import type { Client } from './client.ts';
import { type HostWish, hostSchema, type SimulatedHost } from './host-wire.ts';

const pauseMs = 50;

/** The simulator's metal. A wish that was granted in the same operation is not granted again: that is the simulator's to know. */
export function bareMetal(client: Client): BareMetalDriver {
  const path = ({ bmc }: HostTarget): string => `/hosts/${encodeURIComponent(bmc.address)}`;
  const subjectOf = ({ name, bmc }: HostTarget): string => `"${name}" (${bmc.address})`;
  const headersOf = ({ bmc }: HostTarget) => ({ 'X-Credential': bmc.credential });

  function there(host: HostTarget, found: SimulatedHost | undefined): SimulatedHost {
    const { systemId, address } = host.bmc;
    if (found && (systemId === undefined || systemId === found.systemId)) return found;
    const what = found ? `no system "${systemId}", but "${found.systemId}"` : 'no controller';
    throw new ProviderError('permanent', 'not_found', `There is ${what} at "${address}".`);
  }

  async function look(host: HostTarget, call: CallContext): Promise<SimulatedHost> {
    const asked = { method: 'GET', operation: 'bare-metal-host.get', subject: subjectOf(host) } as const;
    const question = { ...asked, path: path(host), headers: headersOf(host), answer: hostSchema.optional() };
    return there(host, await client(question, call));
  }

  /** Looks first, asks, and looks until nothing is being done any more. */
  async function grant(
    host: HostTarget,
    wish: HostWish,
    call: CallContext,
    isThere: (now: SimulatedHost) => boolean = () => false,
  ): Promise<SimulatedHost> {
    const before = await look(host, call);
    if (before.busy === null && isThere(before)) return before;
    const asked = { method: 'POST', operation: `bare-metal-host.${wish.action}`, subject: subjectOf(host) } as const;
    const body = { operation: host.operation, wish };
    const question = { ...asked, path: `${path(host)}/${wish.action}`, headers: headersOf(host), body };
    let now = there(host, await client({ ...question, answer: hostSchema.optional() }, call));
    const startedAt = performance.now();
    while (now.busy !== null) {
      call.progress(`${now.busy}, ${Math.floor((performance.now() - startedAt) / 1000)} s`);
      await sleep(pauseMs, undefined, { signal: call.signal }).catch(() => call.signal.throwIfAborted());
      now = await look(host, call);
    }
    return now;
  }

  return {
    verify: async (host, call) => found(await look(host, call)),
    inspect: async (host, call) => (await look(host, call)).inventory,
    setPower: async (host, action, call) => {
      const isThere = ({ power }: SimulatedHost) =>
        action === 'on' ? power === 'on' : action.endsWith('off') && power === 'off';
      return (await grant(host, { action: 'power', to: action }, call, isThere)).power;
    },
    setBootDevice: async (host, boot, call) => {
      const isThere = (now: SimulatedHost) =>
        now.boot.device === boot.device && now.boot.persistence === boot.persistence;
      await grant(host, { action: 'boot', boot }, call, isThere);
    },
    insertMedia: async (host, url, call) => {
      await grant(host, { action: 'media', url }, call, ({ media }) => media === url);
    },
    ejectMedia: async (host, call) => {
      await grant(host, { action: 'media', url: null }, call, ({ media }) => media === null);
    },
    clean: async (host, call) => {
      const { inventory } = await grant(host, { action: 'clean' }, call);
      const steps = inventory.disks.map(({ name }) => ({ step: 'secure-erase' as const, target: name }));
      return { cleanedAt: new Date().toISOString(), steps };
    },
    deploy: async (host, image, call) => {
      await grant(host, { action: 'deploy', ...image }, call);
    },
    undeploy: async (host, call) => {
      await grant(host, { action: 'undeploy' }, call);
    },
    rescue: async (host, url, call) => {
      await grant(host, { action: 'rescue', url }, call);
    },
    unrescue: async (host, call) => {
      await grant(host, { action: 'unrescue' }, call);
    },
    health: async (host, call) => {
      const { health, power } = await look(host, call);
      return { health, power };
    },
    list: async (call) => {
      const asked = { method: 'GET', operation: 'bare-metal-host.list', subject: 'all hosts' } as const;
      const answer = z.object({ hosts: z.array(hostSchema) });
      return (await client({ ...asked, path: '/hosts', answer }, call)).hosts.map(found);
    },
  };
}

const found = ({ reference, address, systemId, inventory, power }: SimulatedHost): FoundHost => ({
  ...{ reference, address, systemId, model: inventory.model, serial: inventory.serial, power },
});

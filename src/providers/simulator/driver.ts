import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { BucketSpec, NetworkSpec, SnapshotSpec, VmSpec, VolumeSpec } from '../../domain/job.ts';
import { type MadeActType, type MadeKind, madeKinds, plural } from '../../domain/kinds.ts';
import { observedAtOnce } from '../../domain/observation.ts';
import { ProviderError } from '../../errors.ts';
import type { CallContext, Driver, DriverModule, Provided } from '../types.ts';
import { type Client, openClient } from './client.ts';
import { kubernetes } from './cluster-driver.ts';
import { bareMetal } from './host-driver.ts';
import { manifest } from './manifest.ts';
import { consoleSchema, observedPageSchema, providedBucketSchema, providedSchema, providedVmSchema } from './wire.ts';

/** The driver of the simulator, which it knows by HTTP alone, as any other provider. */
export const simulator: DriverModule = {
  manifest,
  open: (settings) => {
    const client = openClient(settings);
    return {
      manifest,
      compute: computeOf(client),
      network: provides(client, 'network', providedSchema, (spec: NetworkSpec) => spec),
      storage: storageOf(client),
      bareMetal: bareMetal(client),
      kubernetes: kubernetes(client),
      observer: observer(client),
      reachable: async () => {
        const answer = await fetch(new URL('/health', settings.endpoint), {
          signal: AbortSignal.timeout(settings.timeoutMs),
        });
        if (!answer.ok) throw new ProviderError('transient', 'unavailable', `The simulator answers ${answer.status}.`);
      },
    };
  },
};

const vmBody = ({ addresses: _, placement: __, ...spec }: VmSpec) => ({
  ...spec,
  networks: spec.networks.map(({ key, address }) => (address === undefined ? key : { key, address })),
  volumes: spec.volumes.map(({ key }) => key),
});

const vmSchema = providedVmSchema.transform(({ addresses, ...vm }) => ({
  ...vm,
  addresses: addresses.map(({ network, address }) => ({ network: network.name, address })),
}));

function computeOf(client: Client): Driver['compute'] {
  const vms = provides(client, 'vm', vmSchema, vmBody);
  return {
    ...vms,
    setState: async (key, state, call) => {
      const now = await vms.there(key, call);
      if (now.state === state) return now;
      const start = now.state === 'suspended' ? 'vm.resume' : 'vm.start';
      const type = ({ running: start, stopped: 'vm.stop', suspended: 'vm.suspend' } as const)[state];
      return await vms.act(key, type, {}, call);
    },
    console: async (key, lines, call) => {
      const asked = { method: 'GET', operation: 'vm.console', subject: `"${key}"` } as const;
      const path = `/vms/${encodeURIComponent(key)}/console?lines=${lines}`;
      const read = await client({ ...asked, path, answer: consoleSchema.optional() }, call);
      if (read) return read.lines;
      throw new ProviderError('permanent', 'not_found', `The provider has no vm "${key}".`);
    },
    reboot: (key, token, call) => vms.act(key, 'vm.reboot', { token }, call),
    resize: (key, size, call) => vms.act(key, 'vm.resize', size, call),
    rebuild: (key, { name: _, ...spec }, token, call) => vms.act(key, 'vm.rebuild', { ...spec, token }, call),
  };
}

function storageOf(client: Client): Driver['storage'] {
  const volumes = provides(client, 'volume', providedSchema, (spec: VolumeSpec) => spec);
  return {
    ...volumes,
    attach: (key, vm, call) => volumes.act(key, 'volume.attach', { vm }, call),
    detach: async (key, vm, call) => {
      if (await volumes.find(key, call)) await volumes.act(key, 'volume.detach', { vm }, call);
    },
    grow: (key, sizeGib, call) => volumes.act(key, 'volume.grow', { sizeGib }, call),
    snapshots: provides(client, 'snapshot', providedSchema, ({ name, volume }: SnapshotSpec) => ({
      name,
      volume: volume.key,
    })),
    restore: (key, snapshot, token, call) => volumes.act(key, 'volume.restore', { snapshot, token }, call),
    buckets: bucketsOf(client),
  };
}

function observer(client: Client): NonNullable<Driver['observer']> {
  return {
    kinds: madeKinds,
    observe: (kind, after, call) => {
      const query = new URLSearchParams({ after, limit: String(observedAtOnce) });
      const asked = { method: 'GET', operation: `${kind}.observe`, subject: `all ${plural[kind]}` } as const;
      return client({ ...asked, path: `/observations/${plural[kind]}?${query}`, answer: observedPageSchema }, call);
    },
  };
}

function bucketsOf(client: Client): Driver['storage']['buckets'] {
  const buckets = provides(client, 'bucket', providedBucketSchema, (spec: BucketSpec) => spec);
  return {
    ...buckets,
    destroy: (key, call) => buckets.remove(key, call, '?force=true'),
    createKey: (key, access, call) => buckets.act(key, 'bucket.create-key', access, call),
    revokeKey: async (key, accessKey, call) => {
      if (await buckets.find(key, call)) await buckets.act(key, 'bucket.revoke-key', { accessKey }, call);
    },
  };
}

/** The pause between two looks at what is not ready: short for what takes a moment, long enough not to press. */
const firstPauseMs = 20;
const longestPauseMs = 500;

function provides<Spec extends { readonly name: string }, Has extends Provided>(
  client: Client,
  kind: MadeKind,
  schema: z.ZodType<Has>,
  bodyOf: (spec: Spec) => object,
) {
  const path = `/${plural[kind]}`;
  const pathOf = (key: string) => `${path}/${encodeURIComponent(key)}`;

  const absentOr = schema.optional();

  const find = (key: string, call: CallContext): Promise<Has | undefined> =>
    client({ method: 'GET', path: pathOf(key), operation: `${kind}.get`, subject: `"${key}"`, answer: absentOr }, call);

  const create = (key: string, spec: Spec, call: CallContext): Promise<Has> => {
    const asked = { method: 'POST', operation: `${kind}.create`, subject: `"${spec.name}" (${key})` } as const;
    return client({ ...asked, path, body: { key, ...bodyOf(spec) }, answer: schema }, call);
  };

  /** Looks again and again, until `done`. The caller's signal ends it otherwise: the caller alone knows how long is too long. */
  async function poll(key: string, first: Has, call: CallContext, done: (now: Has | undefined) => boolean) {
    const startedAt = performance.now();
    let now: Has | undefined = first;
    for (let pauseMs = firstPauseMs; !done(now); pauseMs = Math.min(2 * pauseMs, longestPauseMs)) {
      call.progress(`${now?.state}, ${Math.floor((performance.now() - startedAt) / 1000)} s`);
      await sleep(pauseMs, undefined, { signal: call.signal }).catch(() => call.signal.throwIfAborted());
      now = await find(key, call);
    }
    return now;
  }

  /** What is there, once it rests. Throws a permanent `not_found` where there is nothing. */
  async function there(key: string, call: CallContext): Promise<Has> {
    const first = await find(key, call);
    const has =
      first && (await poll(key, first, call, (now) => now?.state !== 'building' && now?.state !== 'changing'));
    if (has && has.state !== 'deleting') return has;
    throw new ProviderError('permanent', 'not_found', `The provider has no ${kind} "${key}", or is deleting it.`);
  }

  return {
    find,
    there,

    /** Asks for a change of what rests, and returns when it rests again. */
    act: async (key: string, type: MadeActType, body: object, call: CallContext): Promise<Has> => {
      await there(key, call);
      const path = `${pathOf(key)}/${type.split('.')[1]}`;
      const asked = { method: 'POST', operation: type, subject: `"${key}"` } as const;
      await client({ ...asked, path, body, answer: schema }, call);
      return await there(key, call);
    },

    ensure: async (key: string, spec: Spec, call: CallContext): Promise<Has> => {
      const begun = (await find(key, call)) ?? (await create(key, spec, call));
      const has = await poll(key, begun, call, (now) => now?.state !== 'building');
      // One that somebody stopped since is there all the same.
      if (has && has.state !== 'deleting') return has;
      // Not waited for and made anew here: a call that its caller has given up would bring back what an undo removes.
      throw new ProviderError(
        'transient',
        'conflict',
        `The ${kind} "${spec.name}" (${key}) is being deleted, or was while it was built. It can be created once it is gone.`,
      );
    },

    remove: async (key: string, call: CallContext, how = ''): Promise<void> => {
      const asked = { method: 'DELETE', operation: `${kind}.delete`, subject: `"${key}"` } as const;
      const leaving = await client({ ...asked, path: pathOf(key) + how, answer: absentOr }, call);
      // Another one under the same key means that this one is gone.
      if (leaving) await poll(key, leaving, call, (now) => now?.reference !== leaving.reference);
    },

    list: async (call: CallContext): Promise<readonly Has[]> => {
      const asked = { method: 'GET', operation: `${kind}.list`, subject: `all ${plural[kind]}` } as const;
      const answer = z.object({ resources: z.array(schema) });
      return (await client({ ...asked, path, answer }, call)).resources;
    },
  };
}

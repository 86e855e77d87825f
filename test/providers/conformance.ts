import { randomUUID } from 'node:crypto';
import ipaddr from 'ipaddr.js';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { NetworkSpec, VmSpec, VolumeSpec } from '../../src/domain/job.ts';
import { type MadeKind, madeKinds, resourceKinds } from '../../src/domain/kinds.ts';
import type { CallContext, Driver, Provided } from '../../src/providers/types.ts';

export interface OpenedDriver {
  readonly driver: Driver;
  /** The same provider's driver, in another region. */
  readonly elsewhere: Driver;
  close(): Promise<void>;
}

/** How a caller without haste calls. */
export const call = (signal = new AbortController().signal): CallContext => ({
  signal,
  progress: () => undefined,
  stillMine: async () => undefined,
});

const named = (name: string): string => `${name}-${randomUUID().slice(0, 8)}`;
export const networkSpec = (cidr = '10.20.0.0/24'): NetworkSpec => ({ name: named('net'), cidr });
export const volumeSpec = (sizeGib = 1): VolumeSpec => ({ name: named('data'), sizeGib });
export const vmSpec = (has: Partial<VmSpec> = {}): VmSpec => ({
  ...{ name: named('web'), vcpus: 1, memoryMib: 512, diskGib: 10, image: 'debian-13' },
  ...{ sshKeys: [], userData: '', networks: [], volumes: [] },
  ...has,
});

/** One kind of a driver, its spec chosen: what holds for every kind is written once. */
interface Subject {
  ensure(key: string, context?: CallContext): Promise<Provided>;
  remove(key: string, context?: CallContext): Promise<void>;
  find(key: string, context?: CallContext): Promise<Provided | undefined>;
  list(context?: CallContext): Promise<readonly Provided[]>;
}

interface Provider<Spec> {
  ensure(key: string, spec: Spec, context: CallContext): Promise<Provided>;
  remove(key: string, context: CallContext): Promise<void>;
  find(key: string, context: CallContext): Promise<Provided | undefined>;
  list(context: CallContext): Promise<readonly Provided[]>;
}

const subject = <Spec>(provider: Provider<Spec>, spec: Spec): Subject => ({
  ensure: (key, context = call()) => provider.ensure(key, spec, context),
  remove: (key, context = call()) => provider.remove(key, context),
  find: (key, context = call()) => provider.find(key, context),
  list: (context = call()) => provider.list(context),
});

/** What the volume is known by of which a snapshot with this key is taken. */
const volumeKeyOf = (key: string): string => `${key}.volume`;

/** Snapshots, each of a volume of its own. */
function snapshotSubject(storage: Driver['storage']): Subject {
  const volume = volumeSpec();
  const name = named('before');
  const { ensure: _, ...rest } = subject(storage.snapshots, { name, volume: { key: '', name: volume.name } });
  return {
    ...rest,
    ensure: async (key, context = call()) => {
      const { key: volumeKey } = await storage.ensure(volumeKeyOf(key), volume, call());
      const of = { key: volumeKey, name: volume.name };
      return await subject(storage.snapshots, { name, volume: of }).ensure(key, context);
    },
  };
}

const subjects = ({ compute, network, storage }: Driver): Record<MadeKind, Subject> => ({
  vm: subject(compute, vmSpec()),
  network: subject(network, networkSpec()),
  volume: subject(storage, volumeSpec()),
  snapshot: snapshotSubject(storage),
  bucket: subject(storage.buckets, { name: named('objects') }),
});

/**
 * What every driver promises (src/providers/types.ts), shown on whatever `open` opens. It uses keys of its own and
 * removes all it made, so that it may run against a provider that holds other things.
 */
export function conformance(name: string, open: () => Promise<OpenedDriver>): void {
  describe(`the driver of ${name}`, () => {
    let opened: OpenedDriver;
    let keys: string[] = [];
    const newKey = (): string => {
      const key = randomUUID();
      keys.push(key);
      return key;
    };

    beforeAll(async () => {
      opened = await open();
    });
    afterAll(() => opened.close());
    afterEach(async () => {
      for (const driver of [opened.driver, opened.elsewhere]) {
        // What uses comes before what is used.
        const { vm, snapshot, volume, network, bucket } = subjects(driver);
        for (const { remove, list } of [vm, snapshot, volume, network, bucket]) {
          await Promise.all([...keys, ...keys.map(volumeKeyOf)].map((key) => remove(key)));
          expect((await list()).filter(({ key }) => keys.includes(key))).toEqual([]);
        }
      }
      keys = [];
    });

    test.for(madeKinds)(
      'shows every %s that was ensured, in the order of the keys, to who compares',
      async (kind, { skip }) => {
        const { observer } = opened.driver;
        if (!observer?.kinds.includes(kind)) return skip(`The driver of ${name} does not show its ${kind}s.`);
        const [before, key, after] = [newKey(), newKey(), newKey()].toSorted();
        if (!before || !key || !after) throw new Error('three keys are fewer than three');
        for (const each of [before, key, after]) await subjects(opened.driver)[kind].ensure(each);
        const seen: string[] = [];
        for (let from: string | undefined = ''; from !== undefined; ) {
          const { observations, more } = await observer.observe(kind, from, call());
          seen.push(...observations.map((observation) => observation.key));
          from = more ? observations.at(-1)?.key : undefined;
        }
        expect(seen).toEqual(seen.toSorted((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other))));
        expect(seen).toEqual(expect.arrayContaining([before, key, after]));
        const { observations } = await observer.observe(kind, before, call());
        expect(observations.map((observation) => observation.key).slice(0, 2)).toEqual([key, after]);
        const has = await subjects(opened.driver)[kind].find(key);
        expect(observations[0]?.fields).toMatchObject({ state: has?.state, reference: has?.reference });
      },
    );

    test('says what it is', () => {
      expect(opened.driver.manifest).toMatchObject({
        name: expect.stringMatching(/^[a-z][a-z0-9-]*$/),
        version: expect.stringMatching(/^\d+\.\d+\.\d+/),
        kinds: [...resourceKinds],
      });
    });

    describe.each(madeKinds)('%s', (kind) => {
      const here = () => subjects(opened.driver)[kind];
      const there = () => subjects(opened.elsewhere)[kind];
      const keysIn = async ({ list }: Subject) => (await list()).map(({ key }) => key);

      test('what was ensured is found and listed', async () => {
        const key = newKey();
        const made = await here().ensure(key);
        expect(made).toMatchObject({ key, reference: expect.stringMatching(/./), name: expect.stringMatching(/./) });
        const found = await here().find(key);
        expect(found).toEqual(made);
        expect((await here().list()).filter((listed) => listed.key === key)).toEqual([made]);
      });

      test('ensured again it is the same', async () => {
        const key = newKey();
        const { ensure } = here();
        const made = await ensure(key);
        expect(await ensure(key)).toEqual(made);
      });

      test('ensured many times at once it is one', async () => {
        const key = newKey();
        const { ensure, list } = here();
        const made = await Promise.all(Array.from({ length: 8 }, () => ensure(key)));
        expect(new Set(made.map(({ reference }) => reference)).size).toBe(1);
        expect((await list()).filter((listed) => listed.key === key)).toHaveLength(1);
      });

      test('another key gives another one', async () => {
        const [first, second] = [newKey(), newKey()];
        const made = [await here().ensure(first), await here().ensure(second)];
        expect(made[0]?.reference).not.toBe(made[1]?.reference);
        expect(await keysIn(here())).toEqual(expect.arrayContaining([first, second]));
      });

      test('removed it is gone, and may be removed again', async () => {
        const key = newKey();
        const { ensure, remove, find } = here();
        await ensure(key);
        await remove(key);
        expect(await find(key)).toBeUndefined();
        expect(await keysIn(here())).not.toContain(key);
        await remove(key);
      });

      test('removed many times at once it is gone', async () => {
        const key = newKey();
        const { ensure, remove, find } = here();
        await ensure(key);
        await Promise.all(Array.from({ length: 8 }, () => remove(key)));
        expect(await find(key)).toBeUndefined();
      });

      test('what never was is not found, and may be removed', async () => {
        const key = newKey();
        expect(await here().find(key)).toBeUndefined();
        await here().remove(key);
      });

      test('ensured after it was removed it is a new one', async () => {
        const key = newKey();
        const { ensure, remove } = here();
        const { reference } = await ensure(key);
        await remove(key);
        expect((await ensure(key)).reference).not.toBe(reference);
      });

      test('another region neither sees nor removes it', async () => {
        const key = newKey();
        const made = await here().ensure(key);
        expect(await there().find(key)).toBeUndefined();
        expect(await keysIn(there())).not.toContain(key);
        await there().remove(key);
        expect(await here().find(key)).toEqual(made);
      });

      test('a call that was aborted before it began throws the reason, and does nothing', async () => {
        const key = newKey();
        const reason = new Error('the activity was canceled');
        const aborted = call(AbortSignal.abort(reason));
        const { ensure, remove, find, list } = here();
        await expect(ensure(key, aborted)).rejects.toBe(reason);
        expect(await find(key)).toBeUndefined();
        const made = await ensure(key);
        await expect(remove(key, aborted)).rejects.toBe(reason);
        expect(await find(key)).toEqual(made);
        await expect(find(key, aborted)).rejects.toBe(reason);
        await expect(list(aborted)).rejects.toBe(reason);
      });
    });

    test('the console of a VM has its last lines, and what is not there has none', async () => {
      const { compute } = opened.driver;
      const key = newKey();
      await expect(compute.console(key, 10, call())).rejects.toMatchObject({ code: 'not_found' });
      await compute.ensure(key, vmSpec(), call());
      const lines = await compute.console(key, 10, call());
      expect(lines.length).toBeGreaterThan(1);
      expect(await compute.console(key, 1, call())).toEqual(lines.slice(-1));
    });

    describe('a VM with networks and volumes', () => {
      const refused = { name: 'ProviderError', providerClass: 'permanent' };
      async function newNetwork(cidr: string) {
        const spec = networkSpec(cidr);
        const { key } = await opened.driver.network.ensure(newKey(), spec, call());
        return { key, name: spec.name };
      }
      async function newVolume() {
        const spec = volumeSpec();
        const { key } = await opened.driver.storage.ensure(newKey(), spec, call());
        return { key, name: spec.name };
      }
      const newVm = (spec: VmSpec) => opened.driver.compute.ensure(newKey(), spec, call());

      test('has an address of each network, in their order', async () => {
        const blocks = ['10.30.0.0/24', '10.31.0.0/28'];
        const networks = [await newNetwork(blocks[1] ?? ''), await newNetwork(blocks[0] ?? '')];
        const { key, addresses } = await newVm(vmSpec({ networks }));
        expect(addresses.map(({ network }) => network)).toEqual(networks.map((network) => network.name));
        const inBlocks = addresses.map(({ address }) =>
          blocks.findIndex((block) => ipaddr.IPv4.parse(address).match(ipaddr.IPv4.parseCIDR(block))),
        );
        expect(inBlocks).toEqual([1, 0]);
        expect((await opened.driver.compute.find(key, call()))?.addresses).toEqual(addresses);
      });

      test('shares no address with another', async () => {
        const networks = [await newNetwork('10.32.0.0/24')];
        const made = await Promise.all(Array.from({ length: 5 }, () => newVm(vmSpec({ networks }))));
        expect(new Set(made.flatMap(({ addresses }) => addresses.map(({ address }) => address))).size).toBe(5);
      });

      test('is refused for good where a network or a volume is not there', async () => {
        const missing = [{ key: newKey(), name: 'nowhere' }];
        await expect(newVm(vmSpec({ networks: missing }))).rejects.toMatchObject(refused);
        await expect(newVm(vmSpec({ volumes: missing }))).rejects.toMatchObject(refused);
        const lists = await opened.driver.compute.list(call());
        expect(lists.filter(({ key }) => keys.includes(key))).toEqual([]);
      });

      test('keeps its networks and volumes from being removed, until it is removed', async () => {
        const { compute, network, storage } = opened.driver;
        const [net, volume] = [await newNetwork('10.33.0.0/24'), await newVolume()];
        const { key } = await newVm(vmSpec({ networks: [net], volumes: [volume] }));
        await expect(network.remove(net.key, call())).rejects.toMatchObject(refused);
        await expect(storage.remove(volume.key, call())).rejects.toMatchObject(refused);
        await compute.remove(key, call());
        await network.remove(net.key, call());
        await storage.remove(volume.key, call());
      });

      test('has its volumes for itself, until it is removed', async () => {
        const volumes = [await newVolume()];
        const { key } = await newVm(vmSpec({ volumes }));
        await expect(newVm(vmSpec({ volumes }))).rejects.toMatchObject(refused);
        await opened.driver.compute.remove(key, call());
        await newVm(vmSpec({ volumes }));
      });
    });
  });
}

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inventorySchema } from '../../src/domain/bare-metal-host.ts';
import type { BareMetalDriver, Bmc, HostTarget } from '../../src/providers/bare-metal.ts';
import { call } from './conformance.ts';

export interface OpenedHosts {
  readonly driver: BareMetalDriver;
  /** Hosts that it has: five, off and without media. */
  readonly hosts: readonly Bmc[];
  /** The address of an image: one whose name has "live" runs on, any other turns the host off when it is done. */
  image(name: string): string;
  close(): Promise<void>;
}

export const target = (bmc: Bmc | undefined): HostTarget => {
  if (!bmc) throw new Error('the provider has too few hosts');
  return { key: randomUUID(), name: 'node-1', operation: randomUUID(), bmc };
};

/** What every driver of metal promises (src/providers/bare-metal.ts), on whatever `open` opens. */
export function bareMetalConformance(name: string, open: () => Promise<OpenedHosts>): void {
  describe(`the hosts of ${name}`, () => {
    let opened: OpenedHosts;
    beforeAll(async () => {
      opened = await open();
    });
    afterAll(() => opened.close());
    const host = (index: number) => target(opened.hosts[index]);

    test.concurrent('a host is verified, again and again, and is the same', async () => {
      const { driver } = opened;
      const [first, second] = [host(0), host(1)];
      const found = await driver.verify(first, call());
      expect(found).toMatchObject({ reference: expect.stringMatching(/./), address: first.bmc.address });
      expect((await driver.verify(first, call())).reference).toBe(found.reference);
      expect((await driver.verify(second, call())).reference).not.toBe(found.reference);
    });

    test.concurrent('a credential that there is not, and a system that there is not, are refused for good', async () => {
      const { bmc } = host(0);
      const wrong = [
        { ...bmc, credential: 'nobody' },
        { ...bmc, systemId: 'nowhere' },
      ];
      for (const other of wrong) {
        const refused = { name: 'ProviderError', providerClass: 'permanent' };
        await expect(opened.driver.verify(target(other), call())).rejects.toMatchObject(refused);
      }
    });

    test.concurrent('an inspection tells of disks and interfaces, twice the same', async () => {
      const inventory = await opened.driver.inspect(host(0), call());
      expect(inventorySchema.parse(inventory)).toEqual(inventory);
      expect(inventory.disks.length).toBeGreaterThan(0);
      for (const { mac } of inventory.nics) expect(mac).toMatch(/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/);
      expect(await opened.driver.inspect(host(0), call())).toEqual(inventory);
    });

    test.concurrent('every host is listed', async () => {
      const listed = await opened.driver.list(call());
      const { reference } = await opened.driver.verify(host(0), call());
      expect(listed.map((found) => found.reference)).toContain(reference);
    });

    test.concurrent('power that was asked for has landed, also when it is asked for many times at once', async () => {
      const { driver } = opened;
      const at = host(1);
      expect(await driver.setPower(at, 'on', call())).toBe('on');
      expect((await driver.health(at, call())).power).toBe('on');
      expect(await driver.setPower(at, 'on', call())).toBe('on');
      expect(await driver.setPower(at, 'reboot', call())).toBe('on');
      await Promise.all(Array.from({ length: 4 }, () => driver.setPower(at, 'force-off', call())));
      expect((await driver.health(at, call())).power).toBe('off');
      expect(await driver.setPower(at, 'off', call())).toBe('off');
    });

    test.concurrent('media are put in, replaced and taken out, however often', async () => {
      const { driver } = opened;
      const at = host(0);
      await driver.insertMedia(at, opened.image('live-1.iso'), call());
      await driver.insertMedia(at, opened.image('live-1.iso'), call());
      await driver.insertMedia(at, opened.image('live-2.iso'), call());
      await driver.setBootDevice(at, { device: 'cd', persistence: 'once' }, call());
      await driver.setBootDevice(at, { device: 'disk', persistence: 'continuous' }, call());
      await driver.ejectMedia(at, call());
      await driver.ejectMedia(at, call());
    });

    test.concurrent('a host is cleaned, deployed, rescued, undeployed, and each may be asked for again', async () => {
      const { driver } = opened;
      const at = host(2);
      const step = () => ({ ...at, operation: randomUUID() });
      const power = async () => (await driver.health(at, call())).power;
      const record = await driver.clean(at, call());
      expect(record.steps.length).toBeGreaterThan(0);
      expect(await power()).toBe('off');
      await driver.deploy(step(), { url: opened.image('installer.iso'), until: 'powered-off' }, call());
      expect(await power()).toBe('on');
      await driver.rescue(step(), opened.image('live-rescue.iso'), call());
      const back = step();
      for (const _ of ['once', 'again']) await driver.unrescue(back, call());
      expect(await power()).toBe('on');
      const undeployment = step();
      for (const _ of ['once', 'again']) await driver.undeploy(undeployment, call());
      expect(await power()).toBe('off');
    });

    test.concurrent('an image that runs on is deployed when it is up', async () => {
      const { driver } = opened;
      await driver.deploy(host(3), { url: opened.image('live.iso'), until: 'booted' }, call());
      expect((await driver.health(host(3), call())).power).toBe('on');
      await driver.undeploy(host(3), call());
    });

    test.concurrent('a call that was aborted before it began throws the reason', async () => {
      const reason = new Error('the activity was canceled');
      const aborted = call(AbortSignal.abort(reason));
      const { driver } = opened;
      await expect(driver.setPower(host(4), 'on', aborted)).rejects.toBe(reason);
      await expect(driver.verify(host(4), aborted)).rejects.toBe(reason);
      await expect(driver.clean(host(4), aborted)).rejects.toBe(reason);
      expect((await driver.health(host(4), call())).power).toBe('off');
    });

    test.concurrent('a call that is not wanted any more changes nothing', async () => {
      const gone = new Error('given up');
      const late = { ...call(), stillMine: () => Promise.reject(gone) };
      const { driver } = opened;
      await expect(driver.setPower(host(4), 'on', late)).rejects.toBe(gone);
      await expect(driver.insertMedia(host(4), opened.image('live.iso'), late)).rejects.toBe(gone);
      await expect(driver.deploy(host(4), { url: opened.image('x.iso'), until: 'powered-off' }, late)).rejects.toBe(
        gone,
      );
      expect((await driver.health(host(4), call())).power).toBe('off');
    });
  });
}

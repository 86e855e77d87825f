import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BareMetalDriver } from '../../src/providers/bare-metal.ts';
import { openDriver } from '../../src/providers/registry.ts';
import { type Controller, startController, type Whim } from '../harness/controller.ts';
import { startSushy, sushyLogin, sushySystems, whyNoSushy } from '../harness/sushy.ts';
import { bareMetalConformance, target } from './bare-metal-conformance.ts';
import { call } from './conformance.ts';

const why = await whyNoSushy();
const hasSushy = why === undefined;
if (!hasSushy) console.warn(`The driver redfish is not tested: sushy-tools is needed, but ${why}.`);

type System = Record<string, unknown>;

/** An emulator, the controller before it, and a driver that has its credential. */
async function open({ cleaningImage = 'cleaning.iso', landingMs = 5000, timeoutMs = 5000 } = {}) {
  const sushy = await startSushy();
  const controller = await startController(sushy.url);
  const directory = await mkdtemp(join(tmpdir(), 'millwright-redfish-'));
  const credentialsFile = join(directory, 'credentials.json');
  const rack = { ...sushyLogin, addresses: [controller.url], insecure: true };
  const wrong = { ...rack, password: 'wrong' };
  await writeFile(
    credentialsFile,
    JSON.stringify({ credentials: { 'rack-a': rack, wrong: { ...wrong, addresses: ['127.0.0.0/8'] } } }),
    {
      mode: 0o600,
    },
  );
  const redfish = {
    credentialsFile,
    powerLandingMs: landingMs,
    cleaningImage: cleaningImage ? controller.image(cleaningImage) : undefined,
  };
  const { bareMetal } = openDriver('redfish', { region: 'tpe-1', endpoint: '', timeoutMs, redfish });
  if (!bareMetal) throw new Error('the driver has no hosts');
  const hosts = sushySystems.map((systemId) => ({ address: controller.url, systemId, credential: 'rack-a' }));
  return {
    driver: bareMetal,
    controller,
    credentialsFile,
    hosts,
    image: controller.image,
    close: async () => {
      await controller.close();
      await sushy.close();
      await rm(directory, { recursive: true });
    },
  };
}

/** As real ones do, which the emulator does not: it tells how far a start has come. */
const tellsOfStart: Whim = async (asked, passOn) => {
  const said = await passOn();
  const isSystem = asked.method === 'GET' && /\/Systems\/[^/]+$/.test(asked.path);
  return isSystem ? { ...said, json: { ...(said.json as System), BootProgress: { LastState: 'OSRunning' } } } : said;
};

describe.skipIf(!hasSushy)('redfish', () => {
  bareMetalConformance('redfish', async () => {
    const opened = await open();
    opened.controller.behave(tellsOfStart);
    return opened;
  });

  let opened: Awaited<ReturnType<typeof open>>;
  let driver: BareMetalDriver;
  let controller: Controller;
  beforeAll(async () => {
    opened = await open({ landingMs: 4000 });
    ({ driver, controller } = opened);
  });
  afterAll(() => opened.close());
  const host = (index = 0) => target(opened.hosts[index]);

  test('a password that is wrong, an address that a credential is not for, and a host without TLS are refused', async () => {
    controller.behave();
    const { bmc } = host();
    const refusal = (change: object) => driver.verify(target({ ...bmc, ...change }), call()).catch((error) => error);
    expect(await refusal({ credential: 'wrong' })).toMatchObject({
      providerClass: 'permanent',
      code: 'unauthenticated',
    });
    expect(await refusal({ address: 'https://192.0.2.1' })).toMatchObject({ code: 'forbidden' });
    expect(await refusal({ address: 'https://192.0.2.1', credential: 'wrong' })).toMatchObject({ code: 'forbidden' });
    expect(await refusal({ systemId: undefined })).toMatchObject({
      code: 'invalid',
      message: expect.stringContaining(bmc.systemId ?? '-'),
    });
    expect(controller.asked('192.0.2.1', 'GET')).toEqual([]);
  });

  test('what is put off with Retry-After is asked for again, and not before', async () => {
    let left = 1;
    controller.behave(async ({ method }, passOn) => {
      if (method !== 'POST' || left === 0) return passOn();
      left -= 1;
      return { status: 503, headers: { 'Retry-After': '1' }, json: undefined };
    });
    const startedAt = performance.now();
    expect(await driver.setPower(host(), 'on', call())).toBe('on');
    expect(performance.now() - startedAt).toBeGreaterThan(1000);
    expect(controller.asked('Reset')).toHaveLength(2);
  });

  test('an answer that was lost is looked for, and nothing is done twice', async () => {
    controller.behave(async ({ method }, passOn) => {
      const said = await passOn();
      return method === 'GET' ? said : 'drop';
    });
    await driver.setPower(host(1), 'on', call());
    await driver.insertMedia(host(1), controller.image('live.iso'), call());
    await driver.setBootDevice(host(1), { device: 'cd', persistence: 'once' }, call());
    expect(controller.asked('Reset')).toHaveLength(1);
    expect(controller.asked('InsertMedia')).toHaveLength(1);
    await driver.ejectMedia(host(1), call());
    expect(controller.asked('EjectMedia')).toHaveLength(1);
  });

  test('power that lands late is waited for; what never lands is told as such', async () => {
    let looks = 0;
    controller.behave(async ({ method, path }, passOn) => {
      const said = await passOn();
      if (method !== 'GET' || !/\/Systems\/[^/]+$/.test(path)) return said;
      looks += 1;
      return {
        ...said,
        json: { ...(said.json as System), PowerState: looks < 12 ? 'PoweringOn' : (said.json as System).PowerState },
      };
    });
    expect(await driver.setPower(host(2), 'on', call())).toBe('on');
    expect(looks).toBeGreaterThanOrEqual(12);
    controller.behave(async ({ method }, passOn) =>
      method === 'GET' ? passOn() : { status: 204, headers: {}, json: undefined },
    );
    const lost = { providerClass: 'transient', message: expect.stringContaining('has not come about') };
    await expect(driver.setPower(host(2), 'force-off', call())).rejects.toMatchObject(lost);
  });

  test('a shutdown that nothing comes of ends in power being taken; one that is not offered, in that at once', async () => {
    controller.behave(async ({ body }, passOn) =>
      JSON.stringify(body)?.includes('Graceful') ? { status: 204, headers: {}, json: undefined } : passOn(),
    );
    await driver.setPower(host(3), 'on', call());
    expect(await driver.setPower(host(3), 'off', call())).toBe('off');
    expect(controller.asked('Reset').map(({ body }) => body)).toEqual([
      { ResetType: 'On' },
      { ResetType: 'GracefulShutdown' },
      { ResetType: 'ForceOff' },
    ]);

    controller.behave(offers(['ForceOn', 'ForceOff']));
    expect(await driver.setPower(host(3), 'on', call())).toBe('on');
    expect(await driver.setPower(host(3), 'reboot', call())).toBe('on');
    expect(controller.asked('Reset').map(({ body }) => body)).toEqual([
      { ResetType: 'ForceOn' },
      { ResetType: 'ForceOff' },
      { ResetType: 'ForceOn' },
    ]);
    controller.behave(offers(['Nmi']));
    await expect(driver.setPower(host(3), 'force-off', call())).rejects.toMatchObject({
      code: 'precondition',
      message: expect.stringContaining('Nmi'),
    });
  });

  test.each(['changed meanwhile', 'weak', 'never right'])(
    'an ETag that is %s keeps nothing from being set',
    async (how) => {
      let version = 1;
      controller.behave(async ({ method, headers }, passOn) => {
        const etag = how === 'weak' ? `W/"${version}"` : `"${version}"`;
        if (method === 'GET') return { ...(await passOn()), headers: { ETag: etag } };
        if (method === 'PATCH') {
          const match = headers['if-match'];
          if (how === 'changed meanwhile' && version === 1) version = 2;
          if (how === 'never right' ? match !== undefined : match !== `"${version}"`) {
            return { status: 412, headers: {}, json: { error: { message: 'precondition failed' } } };
          }
        }
        return passOn();
      });
      const device = how === 'weak' ? 'disk' : 'pxe';
      await driver.setBootDevice(host(4), { device: 'cd', persistence: 'once' }, call());
      await driver.setBootDevice(host(4), { device, persistence: 'continuous' }, call());
      expect(controller.asked('/Systems/', 'PATCH').length).toBeGreaterThan(2);
    },
  );

  test('a task is waited for, and what it fails of is told', async () => {
    let state = 'Running';
    let looks = 0;
    controller.behave(async ({ method, path }, passOn) => {
      if (path === '/tasks/1') {
        looks += 1;
        const json = { TaskState: looks < 2 ? 'Running' : state, Messages: [{ Message: 'The image is not one.' }] };
        return { status: 200, headers: {}, json };
      }
      const said = await passOn();
      return method === 'POST' ? { status: 202, headers: { Location: '/tasks/1' }, json: undefined } : said;
    });
    state = 'Completed';
    await driver.insertMedia(host(5), controller.image('live.iso'), call());
    expect(looks).toBe(2);
    state = 'Exception';
    await expect(driver.setPower(host(5), 'force-reboot', call())).rejects.toMatchObject({
      providerClass: 'permanent',
      message: expect.stringContaining('The image is not one.'),
    });
  });

  test.each(['//192.0.2.1/redfish/v1/Systems/1', '/\\\\192.0.2.1/1', '/\\t/192.0.2.1/1', 'https://192.0.2.1/1'])(
    'a link %j that leads off the controller is not followed: the credential goes nowhere else',
    async (link) => {
      controller.behave(async ({ path }, passOn) => {
        if (!path.endsWith('/Systems')) return passOn();
        return { status: 200, headers: {}, json: { Members: [{ '@odata.id': link }] } };
      });
      await expect(driver.verify(host(), call())).rejects.toMatchObject({
        message: expect.stringContaining('not on it'),
      });
    },
  );

  test('a file of credentials that others may read is not used', async () => {
    controller.behave();
    await chmod(opened.credentialsFile, 0o640);
    await expect(driver.verify(host(), call())).rejects.toMatchObject({
      message: expect.stringContaining('chmod 600'),
    });
    await chmod(opened.credentialsFile, 0o600);
    await driver.verify(host(), call());
  });

  test('without a cleaning image a disk that cannot erase itself keeps a host from counting as clean', async () => {
    const bare = await open({ cleaningImage: '' });
    try {
      const at = target(bare.hosts[0]);
      await expect(bare.driver.clean(at, call())).rejects.toMatchObject({
        code: 'precondition',
        message: expect.stringContaining('0 of 2'),
      });
      expect(bare.controller.asked('')).toEqual([]);
      bare.controller.behave(erases);
      const { steps } = await bare.driver.clean(at, call());
      expect(steps).toEqual([
        { step: 'secure-erase', target: 'disk-1' },
        { step: 'secure-erase', target: 'disk-2' },
      ]);
      expect(bare.controller.asked('SecureErase')).toHaveLength(2);
    } finally {
      await bare.close();
    }
  });

  test('a deployment that is cut off while the image runs goes on with it, and does not begin anew', async () => {
    controller.behave();
    const [at, stopped] = [host(5), new AbortController()];
    const image = { url: controller.image('live-long.iso'), until: 'powered-off' } as const;
    const running = (detail: string) => void (detail.startsWith('installing') && stopped.abort(new Error('killed')));
    await expect(driver.deploy(at, image, { ...call(stopped.signal), progress: running })).rejects.toThrow('killed');
    controller.behave();
    const again = driver.deploy(at, image, {
      ...call(),
      progress: (detail) => void (detail.startsWith('installing') && driver.setPower(at, 'force-off', call())),
    });
    await again;
    expect(controller.asked('InsertMedia')).toHaveLength(0);
    expect((await driver.health(at, call())).power).toBe('on');
  });
});

/** A controller that takes these types of reset alone. */
const offers =
  (types: readonly string[]): Whim =>
  async ({ path, method }, passOn) => {
    const said = await passOn();
    if (method !== 'GET' || !/\/Systems\/[^/]+$/.test(path)) return said;
    const { Actions: actions } = said.json as { Actions: { '#ComputerSystem.Reset': object } };
    const reset = { ...actions['#ComputerSystem.Reset'], 'ResetType@Redfish.AllowableValues': types };
    return { ...said, json: { ...(said.json as System), Actions: { '#ComputerSystem.Reset': reset } } };
  };

/** A controller whose drives erase themselves. */
const erases: Whim = async ({ path, method }, passOn) => {
  if (path.endsWith('SecureErase')) return { status: 204, headers: {}, json: undefined };
  const said = await passOn();
  if (method !== 'GET' || !/\/Drives\/[^/]+$/.test(path)) return said;
  const action = { '#Drive.SecureErase': { target: `${path}/Actions/Drive.SecureErase` } };
  return { ...said, json: { ...(said.json as System), Actions: action } };
};

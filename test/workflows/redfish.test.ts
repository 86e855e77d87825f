import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Controller, startController } from '../harness/controller.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { startSushy, sushyLogin, sushySystems, whyNoSushy } from '../harness/sushy.ts';
import { until } from '../harness/until.ts';

const why = await whyNoSushy();
if (why) console.warn(`Hosts by Redfish are not tested: sushy-tools is needed, but ${why}.`);

describe.skipIf(why)('a host by Redfish', () => {
  let platform: TestPlatform;
  let controller: Controller;
  let sushy: Awaited<ReturnType<typeof startSushy>>;
  let directory: string;

  beforeAll(async () => {
    sushy = await startSushy();
    controller = await startController(sushy.url);
    directory = await mkdtemp(join(tmpdir(), 'millwright-redfish-'));
    const file = join(directory, 'credentials.json');
    const credentials = { 'rack-a': { ...sushyLogin, addresses: [controller.url], insecure: true } };
    await writeFile(file, JSON.stringify({ credentials }), { mode: 0o600 });
    platform = await startTestPlatform({
      regions: ['tpe-1'],
      environment: {
        MILLWRIGHT_REDFISH_CREDENTIALS: file,
        MILLWRIGHT_REDFISH_CLEANING_IMAGE: controller.image('cleaning.iso'),
        MILLWRIGHT_PROVIDER_TIMEOUT_MS: '5000',
      },
    });
    await platform.sql`UPDATE regions SET providers = ${['simulator', 'redfish']} WHERE name = 'tpe-1'`;
  });
  afterAll(async () => {
    await platform.stop();
    await controller.close();
    await sushy.close();
    await rm(directory, { recursive: true });
  });

  const seen = async () => (await platform.api.tenant('GET', '/bare-metal-hosts/node-1')).body;
  async function act(verb: string, body: object = {}): Promise<void> {
    const job = await platform.api.done('POST', `/bare-metal-hosts/node-1/${verb}`, body);
    expect(job).toMatchObject({ state: 'SUCCEEDED', error: null });
  }

  test('goes from enrolment to a deployment and back, its password known to the worker alone', async () => {
    const { api, sql } = platform;
    const [bmcSystemId] = sushySystems;
    const body = {
      ...{ name: 'node-1', region: 'tpe-1', provider: 'redfish' },
      ...{ bmcAddress: controller.url, bmcSystemId, bmcCredential: 'rack-a' },
    };
    await until('the region to have the provider', async () => {
      const { status } = await api.tenant('POST', '/bare-metal-hosts', body);
      return status === 202;
    });
    await until('the host to be enrolled', async () => (await seen()).currentJobId === null);
    for (const verb of ['manage', 'inspect', 'provide']) await act(verb);
    expect(await seen()).toMatchObject({
      ...{ status: 'available', power: 'off', providerReference: bmcSystemId },
      inventory: { manufacturer: 'Sushy Emulator', disks: [{ name: 'disk-1' }, { name: 'disk-2' }] },
      cleanedBy: [{ step: 'cleaning-image', target: controller.image('cleaning.iso') }],
    });
    await act('deploy', { imageUrl: controller.image('installer.iso') });
    expect(await seen()).toMatchObject({ status: 'active', power: 'on', cleanedAt: null });
    await act('undeploy');
    expect(await seen()).toMatchObject({ status: 'available', power: 'off', image: null });

    const tables = await sql<{ name: string }[]>`SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'`;
    for (const { name } of tables) {
      const rows = await sql.unsafe(`SELECT FROM "${name}" t WHERE t::text LIKE $1`, [`%${sushyLogin.password}%`]);
      expect([name, rows.length]).toEqual([name, 0]);
    }
  });

  test('a credential that the workers do not have ends in enroll, with the reason', async () => {
    const body = {
      ...{ region: 'tpe-1', provider: 'redfish' },
      ...{ bmcAddress: controller.url, bmcSystemId: sushySystems[1], bmcCredential: 'nobody' },
    };
    await platform.api.done('POST', '/bare-metal-hosts', { name: 'node-2', ...body });
    const job = await platform.api.done('POST', '/bare-metal-hosts/node-2/manage', {});
    expect(job).toMatchObject({
      state: 'FAILED',
      error: { message: expect.stringContaining('no credential "nobody"') },
    });
    const { status, statusReason } = (await platform.api.tenant('GET', '/bare-metal-hosts/node-2')).body;
    expect({ status, statusReason }).toEqual({ status: 'enroll', statusReason: job.error?.message });
  });
});

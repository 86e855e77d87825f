import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expectConsistent } from '../harness/consistency.ts';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';
import { killNow, startRoleProcess } from '../harness/role-process.ts';
import { until } from '../harness/until.ts';

const region = 'nrt-1';
const file = readFileSync(new URL('../../examples/rack.yaml', import.meta.url), 'utf8');

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform({ regions: [] });
});
afterAll(() => platform.stop());

const startWorker = () => startRoleProcess(platform.config, ['worker', 'region', '--region', region]);
const hosts = async () => (await platform.api.tenant('GET', '/bare-metal-hosts')).body.items;
const statuses = async (): Promise<string[]> => (await hosts()).map(({ status }: { status: string }) => status);

function form(): FormData {
  const body = new FormData();
  body.append('file', new Blob([file]), 'rack.yaml');
  body.append('variables', JSON.stringify({ region }));
  return body;
}

test('rack.yaml: a rack is enrolled, inspected and cleaned, although its worker is killed midway', async () => {
  const { api, simulator } = platform;
  await fetch(`${simulator.url}/hosts`, {
    method: 'POST',
    body: JSON.stringify({ region, rack: 'rack-a', count: 4, gpus: 8 }),
  });
  await simulator.settings({ latencyMs: { 'bare-metal-host.clean': 2000 } });
  let worker = await startWorker();
  try {
    expect(await api.tenant('POST', '/batches/validate', form())).toMatchObject({ status: 200 });
    const { status, body } = await api.tenant('POST', '/batches', form());
    expect({ status, detail: body.detail }).toEqual({ status: 202, detail: undefined });
    await until('hosts to be wiped', async () => (await statuses()).includes('cleaning'));
    await until('the wiping to have begun', async () => {
      const { hosts: there } = (await (await fetch(`${simulator.url}/hosts?region=${region}`)).json()) as {
        hosts: { busy: string | null }[];
      };
      return there.some(({ busy }) => busy === 'clean');
    });
    await killNow(worker);
    worker = await startWorker();
    expect(await api.jobWhen(body.job.id)).toMatchObject({ state: 'SUCCEEDED', error: null });
  } finally {
    await killNow(worker);
  }
  for (const host of await hosts()) {
    expect(host).toMatchObject({
      ...{ status: 'available', power: 'off', currentJobId: null, cleanedAt: expect.any(String) },
      cleanedBy: [
        { step: 'secure-erase', target: 'disk-0' },
        { step: 'secure-erase', target: 'disk-1' },
      ],
    });
    expect(host.inventory.gpus).toHaveLength(8);
  }
  expect(await statuses()).toHaveLength(4);
  await expectConsistent(platform);
});

test('a batch does nothing to hosts that its sender may not', async () => {
  const { api } = platform;
  const account = await api.tenant('POST', '/service-accounts', { name: 'tenant' });
  await api.tenant('POST', '/role-bindings', { role: 'admin', serviceAccount: 'tenant' });
  const { token } = (await api.tenant('POST', '/service-accounts/tenant/tokens', { name: 'tenant' })).body;
  expect(account.status).toBe(201);
  const asTenant = await fetch(`${api.url}/api/tenant/v1/batches`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: form(),
  });
  expect(asTenant.status).toBe(403);
  expect(await asTenant.json()).toMatchObject({ code: 'forbidden', detail: expect.stringContaining('role operator') });
});

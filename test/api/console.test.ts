import proto from '@temporalio/proto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform({
    regions: ['tpe-1'],
    environment: { MILLWRIGHT_PROVIDER_TIMEOUT_MS: '1000' },
  });
});
afterAll(() => platform.stop());

const vm = (name: string, region = 'tpe-1') => ({ name, region, flavor: 'small', image: 'debian-13' });
const read = (name: string, query = '') => platform.api.tenant('GET', `/vms/${name}/console-log${query}`);
const done = (method: string, path: string, body?: object) => platform.api.done(method, path, body);

test('what a VM wrote is shown, the last lines of it, and no table has it', async () => {
  await done('POST', '/vms', vm('talks'));
  expect((await read('talks')).body.lines).toContain('talks login:');
  for (const act of ['stop', 'start', 'reboot', 'rebuild']) await done('POST', `/vms/talks/${act}`, {});
  const { lines } = (await read('talks')).body;
  const told = ['Powering off', 'Rebooting', 'made anew'].map((text) =>
    lines.findIndex((line: string) => line.includes(text)),
  );
  expect(told).toEqual(told.toSorted((a, b) => a - b));
  expect(Math.min(...told)).toBeGreaterThan(0);
  expect((await read('talks', '?lines=2')).body.lines).toEqual(lines.slice(-2));
  const { sql } = platform;
  const tables = await sql<{ name: string }[]>`SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'`;
  for (const { name } of tables) {
    const rows = await sql.unsafe(`SELECT FROM "${name}" t WHERE t::text LIKE '%talks login:%'`);
    expect([name, rows.length]).toEqual([name, 0]);
  }
});

test('its history at Temporal does not have it in clear', async () => {
  const { headers, body } = await read('talks');
  expect(body.lines).toContain('talks login:');
  const { id } = (await platform.api.tenant('GET', '/vms/talks')).body;
  const workflowId = `vm/console/talks.${id.slice(-12)}/${headers.get('x-request-id')}`;
  const { events } = await platform.temporal.workflow.getHandle(workflowId).fetchHistory();
  const bytes = Buffer.from(proto.temporal.api.history.v1.History.encode({ events: events ?? [] }).finish()).toString();
  expect(bytes).toContain('readConsole');
  expect(bytes).not.toContain('login:');
});

test('a region without a worker is named, within seconds', async () => {
  await platform.api.tenant('POST', '/vms', vm('far', 'nrt-1'));
  const began = Date.now();
  const answer = await read('far');
  expect(Date.now() - began).toBeLessThan(10_000);
  expect(answer).toMatchObject({
    status: 503,
    body: { code: 'unavailable', detail: expect.stringContaining('No worker of region nrt-1') },
  });
});

test('a provider that does not answer, or refuses, gives its reason in time', async () => {
  await done('POST', '/vms', vm('mute'));
  for (const [effect, status] of [
    ['hang', 503],
    ['transient', 503],
  ] as const) {
    const fault = await platform.simulator.fault({ effect, operation: 'vm.console', name: 'mute' });
    expect([effect, (await read('mute')).status]).toEqual([effect, status]);
    await platform.simulator.removeFault(fault);
  }
  expect(await read('mute')).toMatchObject({ status: 200 });
});

test('one that is not there, and more lines than there may be, are refused', async () => {
  expect((await read('nobody')).status).toBe(404);
  expect((await read('talks', '?lines=0')).status).toBe(400);
});

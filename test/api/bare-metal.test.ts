import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestPlatform, type TestPlatform } from '../harness/platform.ts';

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform({ regions: ['tpe-1'] });
});
afterAll(() => platform.stop());

const ops = (method: string, path: string, body?: object) => platform.api.request(method, `/api/ops/v1${path}`, body);
const imageUrl = 'https://images.example.org/installer.iso';

async function newHost(more: object = {}): Promise<{ id: string; name: string }> {
  const name = `h-${randomUUID().slice(0, 8)}`;
  await platform.simulator.host('tpe-1', name);
  const body = { name, region: 'tpe-1', bmcAddress: name, bmcCredential: 'simulated', ...more };
  const { resource } = await platform.api.done('POST', '/bare-metal-hosts', body);
  return { id: String(resource.id), name };
}
const act = async (id: string, verb: string, body: object = {}) =>
  (await platform.api.done('POST', `/bare-metal-hosts/${id}/${verb}`, body)).state;
const seen = async (id: string) => (await platform.api.tenant('GET', `/bare-metal-hosts/${id}`)).body;

test('a host goes from enrolment to a deployment and back, and shows how it stands', async () => {
  const { id } = await newHost({ gpus: 2 });
  expect(await seen(id)).toMatchObject({
    status: 'enroll',
    power: null,
    health: null,
    inventory: null,
    cleanedAt: null,
    gpus: 2,
  });
  for (const verb of ['manage', 'inspect', 'provide']) expect(await act(id, verb)).toBe('SUCCEEDED');
  expect(await seen(id)).toMatchObject({
    ...{ status: 'available', power: 'off', health: 'ok', image: null, cleanedAt: expect.stringMatching(/Z$/) },
    inventory: { memoryMib: 262_144, disks: [{ name: 'disk-0' }, { name: 'disk-1' }] },
    cleanedBy: [{ step: 'secure-erase' }, { step: 'secure-erase' }],
    providerReference: expect.stringMatching(/^sim-host-/),
  });
  await act(id, 'deploy', { imageUrl });
  const deployed = { status: 'active', power: 'on', image: { url: imageUrl, until: 'powered-off' }, cleanedAt: null };
  expect(await seen(id)).toMatchObject({ ...deployed, cleanedBy: [] });
  await act(id, 'undeploy');
  expect(await seen(id)).toMatchObject({ status: 'available', image: null, cleanedAt: expect.any(String) });
});

test('what its state does not allow is a conflict that says which does', async () => {
  const { id, name } = await newHost();
  const answer = await platform.api.tenant('POST', `/bare-metal-hosts/${id}/deploy`, { imageUrl });
  expect(answer).toMatchObject({
    status: 409,
    body: {
      detail: `The bare-metal-host "${name}" is enroll, and "deploy" can be asked of one that is available or deploy failed.`,
    },
  });
});

test('a cleaning that somebody calls done without it leaves no host available', async () => {
  const { id, name } = await newHost();
  await act(id, 'manage');
  await platform.simulator.fault({ effect: 'permanent', operation: 'bare-metal-host.clean', name, times: 2 });
  for (const action of ['mark-done', 'skip'] as const) {
    if (action === 'skip') await act(id, 'manage');
    const asked = { onFailure: 'hold' };
    const { body } = await platform.api.tenant('POST', `/bare-metal-hosts/${id}/provide`, asked);
    await platform.api.jobWhen(body.job.id, ({ state }) => state === 'HELD');
    await platform.api.settled(body.job.id, action);
    expect(await seen(id)).toMatchObject({ status: 'clean failed', cleanedAt: null });
  }
});

test('what is being done to a host can be aborted, and it ends as one that failed', async () => {
  const { id, name } = await newHost();
  await act(id, 'manage');
  const abort = () => platform.api.tenant('POST', `/bare-metal-hosts/${id}/abort`, { reason: 'the wrong host' });
  expect(await abort()).toMatchObject({ status: 409, body: { detail: expect.stringContaining('is manageable') } });
  await platform.simulator.fault({ effect: 'hang', operation: 'bare-metal-host.clean', name, times: 1 });
  const cleaning = await platform.api.tenant('POST', `/bare-metal-hosts/${id}/clean`, {});
  expect((await abort()).status).toBe(202);
  expect(await platform.api.jobWhen(cleaning.body.job.id)).toMatchObject({ state: 'CANCELED' });
  expect(await seen(id)).toMatchObject({
    status: expect.stringMatching(/clean failed|manageable/),
    currentJobId: null,
  });
});

test('a host is enrolled once, however its controller is spelled and however many ask at once, until it is given up', async () => {
  const { id, name } = await newHost();
  const enrol = (more: object) =>
    platform.api.tenant('POST', '/bare-metal-hosts', {
      ...{ name: `x-${randomUUID().slice(0, 8)}`, region: 'tpe-1', bmcAddress: name, bmcCredential: 'simulated' },
      ...more,
    });
  for (const bmcAddress of [name, `https://${name.toUpperCase()}`, `https://${name}:443/`]) {
    const refused = { code: 'conflict', detail: expect.stringContaining('enrolled already') };
    expect(await enrol({ bmcAddress })).toMatchObject({ status: 409, body: refused });
  }
  expect((await enrol({ region: 'nrt-1' })).status).toBe(202);
  const many = await Promise.all(Array.from({ length: 8 }, () => enrol({ bmcAddress: `${name}-2` })));
  expect(many.map(({ status }) => status).toSorted()).toEqual([202, ...Array(7).fill(409)]);
  await platform.api.done('DELETE', `/bare-metal-hosts/${id}`);
  expect((await enrol({})).status).toBe(202);
});

test('hosts and their GPUs count in the quota, and are refused beyond it', async () => {
  const used = async () => {
    const [project] = (await platform.api.tenant('GET', '/quota')).body.items;
    const { gpus, bareMetalHosts } = project.metrics;
    return { gpus: gpus.used, hosts: bareMetalHosts.used };
  };
  const before = await used();
  const limit = (gpus: number) => ops('PATCH', '/projects/default/quota', { limits: { gpus } });
  expect((await limit(before.gpus + 4)).status).toBe(200);
  const { id } = await newHost({ gpus: 3 });
  expect(await used()).toEqual({ gpus: before.gpus + 3, hosts: before.hosts + 1 });
  const more = { name: 'too-much', region: 'tpe-1', bmcAddress: 'too-much', bmcCredential: 'simulated', gpus: 2 };
  expect(await platform.api.tenant('POST', '/bare-metal-hosts', more)).toMatchObject({
    status: 403,
    body: { code: 'quota', detail: expect.stringContaining('gpus: 2 wanted') },
  });
  expect(await platform.api.done('DELETE', `/bare-metal-hosts/${id}`)).toMatchObject({ state: 'SUCCEEDED' });
  expect(await used()).toEqual(before);
});

test('no two hosts stand in one unit, and a host stands in one place', async () => {
  const rack = (await ops('POST', '/racks', { name: 'rack-1', region: 'tpe-1', heightUnits: 6 })).body;
  const [first, second] = [await newHost(), await newHost()];
  const place = (host: { id: string }, unit: number, heightUnits = 1) =>
    ops('PUT', `/racks/rack-1/hosts/${host.id}`, { unit, heightUnits });
  expect((await place(first, 1, 2)).status).toBe(204);
  expect(await place(second, 2)).toMatchObject({
    status: 409,
    body: { detail: expect.stringContaining('units 2 to 2') },
  });
  expect(await place(second, 6, 2)).toMatchObject({
    status: 400,
    body: { detail: expect.stringContaining('6 units') },
  });
  const both = await Promise.all([place(first, 4), place(second, 4)]);
  expect(both.map(({ status }) => status).toSorted()).toEqual([204, 409]);
  expect((await place(first, 5)).status).toBe(204);
  expect((await place(second, 1)).status).toBe(204);
  const { units } = (await ops('GET', `/racks/${rack.id}/elevation`)).body;
  const standing = units.map(({ unit, host }: { unit: number; host: { name: string } | null }) => [
    unit,
    host?.name ?? null,
  ]);
  expect(standing).toEqual([
    [6, null],
    [5, first.name],
    [4, null],
    [3, null],
    [2, null],
    [1, second.name],
  ]);
  expect((await ops('DELETE', '/racks/rack-1')).status).toBe(409);
  await platform.api.done('DELETE', `/bare-metal-hosts/${second.id}`);
  await ops('DELETE', `/racks/rack-1/hosts/${first.id}`);
  expect((await ops('DELETE', '/racks/rack-1')).status).toBe(204);
  expect((await ops('POST', '/racks', { name: 'rack-2', region: 'nowhere' })).status).toBe(400);
});

test('a host may be in several groups', async () => {
  const host = await newHost();
  for (const name of ['gpu', 'quiet']) {
    expect((await ops('POST', '/host-groups', { name })).status).toBe(201);
    for (const _ of ['once', 'again']) await ops('PUT', `/host-groups/${name}/hosts/${host.id}`);
    expect((await ops('GET', `/host-groups/${name}`)).body.hosts).toEqual([{ id: host.id, name: host.name }]);
  }
  await ops('DELETE', `/host-groups/gpu/hosts/${host.id}`);
  expect((await ops('GET', '/host-groups')).body.items.map(({ hosts }: { hosts: object[] }) => hosts.length)).toEqual([
    0, 1,
  ]);
  expect((await ops('POST', '/host-groups', { name: 'gpu' })).status).toBe(409);
});

test('a host in maintenance is not deployed on until it is out again', async () => {
  const { id } = await newHost();
  for (const verb of ['manage', 'provide']) await act(id, verb);
  const marked = await ops('PUT', `/bare-metal-hosts/${id}/marks`, { maintenance: 'a new fan', repair: 'fan 3' });
  expect(marked).toMatchObject({ status: 200, body: { maintenance: 'a new fan', repair: 'fan 3' } });
  expect(await platform.api.tenant('POST', `/bare-metal-hosts/${id}/deploy`, { imageUrl })).toMatchObject({
    status: 409,
    body: { detail: expect.stringContaining('a new fan') },
  });
  await ops('PUT', `/bare-metal-hosts/${id}/marks`, { maintenance: null });
  expect(await act(id, 'deploy', { imageUrl })).toBe('SUCCEEDED');
  expect((await seen(id)).repair).toBe('fan 3');
});

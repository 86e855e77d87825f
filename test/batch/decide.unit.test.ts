import { expect, test } from 'vitest';
import { seeded } from '../../bench/seeded.ts';
import type { BatchFile, BatchOperation } from '../../src/batch/file.ts';
import { waitingGraph } from '../../src/batch/forecast.ts';
import { findCycles } from '../../src/batch/graph.ts';
import type { There } from '../../src/db/queries/plan.ts';
import type { ResourceKind } from '../../src/domain/kinds.ts';
import type { Catalog } from '../../src/requests/catalog.ts';
import { decideAll } from '../../src/requests/plan/decide.ts';
import { hashOf, refuseIfStale } from '../../src/requests/plan/hash.ts';
import { plannedOperations } from '../../src/requests/plan/rows.ts';
import type { Situation } from '../../src/requests/plan/situation.ts';
import type { Sealer } from '../../src/secrets/sealer.ts';

const catalog: Catalog = {
  regions: [{ name: 'tpe-1', providers: ['simulator'], hosted: [] }],
  flavors: [{ name: 'small', vcpus: 1, memoryMib: 1024, diskGib: 10 }],
  images: ['debian-13', 'debian-14'],
};
const sealer: Sealer = {
  seal: async (text) => text,
  unseal: async (text) => text,
  fingerprint: async (text) => `print of ${text.length} and ${text.at(-1)}`,
};

type Given = Readonly<Record<string, unknown>>;
type More = Partial<BatchOperation>;

const operation = (id: string, type: BatchOperation['type'], given: Given, more: More = {}): BatchOperation => ({
  id,
  type,
  region: 'tpe-1',
  dependsOn: [],
  softDependsOn: [],
  conditions: [],
  with: given,
  ...more,
});
const network = (id: string, cidr = '10.0.0.0/24', more: More = {}) =>
  operation(id, 'network.create', { name: id, cidr }, more);
const vm = (id: string, given: Given = {}, more: More = {}) =>
  operation(id, 'vm.create', { name: id, flavor: 'small', image: 'debian-13', ...given }, more);

const file = (operations: BatchOperation[], more: Partial<BatchFile> = {}): BatchFile => ({
  name: 'shop',
  version: 1,
  parallelLimit: 10,
  onFailure: 'rollback',
  replace: 'allow',
  limits: {},
  secrets: {},
  operations,
  ...more,
});

const common = { region: 'tpe-1', provider: 'simulator', labels: {}, deletionProtection: false };
const thing = (kind: ResourceKind, name: string, requested: Given, more: Partial<There> = {}): There => ({
  ...common,
  maintainer: null,
  id: `id-of-${name}`,
  kind,
  name,
  status: kind === 'vm' ? 'running' : 'available',
  requested: { ...common, ...requested },
  currentJobId: null,
  quota: {},
  ...more,
});
const networkThere = (name: string, more: Partial<There> = {}) => thing('network', name, { cidr: '10.0.0.0/24' }, more);
const vmThere = (name: string, requested: Given = {}, more: Partial<There> = {}) => {
  const size = { flavor: 'small', vcpus: 1, memoryMib: 1024, diskGib: 10, image: 'debian-13' };
  return thing('vm', name, { ...size, sshKeys: [], userData: '', networks: [], volumes: [], ...requested }, more);
};

const situation = (...there: There[]): Situation => ({
  find: ({ kind, reference }) => there.find((one) => one.kind === kind && [one.id, one.name].includes(reference)),
  view: () => undefined,
});

async function decided(batch: BatchFile, ...there: There[]) {
  const { decisions, faults } = await decideAll({ catalog, sealer, situation: situation(...there) }, batch);
  const planned = plannedOperations(batch, decisions);
  return {
    decisions,
    faults: Object.fromEntries([...faults].map(([id, some]) => [id, some.map(({ detail }) => detail)])),
    actions: Object.fromEntries(planned.map((one) => [one.operation.id, one.action])),
    waitsFor: Object.fromEntries(planned.map((one) => [one.operation.id, one.operation.dependsOn])),
    cycles: findCycles(waitingGraph(planned.map((one) => one.operation))),
  };
}

test('what uses something that is replaced is replaced, and what refers to that as well', async () => {
  const web = vm('web', { userData: `DB=\${operations.db.outputs.address}` }, { dependsOn: ['db'] });
  const batch = file([network('net', '10.1.0.0/24'), vm('db', { networks: ['net'] }, { dependsOn: ['net'] }), web]);
  const there = [networkThere('net'), vmThere('db', { networks: ['id-of-net'] }), vmThere('web')];
  const { actions, waitsFor, decisions } = await decided(batch, ...there);
  expect(actions).toMatchObject({ net: 'replace', db: 'replace', web: 'replace' });
  expect(decisions.get('db')?.differences).toEqual([]);
  expect(decisions.get('db')?.reasons).toEqual(['it uses the network "net", which is replaced']);
  expect(waitsFor).toEqual({
    'net/_old': ['db/_old'],
    net: ['net/_old'],
    'db/_old': [],
    db: ['net', 'db/_old'],
    'web/_old': ['db'],
    web: ['db', 'web/_old'],
  });
});

test('what a file itself says of something new is known: its name is no reason to replace what refers to it', async () => {
  const web = vm('web', { userData: `NET=\${operations.net.outputs.name}` }, { dependsOn: ['net'] });
  const there = vmThere('web', { userData: { $fingerprint: await sealer.fingerprint('NET=net') } });
  expect((await decided(file([network('net'), web]), there)).actions).toEqual({ net: 'create', web: 'none' });
});

test('what waits for the answer of a call is not compared: it would be replaced at each apply', async () => {
  const call = operation('call', 'http.request', { url: 'https://example.org', method: 'GET' });
  const web = vm('web', { userData: `X=\${operations.call.outputs.body}` }, { dependsOn: ['call'] });
  const there = vmThere('web', { userData: { $fingerprint: 'of what was answered then' } });
  expect((await decided(file([call, web]), there)).actions).toEqual({ call: 'run', web: 'none' });
});

test('a secret variable is compared by its value', async () => {
  const web = vm('web', { userData: `PASSWORD=\${variables.password}` });
  const there = vmThere('web', { userData: { $fingerprint: await sealer.fingerprint('PASSWORD=${same') } });
  const actionsWith = async (password: string) =>
    (await decided(file([web], { secrets: { password } }), there)).actions;
  expect(await actionsWith('${same')).toEqual({ web: 'none' });
  expect(await actionsWith('other')).toMatchObject({ web: 'replace' });
});

test('an approval that a replacement waits for is waited for before the old is deleted', async () => {
  const approval = operation('ok', 'wait.approval', { message: 'Sure?' });
  const { waitsFor } = await decided(
    file([approval, vm('web', { image: 'debian-14' }, { dependsOn: ['ok'] })]),
    vmThere('web'),
  );
  expect(waitsFor).toMatchObject({ 'web/_old': ['ok'], web: ['ok', 'web/_old'] });
});

test('replacements that wait for each other crosswise are put in an order that exists', async () => {
  const changed = '10.1.0.0/24';
  const operations = [
    network('net1', changed),
    network('net2', changed),
    vm('one', { networks: ['net1'] }, { dependsOn: ['net1', 'net2'] }),
    vm('two', { networks: ['net2'] }, { dependsOn: ['net1', 'net2'] }),
  ];
  const { actions, cycles, waitsFor } = await decided(
    file(operations),
    networkThere('net1'),
    networkThere('net2'),
    vmThere('one', { networks: ['id-of-net1'] }),
    vmThere('two', { networks: ['id-of-net2'] }),
  );
  expect(Object.values(actions).filter((action) => action === 'replace')).toHaveLength(4);
  expect(cycles).toEqual([]);
  expect(waitsFor['net1/_old']).toEqual(['one/_old']);
});

test('an operation may forbid what the batch allows, and allow what the batch forbids', async () => {
  const changed = (replace: 'allow' | 'forbid') => vm('web', { image: 'debian-14' }, { replace });
  const forbidden = await decided(file([changed('forbid')]), vmThere('web'));
  expect(forbidden.faults.web).toEqual([expect.stringMatching(/"web".*\(image\).*"replace: forbid"/)]);
  const allowed = await decided(file([changed('allow')], { replace: 'forbid' }), vmThere('web'));
  expect(allowed.faults).toEqual({});
});

test('an update merges labels, changes nothing where nothing differs, and needs something to be there', async () => {
  const update = (given: Given) => operation('tag', 'vm.update', { name: 'web', ...given });
  const there = vmThere('web', {}, { labels: { env: 'prod', old: 'yes' }, deletionProtection: true });
  const { decisions } = await decided(file([update({ labels: { env: 'test', old: null } })]), there);
  expect(decisions.get('tag')).toMatchObject({
    action: 'change',
    differences: [{ field: 'labels', before: { env: 'prod', old: 'yes' }, after: { env: 'test' }, replaces: null }],
  });
  const same = update({ labels: { env: 'prod' }, deletionProtection: true });
  expect((await decided(file([same]), there)).actions).toEqual({ tag: 'none' });
  expect((await decided(file([same]))).faults.tag).toEqual([expect.stringContaining('There is no vm "web"')]);
  const made = await decided(file([vm('web'), { ...same, dependsOn: ['web'] }]));
  expect(made.actions).toEqual({ web: 'create', tag: 'change' });
});

test('waits and ends of groups run only where they serve something', async () => {
  const wait = operation('ok', 'wait.approval', {});
  const members = [
    vm('web/a', { name: 'a' }, { dependsOn: ['ok'] }),
    vm('web/b', { name: 'b' }, { dependsOn: ['ok'] }),
  ];
  const join = operation('web', 'group.join', {}, { dependsOn: ['web/a', 'web/b'] });
  const pause = operation('pause', 'wait.for', { duration: 5 }, { dependsOn: ['web'] });
  const batch = file([wait, ...members, join, pause]);
  expect((await decided(batch, vmThere('a'))).actions).toEqual({
    ok: 'run',
    'web/a': 'none',
    'web/b': 'create',
    web: 'run',
    pause: 'run',
  });
  const nothing = await decided(batch, vmThere('a'), vmThere('b'));
  expect(new Set(Object.values(nothing.actions))).toEqual(new Set(['none']));
  expect((await decided(file([operation('nap', 'wait.for', { duration: 5 })]))).actions).toEqual({ nap: 'run' });
});

test('what is used is deleted after what uses it, though the file does not say so', async () => {
  const gone = (id: string, type: 'vm.delete' | 'network.delete') => operation(id, type, { name: id });
  const { waitsFor } = await decided(
    file([gone('net', 'network.delete'), gone('web', 'vm.delete')]),
    networkThere('net'),
    vmThere('web', { networks: ['id-of-net'] }),
  );
  expect(waitsFor).toEqual({ net: ['web'], web: [] });
});

test('the hash is of the file, of what is there and of what the catalogue offers, and says which is another', async () => {
  const batch = file([vm('web')]);
  const hashWith = async (one: BatchFile, there: There, offers = catalog) => {
    const around = situation(there);
    const { decisions } = await decideAll({ catalog: offers, sealer, situation: around }, one);
    return await hashOf(sealer, one, decisions, around);
  };
  const hash = await hashWith(batch, vmThere('web'));
  expect(await hashWith(batch, vmThere('web'))).toBe(hash);
  const small = { name: 'small', vcpus: 2, memoryMib: 1024, diskGib: 10 };
  const others = {
    'the file changed': await hashWith({ ...batch, version: 2 }, vmThere('web')),
    'what is there changed': await hashWith(batch, vmThere('web', { labels: { env: 'prod' } })),
    'what is there and what the catalogue offers changed': await hashWith(batch, vmThere('web'), {
      ...catalog,
      flavors: [small],
    }),
  };
  for (const [what, other] of Object.entries(others)) {
    const said = what.replace(' and ', '.* and ');
    expect(() => refuseIfStale(hash, other)).toThrow(new RegExp(said));
  }
  expect(() => refuseIfStale(hash, hash)).not.toThrow();
});

test('whatever is replaced, and whatever waits for what, there is an order, and what is used goes last', async () => {
  for (let seed = 0; seed < 300; seed += 1) {
    const random = seeded(seed);
    const operations: BatchOperation[] = [];
    const there: There[] = [];
    for (let at = 0; at < 14; at += 1) {
      const before = operations.filter(() => random() < 0.3);
      const dependsOn = before.map(({ id }) => id);
      const used = before.filter(({ type }) => type === 'network.create').map(({ id }) => id);
      const isChanged = random() < 0.5;
      if (random() < 0.4) {
        operations.push(network(`n${at}`, isChanged ? '10.1.0.0/24' : '10.0.0.0/24', { dependsOn }));
        there.push(networkThere(`n${at}`));
      } else {
        operations.push(vm(`v${at}`, { networks: used, ...(isChanged && { image: 'debian-14' }) }, { dependsOn }));
        there.push(vmThere(`v${at}`, { networks: used.map((id) => `id-of-${id}`) }));
      }
    }
    const { cycles, waitsFor, actions } = await decided(file(operations), ...there);
    expect(cycles, `seed ${seed}`).toEqual([]);
    for (const { id, with: given } of operations) {
      for (const used of (given.networks ?? []) as string[]) {
        if (actions[used] !== 'replace') continue;
        expect(actions[id]).toBe('replace');
        expect(waitsFor[`${used}/_old`]).toContain(`${id}/_old`);
      }
    }
  }
});

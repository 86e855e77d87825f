import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { topologicalOrder } from '../../src/batch/graph.ts';
import { parseBatch } from '../../src/batch/parse.ts';
import { MillwrightError } from '../../src/errors.ts';
import { catalog, faultsOf, file, network, sound, vm, volume } from './parsing.ts';

const dependencies = (text: string) =>
  Object.fromEntries(parseBatch(text, catalog).operations.map(({ id, dependsOn }) => [id, dependsOn]));

/** What an operation has that says nothing of it. */
const alone = { dependsOn: [], softDependsOn: [], conditions: [] };

test('a file gives its operations in its order, defaults filled in', () => {
  const text = file(volume('b', ', provider: simulator'), '{ id: gone, type: vm.delete, with: { name: old } }');
  expect(parseBatch(text, catalog)).toEqual({
    name: 'shop',
    version: 1,
    parallelLimit: 10,
    onFailure: 'rollback',
    replace: 'allow',
    limits: {},
    secrets: {},
    operations: [
      {
        ...alone,
        id: 'b',
        type: 'volume.create',
        region: 'tpe-1',
        provider: 'simulator',
        with: { name: 'b', sizeGib: 1 },
      },
      { ...alone, id: 'gone', type: 'vm.delete', with: { name: 'old' } },
    ],
  });
});

test('JSON is read as YAML is', () => {
  const batch = {
    name: 'shop',
    version: 3,
    parallelLimit: 4,
    onFailure: 'rollback',
    operations: [{ id: 'a', type: 'volume.create', region: 'nrt-1', dependsOn: [], with: { name: 'a', sizeGib: 1 } }],
  };
  const { operations, ...header } = batch;
  expect(parseBatch(JSON.stringify(batch, null, 2), catalog)).toMatchObject({
    ...header,
    operations: operations.map((operation) => ({ ...alone, ...operation })),
  });
});

test('what is named, what is referred to and what creates a name are all waited for, once each and in file order', () => {
  const text = file(
    vm(
      `${sound}, networks: [shop], volumes: [data], userData: "\${operations.log.outputs.name} \${operations.data.outputs.id}"`,
    ),
    network,
    volume('data'),
    volume('log', ', dependsOn: [data, data]'),
    '{ id: gone, type: network.delete, dependsOn: [vm], with: { name: shop } }',
    '{ id: other, type: volume.delete, with: { name: shop } }',
  );
  expect(dependencies(text)).toEqual({
    vm: ['net', 'data', 'log'],
    net: [],
    data: [],
    log: ['data'],
    gone: ['vm', 'net'],
    other: [],
  });
});

test('a name that is created again once it has been deleted is a replacement, not a cycle', () => {
  const text = file('{ id: gone, type: volume.delete, with: { name: data } }', volume('data', ', dependsOn: [gone]'));
  expect(dependencies(text)).toEqual({ gone: [], data: ['gone'] });
});

test('an escaped reference is no reference', () => {
  const text = file(vm(`${sound}, userData: "$\${operations.nowhere.outputs.id} $\${HOME}"`));
  expect(dependencies(text)).toEqual({ vm: [] });
});

test('a value that waits for an output is not checked yet', () => {
  const text = file(
    volume('a'),
    vm(
      `name: "x-\${operations.a.outputs.name}", image: "\${operations.a.outputs.id}", flavor: "\${operations.a.outputs.id}"`,
    ),
    `{ id: b, type: volume.create, region: tpe-1, with: { name: b, sizeGib: "\${operations.a.outputs.sizeGib}" } }`,
    `{ id: c, type: network.create, region: tpe-1, with: { name: c, cidr: "\${operations.a.outputs.name}" } }`,
  );
  expect(faultsOf(text)).toEqual([]);
});

test('an error names the first fault and how many there are', () => {
  const message = (text: string): string => {
    try {
      parseBatch(text, catalog);
      return '';
    } catch (error) {
      return error instanceof MillwrightError ? error.message : '';
    }
  };
  expect(message(`name: 7\n${file(volume('a')).slice(11)}`)).toBe(
    'The batch file has a fault in line 1, column 7: Expected text; found the number 7. Put it in quotes.',
  );
  expect(message('name: 7\nversion: 0\n')).toBe(
    'The batch file has 3 faults; the first is in line 1, column 1: Missing "operations": expected a list.',
  );
});

/** Each depends on the one before it. */
const chain = Array.from({ length: 10_000 }, (_, index) =>
  volume(`v-${index}`, index > 0 ? `, dependsOn: [v-${index - 1}]` : ''),
);

test('ten thousand operations are read, whatever their order', { timeout: 60_000 }, () => {
  const { operations } = parseBatch(file(...chain.toReversed()), catalog);
  expect(operations.length).toBe(10_000);
  expect(operations[0]).toMatchObject({ id: 'v-9999', dependsOn: ['v-9998'] });
  expect(topologicalOrder(operations)).toEqual(operations.map(({ id }) => id).toReversed());
});

test('ten thousand faults are told', { timeout: 60_000 }, () => {
  const faults = faultsOf(file(...chain.map((operation) => operation.replace('sizeGib: 1', 'sizeGib: 0'))));
  expect(faults.length).toBe(10_000);
  expect(faults.at(-1)).toBe('10002:86 /operations/9999/with/sizeGib Expected at least 1; found 0.');
});

test('one operation more is too many', { timeout: 60_000 }, () => {
  expect(faultsOf(file(...chain, volume('more')))).toEqual([
    '3:3 /operations Expected at most 10000 entries; found 10001.',
  ]);
});

test('a cycle through ten thousand operations is named in full', { timeout: 60_000 }, () => {
  const ring = chain.with(0, volume('v-0', ', dependsOn: [v-9999]'));
  const [fault, ...more] = faultsOf(file(...ring));
  expect(more).toEqual([]);
  expect(fault).toContain('wait for each other: v-0 → v-9999 → v-9998 → ');
  expect(fault?.split(' → ').length).toBe(10_001);
});

test('the example is sound: fourteen operations in two regions', () => {
  const { operations, parallelLimit } = parseBatch(readFileSync('examples/web-shop.yaml', 'utf8'), catalog);
  expect(parallelLimit).toBe(4);
  expect(operations.length).toBe(14);
  expect(new Set(operations.map(({ region }) => region))).toEqual(new Set(['tpe-1', 'nrt-1']));
  expect(operations.find(({ id }) => id === 'db-nrt')?.dependsOn).toEqual([
    'db-tpe',
    'net-nrt',
    'data-nrt',
    'backup-nrt',
  ]);
});

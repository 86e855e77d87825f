import { expect, test } from 'vitest';
import { referencesIn, resolveTemplates } from '../../src/batch/template.ts';
import { checkWith } from '../../src/batch/with.ts';
import { MillwrightError } from '../../src/errors.ts';

const outputs: Record<string, Record<string, unknown>> = {
  db: { address: '10.0.0.2', addresses: [{ network: 'shop', address: '10.0.0.2' }], providerReference: null },
  data: { sizeGib: 50 },
};
const resolve = (value: unknown): unknown => resolveTemplates(value, (id) => outputs[id]);

function thrownBy(act: () => unknown): MillwrightError {
  try {
    act();
  } catch (error) {
    if (error instanceof MillwrightError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

test('references are replaced at any depth, and nothing else is touched', () => {
  const value = {
    text: `host=\${operations.db.outputs.address}:5432, \${operations.data.outputs.sizeGib} GiB`,
    list: [1, true, null, { deep: `\${operations.db.outputs.addresses.0.network}` }],
    plain: 'a $ and a } and {{ moustaches }}',
  };
  expect(resolve(value)).toEqual({
    text: 'host=10.0.0.2:5432, 50 GiB',
    list: [1, true, null, { deep: 'shop' }],
    plain: 'a $ and a } and {{ moustaches }}',
  });
});

test('a string that is one reference takes the type of the output', () => {
  expect(resolve(`\${operations.data.outputs.sizeGib}`)).toBe(50);
  expect(resolve(`\${operations.db.outputs.addresses}`)).toEqual([{ network: 'shop', address: '10.0.0.2' }]);
});

test('a list or mapping within text becomes JSON', () => {
  expect(resolve(`all: \${operations.db.outputs.addresses}`)).toBe('all: [{"network":"shop","address":"10.0.0.2"}]');
});

test('a doubled dollar before a brace is a plain one', () => {
  expect(resolve(`$\${HOME} $$\${X} \${operations.data.outputs.sizeGib}`)).toBe(`\${HOME} $\${X} 50`);
  expect(resolve(`$\${operations.db.outputs.address}`)).toBe(`\${operations.db.outputs.address}`);
});

test('what an output says is not read for references again', () => {
  const tricky = { text: `\${operations.db.outputs.address}` };
  expect(resolveTemplates(`\${operations.a.outputs.text}`, () => tricky)).toBe(tricky.text);
});

test.each([
  'operations.db.outputs.providerReference',
  'operations.db.outputs.nothing',
  'operations.none.outputs.id',
  'operations.db.outputs.addresses.7.address',
  'operations.db.outputs.constructor',
])('%s, which is not there, is refused by its name', (reference) => {
  const error = thrownBy(() => resolve({ deep: [`x \${${reference}}`] }));
  expect(error.code).toBe('invalid');
  expect(error.message).toContain(`"\${${reference}}" has no value`);
});

test('references are listed in order, escaped ones not', () => {
  const value = [
    `\${operations.a.outputs.id}$\${operations.b.outputs.id}`,
    { key: `-\${operations.c.outputs.addresses.0.address}-` },
  ];
  expect(referencesIn(value)).toEqual([
    { operationId: 'a', path: 'id' },
    { operationId: 'c', path: 'addresses.0.address' },
  ]);
});

test('a resolved `with` becomes the body of its request, place and defaults filled in', () => {
  expect(checkWith('volume.create', { region: 'tpe-1', provider: 'simulator' }, { name: 'data', sizeGib: 50 })).toEqual(
    {
      name: 'data',
      region: 'tpe-1',
      provider: 'simulator',
      labels: {},
      deletionProtection: false,
      sizeGib: 50,
    },
  );
  expect(checkWith('vm.delete', { region: 'tpe-1' }, { name: 'old' })).toEqual({ name: 'old' });
});

test('what only shows once outputs have come is told with every fault', () => {
  const error = thrownBy(() =>
    checkWith('volume.create', { region: 'tpe-1' }, { name: 'Data', sizeGib: '50', size: 1 }),
  );
  expect(error.code).toBe('invalid');
  expect(error.faults.map(({ pointer }) => pointer)).toEqual(['/with/name', '/with/sizeGib', '/with/size']);
  expect(error.message).toContain('Expected a number; found "50".');
  expect(thrownBy(() => checkWith('vm.delete', {}, null)).faults.map(({ pointer }) => pointer)).toEqual(['/with/name']);
});

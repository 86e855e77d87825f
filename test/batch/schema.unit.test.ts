import { readdirSync, readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { expect, test } from 'vitest';
import { batchSchema } from '../../src/batch/schema.ts';
import { readSource } from '../../src/batch/source.ts';

const schema = batchSchema();
const validate = new Ajv({ allErrors: true, strict: false, validateFormats: false }).compile(schema);

/** Where a value is not as the schema has it. */
function wrong(value: unknown): string[] {
  validate(value);
  return [...new Set((validate.errors ?? []).map(({ instancePath }) => instancePath))];
}
const read = (text: string): unknown => readSource(text).value;

const examples = readdirSync('examples').filter((name) => name.endsWith('.yaml'));

test('docs/batch.schema.json is the schema that the parser has (npm run batch-schema writes it)', () => {
  expect(JSON.parse(readFileSync('docs/batch.schema.json', 'utf8'))).toEqual(JSON.parse(JSON.stringify(schema)));
});

test.each(examples)('%s is as the schema has it, and names it for editors', (name) => {
  const text = readFileSync(`examples/${name}`, 'utf8');
  expect(wrong(read(text))).toEqual([]);
  expect(text.split('\n')[0]).toBe('# yaml-language-server: $schema=../docs/batch.schema.json');
});

const file = (operation: string): unknown => read(`name: x\noperations: [${operation}]`);

test.each([
  [
    'references for whatever is no text',
    `{ id: a, type: volume.create, region: "\${variables.r}", timeout: "\${variables.t}", with: { name: "a-\${each.key}", sizeGib: "\${variables.size}", deletionProtection: "\${variables.p}", labels: "\${variables.l}" } }`,
  ],
  [
    'every field of an operation',
    '{ id: a, type: wait.for, dependsOn: [b, { id: c, soft: true }], when: "true", forEach: 3, limit: 1, retry: { maximumAttempts: 3 }, timeout: 10m, onFailure: hold, replace: forbid, with: { duration: 90s } }',
  ],
  [
    'a batch in a batch',
    '{ id: a, type: batch.apply, with: { variables: { a: 1 }, batch: { variables: { a: { type: integer } }, operations: [{ id: b, type: vm.delete, with: { name: b } }] } } }',
  ],
  [
    'a call',
    '{ id: a, type: http.request, region: r, with: { url: "https://a", method: POST, headers: { a: b }, body: { any: [1] }, expectStatus: [200, 204], undo: { url: "https://b" } } }',
  ],
])('the schema allows %s', (_, operation) => {
  expect(wrong(file(operation))).toEqual([]);
});

test.each([
  ['an unknown key', '{ id: a, typ: vm.delete, with: {} }', '/operations/0'],
  ['an unknown type', '{ id: a, type: vm.creat, with: {} }', '/operations/0/type'],
  [
    'a mistyped field of a body',
    '{ id: a, type: volume.create, region: r, with: { name: a, sizeGb: 1 } }',
    '/operations/0/with',
  ],
  [
    'a number out of bounds',
    '{ id: a, type: volume.create, region: r, with: { name: a, sizeGib: 0 } }',
    '/operations/0/with/sizeGib',
  ],
  ['a region that is missing', '{ id: a, type: volume.create, with: { name: a, sizeGib: 1 } }', '/operations/0'],
  [
    'a duration that is none',
    '{ id: a, type: wait.for, timeout: 10 minutes, with: { duration: 1 } }',
    '/operations/0/timeout',
  ],
  [
    'a fault in a batch in a batch',
    '{ id: a, type: batch.apply, with: { batch: { operations: [{ id: b, type: vm.delete, with: { nam: b } }] } } }',
    '/operations/0/with/batch/operations/0/with',
  ],
])('the schema finds %s', (_, operation, place) => {
  expect(wrong(file(operation))).toContain(place);
});

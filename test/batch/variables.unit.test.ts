import { expect, test } from 'vitest';
import type { BatchFile } from '../../src/batch/file.ts';
import { parseBatch } from '../../src/batch/parse.ts';
import { catalog, faultsOf, marked } from './parsing.ts';

/** A file with these variables and one operation, `▸` before what a fault points to. */
const file = (variables: string, operation = volume('1')): string =>
  `name: x\nvariables:\n${variables
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n')}\noperations:\n  - ${operation}\n`;
const volume = (sizeGib: string, name = 'a'): string =>
  `{ id: a, type: volume.create, region: tpe-1, with: { name: ${name}, sizeGib: ${sizeGib} } }`;
const read = (text: string, variables: Record<string, unknown> = {}): BatchFile =>
  parseBatch(text, catalog, { variables });
const withOf = (batch: BatchFile) => batch.operations[0]?.with;

test.each([
  ['an integer', 'integer', '"5"', 5],
  ['a text', 'string', '"05"', '05'],
  ['a list', 'list', '["a"]', ['a']],
  ['a mapping', 'object', '{"a":1}', { a: 1 }],
  ['a number', 'number', '1.5', 1.5],
  ['a boolean', 'boolean', 'true', true],
])('a variable that stands alone gives %s as it is, from its default or from the request', (_, type, json, value) => {
  const operation = `{ id: a, type: http.request, region: tpe-1, with: { url: "http://a", body: "\${variables.v}" } }`;
  const isText = type === 'string' || type === 'integer';
  const given = isText ? String(value) : json;
  const declared = type === 'integer' ? String(value) : json;
  expect(withOf(read(file(`v: { type: ${type}, default: ${declared} }`, operation)))?.body).toEqual(value);
  expect(withOf(read(file(`v: { type: ${type} }`, operation), { v: given }))?.body).toEqual(value);
  expect(withOf(read(file(`v: { type: ${type} }`, operation), { v: value }))?.body).toEqual(value);
});

test('variables stand in texts, in parts of their values, and in the fields of operation and file', () => {
  const batch = read(
    `name: "\${variables.env}-shop"
parallelLimit: "\${variables.sizes.big}"
variables: { env: {}, region: { default: tpe-1 }, sizes: { type: object, default: { big: 7, list: [1, 2] } } }
operations:
  - id: a
    type: volume.create
    region: \${variables.region}
    timeout: "\${variables.sizes.big}"
    with: { name: "a-\${variables.env}", sizeGib: "\${variables.sizes.list.1}", labels: { all: "all \${variables.sizes.list}" } }
`,
    { env: 'test' },
  );
  expect(batch).toMatchObject({ name: 'test-shop', parallelLimit: 7 });
  expect(batch.operations[0]).toMatchObject({
    region: 'tpe-1',
    timeoutSeconds: 7,
    with: { name: 'a-test', sizeGib: 2, labels: { all: 'all [1,2]' } },
  });
});

test('what a value says is never read as a reference', () => {
  const operation = `{ id: a, type: volume.create, region: tpe-1, with: { name: a, sizeGib: 1, labels: { a: "\${variables.v}", b: "x\${variables.v}" } } }`;
  const v = `\${operations.a.outputs.id}`;
  expect(withOf(read(file('v: {}', operation), { v }))?.labels).toEqual({ a: `$${v}`, b: `x$${v}` });
});

test('a secret stays out of everything but where it is meant to be', () => {
  const vm = (userData: string): string =>
    `{ id: a, type: vm.create, region: tpe-1, with: { name: a, flavor: small, image: debian-13, userData: "${userData}" } }`;
  const batch = read(file('password: { secret: true }', vm(`pw=\${variables.password}`)), { password: 'hunter2' });
  expect(batch.secrets).toEqual({ password: 'hunter2' });
  expect(withOf(batch)?.userData).toBe(`pw=\${variables.password}`);
  expect(JSON.stringify(batch.operations)).not.toContain('hunter2');
});

test('a secret is handed into a batch by its name there', () => {
  const batch = read(
    `name: x
variables: { password: { secret: true } }
operations:
  - id: site
    type: batch.apply
    with:
      variables: { pw: "\${variables.password}" }
      batch:
        variables: { pw: { secret: true } }
        operations:
          - { id: call, type: http.request, region: tpe-1, with: { url: "http://a", headers: { Authorization: "Bearer \${variables.pw}" } } }
`,
    { password: 'hunter2' },
  );
  expect(batch.secrets).toEqual({ password: 'hunter2' });
  expect(batch.operations[0]?.with.headers).toEqual({ Authorization: `Bearer \${variables.password}` });
});

const cases: [promise: string, text: string, given: Record<string, unknown>, ...faults: string[]][] = [
  [
    'a value that is missing',
    file('▸region: {}'),
    {},
    '/variables/region The variable "region" has no value: expected text. Give it one, or a default.',
  ],
  [
    'a secret that is missing',
    file('▸pw: { secret: true }'),
    {},
    '/variables/pw The variable "pw" has no value: expected text. Give it one.',
  ],
  [
    'a value of the wrong type',
    file('n: ▸{ type: integer }'),
    { n: 'ten' },
    '/variables/n The value given for "n": Expected a whole number; found "ten".',
  ],
  [
    'a secret of the wrong type, unsaid',
    file('n: ▸{ secret: true }'),
    { n: 4711 },
    '/variables/n The value given for "n": Expected text. Put it in quotes.',
  ],
  [
    'a value that is none of those allowed',
    file('env: ▸{ enum: [test, prod] }'),
    { env: 'prd' },
    '/variables/env The value given for "env": Expected one of test, prod; found "prd".',
  ],
  [
    'a value out of bounds',
    file('n: ▸{ type: integer, minimum: 3 }'),
    { n: '2' },
    '/variables/n The value given for "n": Expected at least 3; found the number 2.',
  ],
  [
    'a default of the wrong type',
    file('n: { type: integer, default: ▸x }'),
    { n: 1 },
    '/variables/n/default Expected a whole number; found "x".',
  ],
  [
    'a default of a secret',
    file('n: { secret: true, default: ▸x }'),
    { n: 'a' },
    '/variables/n/default A secret variable has no default: a file is no place for secrets. Give its value with the request.',
  ],
  [
    'a type that is none',
    file('n: { type: ▸text }'),
    { n: 'a' },
    '/variables/n/type Expected one of string, integer, number, boolean, list, object; found "text".',
  ],
  [
    'a name that is none',
    file('▸a-b: { default: x }'),
    {},
    '/variables/a-b Expected a name of letters, digits and "_", beginning with a letter; found "a-b".',
  ],
  [
    'a variable that is not there',
    file('region: { default: x }', volume(`▸"\${variables.regoin}"`)),
    {},
    '/operations/0/with/sizeGib There is no variable "regoin"; did you mean "region"? There are: region.',
  ],
  [
    'a part that is not there',
    file('v: { type: object, default: { size: 1 } }', volume(`▸"\${variables.v.siez}"`)),
    {},
    '/operations/0/with/sizeGib There is no part "siez" of the variable "v"; did you mean "size"? There are: size.',
  ],
  [
    'a value of the wrong type where it is used',
    file('v: { default: x }', volume(`▸"\${variables.v}"`)),
    {},
    '/operations/0/with/sizeGib Expected a number; found "x".',
  ],
  [
    'a secret where it would be seen',
    file('v: { secret: true }', volume('1', `▸"\${variables.v}"`)),
    { v: 'a' },
    '/operations/0/with/name The variable "v" is secret: it may stand only where a field is secret (userData of a VM; headers and body of an http.request).',
  ],
];

test.each(cases)('%s is told in its place', (_, written, variables, ...faults) => {
  const { text, places } = marked(written);
  expect(faultsOf(text, { variables })).toEqual(faults.map((fault, index) => `${places[index]} ${fault}`));
});

test('a value for what is no variable is told, beside all that is missing', () => {
  expect(faultsOf(file('region: {}\nsize: {}'), { variables: { regoin: 'x' } })).toEqual([
    '3:3 /variables/region The variable "region" has no value: expected text. Give it one, or a default.',
    '3:3 /variables/regoin There is no variable "regoin"; did you mean "region"? There are: region, size.',
    '4:3 /variables/size The variable "size" has no value: expected text. Give it one, or a default.',
  ]);
});

import { expect, test } from 'vitest';
import { parseBatch } from '../../src/batch/parse.ts';
import { catalog, faultsOf, marked, volume } from './parsing.ts';

const toml = `name = "shop"
parallelLimit = 4

[variables.region]
default = "tpe-1"

[[operations]]
id = "net"
type = "network.create"
region = "\${variables.region}"
with = { name = "shop", cidr = "10.0.0.0/24" }

[[operations]]
id = "later"
type = "wait.until"
dependsOn = ["net"]
with.time = 2030-01-01T00:00:00Z
`;

test('TOML says what YAML does', () => {
  const yaml = `name: shop
parallelLimit: 4
variables: { region: { default: tpe-1 } }
operations:
  - { id: net, type: network.create, region: "\${variables.region}", with: { name: shop, cidr: 10.0.0.0/24 } }
  - { id: later, type: wait.until, dependsOn: [net], with: { time: 2030-01-01T00:00:00Z } }
`;
  expect(parseBatch(toml, catalog, { format: 'toml' })).toEqual(parseBatch(yaml, catalog));
});

test.each([
  [
    'a value in a table',
    toml.replace('parallelLimit = 4', 'parallelLimit = ▸0'),
    '/parallelLimit Expected at least 1; found 0.',
  ],
  [
    'a value in an inline table in a list of tables',
    toml.replace('"10.0.0.0/24"', '▸"10.0.0.1/24"'),
    '/operations/0/with/cidr 10.0.0.1/24 has host bits set; did you mean 10.0.0.0/24?',
  ],
  [
    'an entry of a list',
    toml.replace('["net"]', '[▸"nat"]'),
    '/operations/1/dependsOn/0 There is no operation "nat"; did you mean "net"? There are: net, later.',
  ],
  [
    'a key',
    toml.replace('parallelLimit', '▸limit'),
    '/limit There is no key "limit". There are: name, version, parallelLimit, onFailure, replace, timeout, variables, operations.',
  ],
  [
    'what is missing, at its table',
    toml.replace('[[operations]]\nid = "net"\n', '[[▸operations]]\n'),
    '/operations/0/id Missing "id": expected text.',
  ],
  [
    'what is no TOML',
    toml.replace('name = "shop"', 'name = "shop▸'),
    ' This is not TOML: Unterminated string constant.',
  ],
  ['a key that cannot be one', `▸__proto__ = 1\n${toml}`, '/__proto__ A key cannot have this name.'],
  ['a key that is there twice', `name = "x"\n▸${toml}`, ' This is not TOML: Defining a key multiple times is invalid.'],
])('%s of a TOML file is told with its place', (_, written, fault) => {
  const { text, places } = marked(written);
  const [told] = faultsOf(text, { format: 'toml' });
  expect(told).toBe(`${places[0]} ${fault}`);
});

test('TOML that is empty or has no end of nesting is refused', () => {
  expect(faultsOf(' \n', { format: 'toml' })).toEqual([
    '1:1  The file is empty. Expected a mapping with "name" and "operations".',
  ]);
  expect(faultsOf(`a = ${'['.repeat(100)}${']'.repeat(100)}`, { format: 'toml' })[0]).toContain('levels deep');
  expect(faultsOf(`a = ${'['.repeat(100_000)}`, { format: 'toml' })).toHaveLength(1);
});

const json = (name: string): string =>
  `{ "name": "x",\n "operations": [{ "id": "a", "type": "volume.create",\n "region": "tpe-1", "with": { "name": ${name}, "sizeGib": 1 } }] }`;

test('JSON is told of with places, though it is read without them', () => {
  const { text, places } = marked(json('▸7'));
  expect(faultsOf(text, { format: 'json' })).toEqual([
    `${places[0]} /operations/0/with/name Expected text; found the number 7. Put it in quotes.`,
  ]);
});

test('what JSON lets pass is told all the same', () => {
  expect(faultsOf(json('"a", "name": "b"'))).toEqual([
    '3:44 /operations/0/with/name The key "name" is in this mapping already, in line 3. Remove one of the two.',
  ]);
  expect(faultsOf(json('"a", "__proto__": {}'))[0]).toContain('A key cannot have this name.');
  expect(faultsOf(`{"a":${'['.repeat(80)}${']'.repeat(80)}}`)[0]).toContain('Nested more than 64 levels deep.');
  expect(faultsOf(json('"a" "b"'))).toHaveLength(1);
});

test('YAML in which JSON would be is read too', () => {
  expect(faultsOf(`{ name: x, operations: [${volume('a')}], }`, { format: 'json' })).toEqual([]);
});

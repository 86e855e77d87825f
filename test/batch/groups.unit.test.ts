import { expect, test } from 'vitest';
import type { BatchFile } from '../../src/batch/file.ts';
import { type ParseOptions, parseBatch } from '../../src/batch/parse.ts';
import { catalog, faultsOf, marked } from './parsing.ts';

const read = (text: string, options: ParseOptions = {}): BatchFile => parseBatch(text, catalog, options);
const waits = ({ operations }: BatchFile): Record<string, readonly string[]> =>
  Object.fromEntries(operations.map(({ id, dependsOn }) => [id, dependsOn]));
const named = ({ operations }: BatchFile, id: string) => operations.find((operation) => operation.id === id);

/** Whether a file has exactly these faults, each where a `▸` stands. */
function expectFaults(written: string, ...faults: string[]): void {
  const { text, places } = marked(written);
  expect(faultsOf(text)).toEqual(faults.map((fault, index) => `${places[index]} ${fault}`));
}

const blueGreen = `name: shop
operations:
  - { id: net, type: network.create, region: tpe-1, with: { name: shop, cidr: 10.0.0.0/24 } }
  - id: web
    type: vm.create
    region: tpe-1
    forEach: [blue, green]
    limit: 1
    dependsOn: [net]
    retry: { maximumAttempts: 3 }
    timeout: 10m
    onFailure: hold
    with: { name: "web-\${each.key}", flavor: small, image: debian-13, labels: { place: "p\${each.index}" } }
  - id: one
    type: vm.create
    region: tpe-1
    with: { name: one, flavor: small, image: debian-13, userData: "\${operations.web.outputs.green.address}" }
  - id: all
    type: vm.create
    region: tpe-1
    with: { name: all, flavor: small, image: debian-13, userData: "\${operations.web.outputs.*.address}" }
`;

test('a forEach is spread out into members, and after them the end of the group, which waits for all', () => {
  const file = read(blueGreen);
  expect(waits(file)).toEqual({
    net: [],
    'web/blue': ['net'],
    'web/green': ['net'],
    web: ['web/blue', 'web/green'],
    one: ['web/green'],
    all: ['web'],
  });
  expect(file.operations.map(({ id }) => id)).toEqual(Object.keys(waits(file)));
  expect(file.limits).toEqual({ web: 1 });
  expect(named(file, 'web/green')).toEqual({
    id: 'web/green',
    type: 'vm.create',
    region: 'tpe-1',
    dependsOn: ['net'],
    softDependsOn: [],
    conditions: [],
    retry: { maximumAttempts: 3 },
    timeoutSeconds: 600,
    onFailure: 'hold',
    with: { name: 'web-green', flavor: 'small', image: 'debian-13', labels: { place: 'p1' } },
  });
  expect(named(file, 'web')).toMatchObject({ type: 'group.join', with: {} });
  expect(named(file, 'one')?.with.userData).toBe(`\${operations.web/green.outputs.address}`);
  expect(named(file, 'all')?.with.userData).toBe(`\${operations.web.outputs.*.address}`);
});

const volumes = (forEach: string, name = `\${each.key}`, sizeGib = '1'): string =>
  `name: x\noperations:\n  - id: v\n    type: volume.create\n    region: tpe-1\n    forEach: ${forEach}\n    with: { name: "v-${name}", sizeGib: ${sizeGib} }\n`;

test.each([
  ['a number counts from 1', '3', ['v/1', 'v/2', 'v/3', 'v']],
  ['a mapping gives its keys', '{ b: 1, a: 2 }', ['v/b', 'v/a', 'v']],
  ['a list of texts and numbers gives them', '[b, 7]', ['v/b', 'v/7', 'v']],
  ['a list of mappings counts from 1', '[{ x: 1 }, { x: 2 }]', ['v/1', 'v/2', 'v']],
  ['nothing gives an end without members', '[]', ['v']],
])('%s', (_, forEach, ids) => {
  expect(read(volumes(forEach)).operations.map(({ id }) => id)).toEqual(ids);
});

test('what each stands for has its own type, and parts', () => {
  const sizes = read(volumes('{ a: { size: 5 }, b: { size: 7 } }', `\${each.key}`, `"\${each.value.size}"`));
  expect(sizes.operations.flatMap(({ with: given }) => given.sizeGib ?? [])).toEqual([5, 7]);
});

const withinSite = (rest: string): string => `name: shop
operations:
  - id: site
    type: batch.apply
    forEach: { tpe: tpe-1, nrt: nrt-1 }
    ${rest}
    with:
      variables: { region: "\${each.value}", suffix: "\${each.key}" }
      batch:
        parallelLimit: 2
        variables: { region: {}, suffix: {} }
        operations:
          - id: data
            type: volume.create
            region: "\${variables.region}"
            with: { name: "data-\${variables.suffix}", sizeGib: 1 }
          - id: db
            type: vm.create
            region: "\${variables.region}"
            onFailure: keep
            with:
              name: "db-\${variables.suffix}"
              flavor: small
              image: debian-13
              volumes: ["\${operations.data.outputs.name}"]
  - id: lb
    type: vm.create
    region: tpe-1
    with: { name: lb, flavor: small, image: debian-13, userData: "\${operations.site.outputs.nrt.db.address} \${operations.site.outputs.*.db.address}" }
`;

test('a batch in a batch has names and variables of its own, and its group stands for it outside', () => {
  const file = read(withinSite('onFailure: hold'));
  expect(waits(file)).toEqual({
    'site/tpe/data': [],
    'site/tpe/db': ['site/tpe/data'],
    'site/tpe': ['site/tpe/data', 'site/tpe/db'],
    'site/nrt/data': [],
    'site/nrt/db': ['site/nrt/data'],
    'site/nrt': ['site/nrt/data', 'site/nrt/db'],
    site: ['site/tpe', 'site/nrt'],
    lb: ['site/nrt/db', 'site'],
  });
  expect(named(file, 'site/nrt/data')).toMatchObject({
    region: 'nrt-1',
    onFailure: 'hold',
    with: { name: 'data-nrt' },
  });
  expect(named(file, 'site/nrt/db')).toMatchObject({ onFailure: 'keep' });
  expect(named(file, 'lb')?.with.userData).toBe(
    `\${operations.site/nrt/db.outputs.address} \${operations.site.outputs.*.db.address}`,
  );
  expect(file.limits).toEqual({ 'site/tpe': 2, 'site/nrt': 2 });
});

test('an output may be handed into a batch, and is waited for by what uses it', () => {
  const file = read(`name: shop
operations:
  - { id: db, type: vm.create, region: tpe-1, with: { name: db, flavor: small, image: debian-13 } }
  - id: site
    type: batch.apply
    with:
      variables: { host: "\${operations.db.outputs.address}" }
      batch:
        variables: { host: {} }
        operations:
          - id: web
            type: vm.create
            region: tpe-1
            when: variables.host != ""
            with: { name: web, flavor: small, image: debian-13, userData: "host=\${variables.host}" }
`);
  expect(waits(file)).toMatchObject({ 'site/web': ['db'], site: ['db', 'site/web'] });
  expect(named(file, 'site/web')?.with.userData).toBe(`host=\${operations.db.outputs.address}`);
  expect(named(file, 'site/web')?.conditions).toEqual([
    { expression: 'variables.host != ""', variables: { host: `\${operations.db.outputs.address}` }, scope: 'site/' },
  ]);
});

const site = (file: string): string =>
  `name: shop\noperations:\n  - { id: site, type: batch.apply, with: { file: ${file} } }\n`;
const part = 'operations: [{ id: a, type: volume.create, region: tpe-1, with: { name: a, sizeGib: 1 } }]\n';

test('files are found from the file that names them, in whatever format each is', () => {
  const files = new Map([
    ['sites/tpe.yaml', `operations: [{ id: inner, type: batch.apply, with: { file: ../parts/data.toml } }]`],
    [
      'parts/data.toml',
      '[[operations]]\nid = "a"\ntype = "volume.create"\nregion = "tpe-1"\nwith = { name = "a", sizeGib = 1 }\n',
    ],
  ]);
  for (const name of [undefined, 'shop.yaml', '/somewhere/else/shop.yaml']) {
    const { operations } = read(site('sites/tpe.yaml'), { files, name });
    expect(operations.map(({ id }) => id)).toEqual(['site/inner/a', 'site/inner', 'site']);
  }
});

test('faults name the file that they are in, those of the batch file first', () => {
  const files = new Map([['part.yaml', part.replace('tpe-1', 'tpe-9')]]);
  const text = `${site('part.yaml')}  - { id: b, type: volume.create, region: tpe1, with: { name: b, sizeGib: 1 } }\n`;
  const detail = (region: string) =>
    `There is no region "${region}"; did you mean "tpe-1"? There are: nrt-1, tpe-1, lab-1.`;
  expect(faultsOf(text, { files, name: 'shop.yaml' })).toEqual([
    `shop.yaml:4:43 /operations/1/region ${detail('tpe1')}`,
    `part.yaml:1:52 /operations/0/region ${detail('tpe-9')}`,
  ]);
});

test('a file that is not there, one that is not readable, and files that lie in themselves are told', () => {
  expect(faultsOf(site('prt.yaml'), { files: new Map([['part.yaml', part]]) })).toEqual([
    '3:50 /operations/0/with/file There is no file "prt.yaml"; did you mean "part.yaml"? There are: part.yaml. Every file that is named has to come with the request.',
  ]);
  expect(faultsOf(site('part.yaml'), { files: new Map([['part.yaml', 'a: "b']]) })).toEqual([
    'part.yaml:1:4  The quote that opens here is never closed.',
  ]);
  const files = new Map([
    ['a.yaml', site('b.yaml')],
    ['b.yaml', site('a.yaml')],
  ]);
  expect(faultsOf(site('a.yaml'), { files })).toEqual([
    'b.yaml:3:50 /operations/0/with/file These files lie in themselves: a.yaml → b.yaml → a.yaml.',
  ]);
});

test('batches lie in each other eight deep, and no deeper', () => {
  const nested = (depth: number): string =>
    depth === 0
      ? part
      : `operations: [{ id: in, type: batch.apply, with: { batch: { ${nested(depth - 1).trim()} } } }]`;
  expect(faultsOf(`name: x\n${nested(8)}`)).toEqual([]);
  expect(faultsOf(`name: x\n${nested(9)}`)).toHaveLength(1);
  expect(faultsOf(`name: x\n${nested(9)}`)[0]).toContain('Batches may lie in each other up to 8 deep.');
});

test.each([
  [
    'a number too large',
    volumes('▸1000000000'),
    '/operations/0/forEach Expected a whole number from 0 to 10000; found 1000000000.',
  ],
  [
    'a key that cannot be one',
    volumes('[▸a.b]'),
    '/operations/0/forEach/0 Expected a key of up to 63 letters, digits, "-" and "_"; found "a.b". Write a mapping with a key for each.',
  ],
  ['a key that is there twice', volumes('[a, ▸a]'), '/operations/0/forEach/1 "a" is listed twice.'],
  [
    'text that is no reference',
    volumes('▸abc'),
    `/operations/0/forEach Expected a list, a mapping, a number or "\${variables.NAME}"; found "abc".`,
  ],
  [
    'an output',
    volumes(`▸"\${operations.v.outputs.id}"`),
    '/operations/0/forEach This has to be known before the batch begins: an output cannot stand here.',
  ],
  [
    'one name for all',
    volumes('[a, b]', 'x').replace('name: "', 'name: ▸"'),
    '/operations/0/with/name The volume "v-x" is created by "v/a" as well. Each needs its own name. (In "v/b".)',
  ],
  [
    'a fault of every member',
    volumes('[a, b]').replace('sizeGib: 1', 'sizeGib: ▸0'),
    '/operations/0/with/sizeGib Expected at least 1; found 0. (In "v/a".)',
  ],
  [
    'an each that is none',
    volumes('[a]', `\${each.value.x}`).replace('name: "', 'name: ▸"'),
    '/operations/0/with/name There is no part "x" of "each.value". There are: none. (In "v/a".)',
  ],
  [
    'each without forEach',
    volumes('1').replace('    forEach: 1\n', '').replace('name: "', 'name: ▸"'),
    '/operations/0/with/name There is no "each" here: it stands for the member of a "forEach", which this operation has not.',
  ],
  [
    'a limit without a group',
    volumes('1').replace('forEach: 1', '▸limit: 2').replace(`\${each.key}`, 'a'),
    '/operations/0/limit "limit" is of a group: an operation with "forEach", or a batch.apply. Remove it.',
  ],
  [
    'a region of a group',
    site('a.yaml')
      .replace('type:', '▸region: tpe-1, type:')
      .replace('file: a.yaml', 'batch: {operations: [{ id: a, type: volume.delete, with: { name: a } }]}'),
    '/operations/0/region A batch.apply has no region. Remove it.',
  ],
  [
    'both a file and a batch',
    site('a.yaml').replace('with: {', 'with: ▸{ batch: {},').replace('file: a.yaml', 'file: ▸a.yaml'),
    '/operations/0/with Give one of file and batch.',
    '/operations/0/with/file There is no file "a.yaml". There are: none. Every file that is named has to come with the request.',
  ],
])('%s is told in its place', (_, text, ...faults) => expectFaults(text, ...faults));

test('members that are not there, and outputs of members that give none such', () => {
  expectFaults(
    blueGreen.replace(`"\${operations.web.outputs.green.address}"`, `▸"\${operations.web.outputs.gren.address}"`),
    '/operations/2/with/userData There is no member "gren" of the group "web"; did you mean "green"? There are: blue, green.',
  );
  expectFaults(
    blueGreen.replace(`"\${operations.web.outputs.*.address}"`, `▸"\${operations.web.outputs.*.adress}"`),
    '/operations/3/with/userData There is no output "adress" of a vm.create; did you mean "address"? There are: id, name, region, provider, providerReference, address, addresses.',
  );
});

test('a cycle through groups is named by the ids that its operations have', () => {
  expectFaults(
    blueGreen.replace('dependsOn: [net]', 'dependsOn: [net, ▸one]'),
    '/operations/1/dependsOn/1 These operations wait for each other: web/green → one → web/green. Remove one of these dependencies.',
  );
});

test('what multiplies is refused before it fills the memory', { timeout: 120_000 }, () => {
  const files = new Map(
    [...'abcdefg'].map((name, level) => [
      `${name}.yaml`,
      level === 6
        ? part
        : `operations: [{ id: x, type: batch.apply, forEach: 100, with: { file: ${'abcdefg'[level + 1]}.yaml } }]`,
    ]),
  );
  const [fault, ...more] = faultsOf(site('a.yaml'), { files });
  expect(more).toEqual([]);
  expect(fault).toContain('has more than 10000 groups. Split it into several batches.');

  const doubled = (name: string): string => `"${`\${variables.${name}}`.repeat(64)}"`;
  const nested = (depth: number): string =>
    `variables: { x: {} }, operations: [{ id: n, type: batch.apply, with: { variables: { x: ${doubled('x')} }, batch: { ${depth === 0 ? `variables: { x: {} }, ${part.trim()}` : nested(depth - 1)} } } }]`;
  expect(faultsOf(`{ name: x, ${nested(6)} }`, { variables: { x: 'x'.repeat(64) } })).toEqual([
    expect.stringContaining('Variables make this file larger than 32 MiB.'),
  ]);

  const dense = `name: x\noperations:\n  - { id: a, type: wait.for, forEach: 5000, dependsOn: &ids [${Array.from({ length: 200 }, (_, index) => `w-${index}`).join(', ')}], with: { duration: 1 } }\n${Array.from({ length: 200 }, (_, index) => `  - { id: w-${index}, type: wait.for, with: { duration: 1 } }\n`).join('')}`;
  expect(faultsOf(dense)).toEqual([expect.stringContaining('more than 500000 dependencies')]);
});

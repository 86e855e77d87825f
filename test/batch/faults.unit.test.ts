import { expect, test } from 'vitest';
import { fileOperationTypes } from '../../src/batch/file.ts';
import { faultsOf, file, marked, network, sound, vm, volume } from './parsing.ts';

/** A file with `▸` before each place that has a fault, and what is said of each, in order: pointer and detail. */
type Case = [promise: string, text: string, ...faults: string[]];

const one = `operations: [${volume('a')}]`;
const nameRule =
  'Expected 1 to 63 lower-case letters, digits and hyphens, starting with a letter and not ending with a hyphen';
const types = fileOperationTypes.join(', ');
const keys = 'There are: name, version, parallelLimit, onFailure, replace, timeout, variables, operations.';
const form = `Expected \${operations.ID.outputs.NAME}, \${variables.NAME} or \${each.key}; write $\${ for a plain \${.`;

const header: Case[] = [
  [
    'unknown keys',
    `name: shop\n▸paralel_limit: 4\n▸colour: red\n${one}`,
    `/paralel_limit There is no key "paralel_limit"; did you mean "parallelLimit"? ${keys}`,
    `/colour There is no key "colour". ${keys}`,
  ],
  ['a name that is missing', `▸version: 1\n${one}`, '/name Missing "name": expected text.'],
  ['a name that is none', `name: ▸Web Shop\n${one}`, `/name ${nameRule}; found "Web Shop".`],
  ['a name that is a number', `name: ▸2024\n${one}`, '/name Expected text; found the number 2024. Put it in quotes.'],
  ['a name left empty', `name: ▸~\n${one}`, '/name Expected text; found nothing.'],
  [
    'a version that is no integer',
    `name: shop\nversion: ▸1.5\n${one}`,
    '/version Expected a whole number; found the number 1.5.',
  ],
  ['a version that is text', `name: shop\nversion: ▸"1"\n${one}`, '/version Expected a number; found "1".'],
  ['a limit too low', `name: shop\nparallelLimit: ▸0\n${one}`, '/parallelLimit Expected at least 1; found 0.'],
  ['a limit too high', `name: shop\nparallelLimit: ▸1001\n${one}`, '/parallelLimit Expected at most 1000; found 1001.'],
  [
    'a policy that is none',
    `name: shop\nonFailure: ▸rolback\n${one}`,
    '/onFailure Expected one of rollback, hold, keep; found "rolback"; did you mean "rollback"?',
  ],
  ['operations that are missing', '▸name: shop\n', '/operations Missing "operations": expected a list.'],
  ['no operations', 'name: shop\noperations: ▸[]\n', '/operations Expected at least 1 entry; found none.'],
  [
    'operations that are no list',
    'name: shop\noperations: ▸{ a: 1 }\n',
    '/operations Expected a list; found a mapping.',
  ],
];

const operations: Case[] = [
  ['an operation that is none', file('▸vm.create'), '/operations/0 Expected a mapping; found "vm.create".'],
  [
    'fields that are missing',
    file('▸▸▸{ region: tpe-1 }'),
    '/operations/0/id Missing "id": expected text.',
    `/operations/0/type Missing "type": expected one of ${types}.`,
    '/operations/0/with Missing "with": expected a mapping.',
  ],
  [
    'an unknown key',
    file(`{ ▸depends_on: [], ${volume('a').slice(2)}`),
    '/operations/0/depends_on There is no key "depends_on"; did you mean "dependsOn"? There are: id, type, region, provider, dependsOn, when, forEach, limit, retry, timeout, onFailure, replace, with.',
  ],
  [
    'an id that is none',
    file(volume('▸A_1')),
    `/operations/0/id ${nameRule}; found "A_1".`,
    `/operations/0/with/name ${nameRule}; found "A_1".`,
  ],
  [
    'an id that is taken',
    file(volume('a'), volume('▸a').replace('name: ▸a', 'name: b')),
    '/operations/1/id The id "a" is taken by the operation in line 3. Each needs its own.',
  ],
  [
    'an unknown type',
    file('{ id: a, type: ▸vm.craete, region: tpe-1, with: {} }'),
    `/operations/0/type Expected one of ${types}; found "vm.craete"; did you mean "vm.create"?`,
  ],
  [
    'a region that is missing',
    file('▸{ id: a, type: volume.create, with: { name: a, sizeGib: 1 } }'),
    '/operations/0/region Missing "region": a volume.create needs one. There are: nrt-1, tpe-1, lab-1.',
  ],
  [
    'an unknown region',
    file(volume('a').replace('tpe-1', '▸tpe1')),
    '/operations/0/region There is no region "tpe1"; did you mean "tpe-1"? There are: nrt-1, tpe-1, lab-1.',
  ],
  [
    'an unknown provider',
    file(volume('a', ', provider: ▸simulater')),
    '/operations/0/provider There is no provider "simulater" in region "tpe-1"; did you mean "simulator"? There are: simulator.',
  ],
  [
    'a provider that has to be named',
    file(volume('a').replace('{', '▸{').replace('tpe-1', 'lab-1')),
    '/operations/0/provider Missing "provider": region "lab-1" has several. There are: incus, libvirt.',
  ],
  [
    'dependencies that are no list',
    file(volume('a'), volume('b', ', dependsOn: ▸a')),
    '/operations/1/dependsOn Expected a list; found "a". Write [a].',
  ],
  [
    'dependencies that are not there, among them one that is no text',
    file(volume('data'), volume('b', ', dependsOn: [data, ▸dta, ▸7, ▸b]')),
    '/operations/1/dependsOn/1 There is no operation "dta"; did you mean "data"? There are: data, b.',
    '/operations/1/dependsOn/2 Expected text; found the number 7. Put it in quotes.',
    '/operations/1/dependsOn/3 Operation "b" depends on itself.',
  ],
];

const bodies: Case[] = [
  [
    'a `with` that is no mapping',
    file('{ id: a, type: vm.delete, with: ▸[old] }'),
    '/operations/0/with Expected a mapping; found a list.',
  ],
  [
    'an unknown key, and what is missing for it',
    file(vm('name: vm, ▸flavr: small, image: debian-13').replace('with: {', 'with: ▸{')),
    '/operations/0/with/flavor Give a flavor, or all of vcpus, memoryMib and diskGib.',
    '/operations/0/with/flavr There is no key "flavr"; did you mean "flavor"? There are: name, labels, deletionProtection, flavor, vcpus, memoryMib, diskGib, image, sshKeys, userData, networks, volumes, gpus, placement.',
  ],
  [
    'region and provider in the wrong place',
    file(vm(`${sound}, ▸region: tpe-1, ▸provider: simulator`)),
    '/operations/0/with/region "region" stands beside "with", as the operation\'s own. Move it there.',
    '/operations/0/with/provider "provider" stands beside "with", as the operation\'s own. Move it there.',
  ],
  [
    'an unknown flavor and image',
    file(vm('name: vm, flavor: ▸smal, image: ▸debian-12')),
    '/operations/0/with/flavor There is no flavor "smal"; did you mean "small"? There are: small, medium, large.',
    '/operations/0/with/image There is no image "debian-12"; did you mean "debian-13"? There are: debian-13.',
  ],
  [
    'wrong types beside what only shows when they are right',
    file(vm('name: ▸true, flavor: ▸small, vcpus: ▸two, image: debian-13, networks: [a, ▸a, ▸{}]')),
    '/operations/0/with/name Expected text; found the value true. Put it in quotes.',
    '/operations/0/with/flavor Give a flavor or vcpus, not both.',
    '/operations/0/with/vcpus Expected a number; found "two".',
    '/operations/0/with/networks/1 "a" is listed twice.',
    '/operations/0/with/networks/2 Expected text; found a mapping.',
  ],
  [
    'sizes out of bounds',
    file(volume('a').replace('sizeGib: 1', 'sizeGib: ▸65537'), volume('b').replace('sizeGib: 1', 'sizeGib: ▸0.5')),
    '/operations/0/with/sizeGib Expected at most 65536; found 65537.',
    '/operations/1/with/sizeGib Expected a whole number; found the number 0.5.',
  ],
  [
    'an address block with host bits',
    file(network.replace('10.0.0.0', '▸10.0.0.1')),
    '/operations/0/with/cidr 10.0.0.1/24 has host bits set; did you mean 10.0.0.0/24?',
  ],
  [
    'what a delete does not take',
    file('{ id: a, type: volume.delete, with: { name: old, ▸sizeGib: 1 } }'),
    '/operations/0/with/sizeGib There is no key "sizeGib". There are: name.',
  ],
  [
    'a name created twice',
    file(volume('a'), volume('b').replace('name: b', 'name: ▸a')),
    '/operations/1/with/name The volume "a" is created in line 3 as well. Each needs its own name.',
  ],
  [
    'a network of another region',
    file(network.replace('tpe-1', 'nrt-1'), vm(`${sound}, networks: [▸shop]`)),
    '/operations/1/with/networks/0 The network "shop" is created in region "nrt-1", not in "tpe-1".',
  ],
];

const references: Case[] = [
  [
    'an output of nothing',
    file(volume('data'), vm(`${sound}, userData: ▸"\${operations.dat.outputs.id}"`)),
    '/operations/1/with/userData There is no operation "dat"; did you mean "data"? There are: data, vm.',
  ],
  [
    'an output of its own',
    file(vm(`${sound}, userData: ▸"\${operations.vm.outputs.id}"`)),
    '/operations/0/with/userData Operation "vm" depends on itself.',
  ],
  [
    'an unknown output',
    file(volume('data'), vm(`${sound}, userData: ▸"\${operations.data.outputs.sizeGb}"`)),
    '/operations/1/with/userData There is no output "sizeGb" of a volume.create; did you mean "sizeGib"? There are: id, name, region, provider, providerReference, sizeGib, attachedTo.',
  ],
  [
    'an output of what is deleted',
    file(
      '{ id: gone, type: vm.delete, with: { name: old } }',
      vm(`${sound}, userData: ▸"\${operations.gone.outputs.address}"`),
    ),
    '/operations/1/with/userData There is no output "address" of a vm.delete. There are: id, name.',
  ],
  [
    'a part of what has none, and a part that is not there',
    file(
      vm(sound),
      volume('a').replace('name: a', `name: ▸"\${operations.vm.outputs.name.first}"`),
      volume('b').replace('name: b', `name: ▸"\${operations.vm.outputs.addresses.first}"`),
      volume('c').replace('name: c', `name: "\${operations.vm.outputs.addresses.0.address}"`),
    ),
    '/operations/1/with/name The output "name" has no parts. Expected "name" alone.',
    '/operations/2/with/name The output "addresses" has no part "first". Expected addresses.0.address or addresses.0.network, counted from 0.',
  ],
  [
    'references that are badly formed',
    file(
      vm(`${sound}, labels: { a: ▸"\${foo}", b: ▸"\${operations.vm.output.id}", c: ▸"\${operations.vm", d: ▸"\${}" }`),
    ),
    `/operations/0/with/labels/a "\${foo}" refers to nothing. ${form}`,
    `/operations/0/with/labels/b "\${operations.vm.output.id}" refers to nothing; did you mean "\${operations.vm.outputs.id}"? ${form}`,
    `/operations/0/with/labels/c "\${operations.vm" is not closed. ${form}`,
    `/operations/0/with/labels/d "\${}" refers to nothing. ${form}`,
  ],
];

const cycles: Case[] = [
  [
    'a cycle, from its first in the file',
    file(
      volume('d', ', dependsOn: [a]'),
      volume('a', ', dependsOn: [▸b]'),
      volume('b', ', dependsOn: [c]'),
      volume('c', ', dependsOn: [a]'),
    ),
    '/operations/1/dependsOn/0 These operations wait for each other: a → b → c → a. Remove one of these dependencies.',
  ],
  [
    'cycles that have nothing to do with each other',
    file(
      volume('a', ', dependsOn: [▸b]'),
      volume('b', ', dependsOn: [a]'),
      volume('c', ', dependsOn: [▸d]'),
      volume('d', ', dependsOn: [c]'),
    ),
    '/operations/0/dependsOn/0 These operations wait for each other: a → b → a. Remove one of these dependencies.',
    '/operations/2/dependsOn/0 These operations wait for each other: c → d → c. Remove one of these dependencies.',
  ],
  [
    'a cycle through a reference and a name',
    file(
      vm(`${sound}, networks: [▸shop]`),
      network.replace('with:', 'dependsOn: [a], with:'),
      volume('a').replace('name: a', `name: "\${operations.vm.outputs.name}"`),
    ),
    '/operations/0/with/networks/0 These operations wait for each other: vm → net → a → vm. Remove one of these dependencies.',
  ],
];

test.each([...header, ...operations, ...bodies, ...references, ...cycles])(
  '%s: told in its place',
  (_, written, ...faults) => {
    const { text, places } = marked(written);
    expect(faultsOf(text)).toEqual(faults.map((fault, index) => `${places[index]} ${fault}`));
  },
);

test('all faults of a file are told at once, in the order of the text', () => {
  const { text, places } = marked(`name: shop
version: ▸x
▸parallellimit: 4
operations:
  - id: a
    type: volume.create
    region: ▸tpe-9
    with: { name: a, sizeGib: ▸big }
  - ▸type: vm.delete
    dependsOn: [▸c]
    with: { name: x }
  - ▸id: ▸a
    type: ▸vm.creat
`);
  expect(faultsOf(text).map((fault) => fault.split(' ')[0])).toEqual(places);
});

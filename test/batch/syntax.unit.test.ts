import { expect, test } from 'vitest';
import { faultsOf, file, network, volume } from './parsing.ts';

const sentences: [promise: string, text: string, fault: string][] = [
  ['a tab for indentation', 'name: x\noperations:\n\t- id: a\n', '3:1  A tab indents this line. Expected spaces.'],
  ['a quote that is not closed', 'name: "x\noperations: []\n', '1:7  The quote that opens here is never closed.'],
  [
    'a quote that is not closed in a mapping in braces',
    "operations:\n  - id: a\n    with: { name: 'x, y: 1 }\n",
    '3:19  The quote that opens here is never closed.',
  ],
  [
    'a bracket that is not closed',
    'name: x\noperations: [a\nversion: 1\n',
    '3:1  A "[" or "{" before this line is not closed, or this line is not indented as part of it.',
  ],
  ['uneven indentation', 'a:\n  b: 1\n c: 2\n', '3:1  This line is indented otherwise than the lines it belongs to.'],
  ['two colons in a line', 'name: a: b\n', '1:7  A second ": " in one line. Put text that has ": " in it in quotes.'],
  ['a key without its colon', 'name\nversion: 1\n', '1:1  Expected "key: value"; there is no ":" behind this key.'],
  [
    'an escape that YAML does not know',
    'name: "\\z"\n',
    '1:8  There is no such escape in double quotes. Write \\\\ for a backslash, or use single quotes.',
  ],
  ['a reserved character', 'name: @x\n', '1:7  Text cannot begin with this character. Put it in quotes.'],
  ['a stray brace', 'a: { b: 1 }}\n', '1:12  This is not YAML: Unexpected flow-map-end token in YAML stream: "}".'],
  ['a tag', 'name: !shop x\n', '1:7  Tags ("!…") are not supported. Remove it.'],
  ['a tag of YAML 1.1', 'name: !!binary aGk=\n', '1:7  Tags ("!…") are not supported. Remove it.'],
  ['a directive', '%FOO x\n---\nname: x\n', '1:1  Lines that begin with "%" are not supported. Remove this one.'],
  ['another version of YAML', '%YAML 1.1\n---\nname: x\n', '1:1  Expected YAML 1.2. Remove the %YAML line.'],
  [
    'a second document',
    'name: x\n---\nname: y\n',
    '2:1  A second document begins here. Expected one in a file: write two files.',
  ],
  ['an empty file', '', '1:1  The file is empty. Expected a mapping with "name" and "operations".'],
  ['a file of comments', '# nothing\n', '1:1  The file is empty. Expected a mapping with "name" and "operations".'],
  ['a list at the top', '- a\n', '1:1  Expected a mapping with "name" and "operations"; found a list.'],
  ['text at the top', '\nhello\n', '2:1  Expected a mapping with "name" and "operations"; found "hello".'],
  ['an alias of nothing', 'name: *x\n', '1:7 /name There is no anchor "&x" before this alias.'],
  ['an alias in itself', 'operations: &a [*a]\n', '1:17 /operations/0 The alias "*a" stands for what it is in itself.'],
  ['nesting without end', '['.repeat(100_000), '1:773  Nested too deeply.'],
];

test.each(sentences)('%s is told in a sentence, with its place', (_, text, fault) => {
  const [found, ...more] = faultsOf(text);
  // How deep the parser goes depends on the stack.
  expect(found?.replace(/^1:\d+(?= {2}Nested)/, '1:773')).toBe(fault);
  expect(more).toEqual([]);
});

test('every line that is not YAML is told', () => {
  expect(faultsOf('name: @x\nversion: `1`\n')).toEqual([
    '1:7  Text cannot begin with this character. Put it in quotes.',
    '2:10  Text cannot begin with this character. Put it in quotes.',
  ]);
});

test('a key that is there twice is told with the line of the first, beside all other faults', () => {
  expect(faultsOf(`name: shop\nparallelLimit: 0\nname: other\noperations: [${volume('a')}]\n`)).toEqual([
    '2:16 /parallelLimit Expected at least 1; found 0.',
    '3:1 /name The key "name" is in this mapping already, in line 1. Remove one of the two.',
  ]);
});

test('merge keys and keys that are not text are refused', () => {
  expect(faultsOf(`name: shop\n<<: { version: 1 }\n? [a]\n: 1\n__proto__: 1\noperations: [${volume('a')}]\n`)).toEqual([
    '2:1 /<< Merge keys ("<<") are not supported. Write the keys out.',
    '3:3 / Expected a key that is text.',
    '5:1 /__proto__ A key cannot have this name.',
  ]);
});

test('a value written once and used by alias is told where it is written', () => {
  const text = file(
    '{ id: a, type: volume.create, region: tpe-1, with: { name: a, sizeGib: 1, labels: &labels { "-": x } } }',
    '{ id: b, type: volume.create, region: tpe-1, with: { name: b, sizeGib: 1, labels: *labels } }',
  );
  const detail = 'Expected a label key of up to 63 letters, digits, ".", "_", "/" or "-"; found "-".';
  expect(faultsOf(text)).toEqual([
    `3:97 /operations/0/with/labels/- ${detail}`,
    `3:97 /operations/1/with/labels/- ${detail}`,
  ]);
});

test('aliases that multiply are refused before they fill the memory', { timeout: 60_000 }, () => {
  const levels = [...'abcdefghi'].map((name, level) => {
    const below = level === 0 ? '1' : `*${'abcdefghi'[level - 1]}`;
    return `${name}: &${name} [${Array(10).fill(below).join(', ')}]`;
  });
  expect(faultsOf(levels.join('\n'))[0]).toContain('Aliases make this file more than 2000000 values long.');
});

test('a file too large is refused unread', { timeout: 60_000 }, () => {
  expect(faultsOf(`name: "${'é'.repeat(4 * 1024 * 1024)}"`)).toEqual([
    '1:1  The file is larger than 8 MiB. Split it into several batches.',
  ]);
  expect(faultsOf(`a: [${'1,'.repeat(1_000_001)}]`)).toEqual([
    '1:1  The file has more than 2000000 words and signs. Split it into several batches.',
  ]);
});

test('a byte order mark and Windows line ends move no place', () => {
  expect(faultsOf(`\uFEFFname: Shop\r\nversion: x\r\noperations: [${network}]\r\n`)).toEqual([
    '1:7 /name Expected 1 to 63 lower-case letters, digits and hyphens, starting with a letter and not ending with a hyphen; found "Shop".',
    '2:10 /version Expected a number; found "x".',
  ]);
});

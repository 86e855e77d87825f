import fc from 'fast-check';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { type ParseOptions, parseBatch } from '../../src/batch/parse.ts';
import { readQuickly } from '../../src/batch/quick.ts';
import type { Format } from '../../src/batch/source.ts';
import { readYaml } from '../../src/batch/yaml.ts';
import { MillwrightError } from '../../src/errors.ts';
import { catalog } from './parsing.ts';

/** TOML in its plainest form: every table but the file's own is an inline one. */
function toml(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(toml).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return `{ ${Object.entries(value)
    .map(([key, entry]) => `${JSON.stringify(key)} = ${toml(entry)}`)
    .join(', ')} }`;
}
const print: Readonly<Record<Format, (file: object) => string>> = {
  yaml: (file) => stringify(file),
  json: (file) => JSON.stringify(file, null, 1),
  toml: (file) =>
    Object.entries(file)
      .map(([key, entry]) => `${key} = ${toml(entry)}\n`)
      .join(''),
};

const texts = fc
  .string({ unit: 'grapheme', maxLength: 30 })
  .filter((text) => text.isWellFormed() && !/[\0\u007f-\u009f\ufeff]/.test(text));
const keys = fc.stringMatching(/^[a-zA-Z][a-zA-Z0-9._-]{0,8}$/);

/** A sound file, and the ids that its operations are to have, in order, with what each waits for. */
const files = fc
  .array(
    fc.record({
      members: fc.option(fc.uniqueArray(fc.stringMatching(/^[a-z][a-z0-9-]{0,6}[a-z0-9]$/), { maxLength: 4 })),
      waitsFor: fc.array(fc.nat(), { maxLength: 3 }),
      labels: fc.dictionary(keys, texts, { maxKeys: 3 }),
      sizeGib: fc.integer({ min: 1, max: 65_536 }),
      protects: fc.boolean(),
    }),
    { minLength: 1, maxLength: 8 },
  )
  .map((drawn) => {
    const expected: [string, string[]][] = [];
    const operations = drawn.map(({ members, waitsFor, labels, sizeGib, protects }, index) => {
      const id = `op-${index}`;
      const before = index === 0 ? [] : waitsFor.map((at) => at % index);
      const dependsOn = [...new Set(before)].sort((one, other) => one - other).map((at) => `op-${at}`);
      for (const key of members ?? []) expected.push([`${id}/${key}`, dependsOn]);
      const ends = members?.map((key) => `${id}/${key}`) ?? [];
      expected.push([id, ends.length > 0 ? ends : dependsOn]);
      return {
        id,
        type: 'volume.create',
        region: 'tpe-1',
        dependsOn: before.map((at) => `op-${at}`),
        ...(members && { forEach: members }),
        with: {
          name: members ? `v-${index}-\${each.key}` : `v-${index}`,
          sizeGib,
          deletionProtection: protects,
          labels: Object.fromEntries(Object.entries(labels).map(([key, text]) => [key, text.replaceAll('$', '')])),
        },
      };
    });
    return { file: { name: 'shop', parallelLimit: 7, operations }, expected };
  });

test('a file says the same in every format', () => {
  fc.assert(
    fc.property(files, ({ file }) => {
      const [yaml, json, toml] = (['yaml', 'json', 'toml'] as const).map((format) =>
        parseBatch(print[format](file), catalog, { format }),
      );
      expect(yaml).toEqual(json);
      expect(toml).toEqual(json);
    }),
    { numRuns: 100 },
  );
});

test('spreading out keeps the order of the file, and what each operation waits for', () => {
  fc.assert(
    fc.property(files, ({ file, expected }) => {
      const { operations } = parseBatch(JSON.stringify(file), catalog);
      expect(operations.map(({ id, dependsOn }) => [id, dependsOn])).toEqual(expected);
    }),
    { numRuns: 100 },
  );
});

/** Reads it, or refuses it as it should. */
function refusesWell(text: string, options: ParseOptions = {}): void {
  try {
    parseBatch(text, catalog, options);
  } catch (error) {
    if (!(error instanceof MillwrightError)) throw error;
    expect(error.code).toBe('invalid');
    expect(error.faults.length).toBeGreaterThan(0);
    for (const { line = 0, column = 0, detail } of error.faults) {
      expect(Math.min(line, column)).toBeGreaterThan(0);
      expect(detail).not.toBe('');
    }
  }
}

const formats = fc.constantFrom<Format>('yaml', 'json', 'toml');

/** Values that a file's fields may be mistaken for, among them every name that means something. */
const words = fc.constantFrom(
  ...'name version parallelLimit operations id type region with forEach when limit dependsOn variables batch file each default secret constructor __proto__ vm.create batch.apply wait.for group.join tpe-1 a b true'.split(
    ' ',
  ),
  ...[
    `\${variables.a}`,
    `\${each.key}`,
    `\${operations.a.outputs.*.id}`,
    `\${operations.b.outputs`,
    `$\${`,
    'operations.a.state == "X"',
    'variables.a > each.key',
    '1 +',
  ],
);
const anything = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    words,
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(words, tie('value'), { maxKeys: 5 }),
  ),
})).value;
const operation = fc.record(
  {
    id: fc.oneof(fc.constantFrom('a', 'b', 'c'), anything),
    type: fc.oneof(fc.constantFrom('vm.create', 'volume.delete', 'batch.apply', 'wait.for', 'http.request'), anything),
    forEach: anything,
    when: anything,
    dependsOn: anything,
    limit: anything,
    retry: anything,
    timeout: anything,
    region: fc.oneof(fc.constant('tpe-1'), anything),
    with: anything,
  },
  { requiredKeys: ['id', 'type', 'with'] },
);

/** Pieces of which YAML may be made, and much that is none. */
const pieces = fc.constantFrom(
  ...[
    'a',
    'b',
    '1',
    '0x1F',
    '0o17',
    '1_0',
    '1e3',
    '.5',
    '.nan',
    'null',
    '~',
    'TRUE',
    'yes',
    '2020-01-01',
    '1:30',
    '?',
    '-',
    ':',
    '- ',
    ': ',
    ', ',
  ],
  ...[
    '[',
    ']',
    '{',
    '}',
    '"',
    "'",
    '\\n',
    '\\',
    '#',
    ' #',
    '|',
    '>',
    '|-',
    '>+',
    '|2',
    '&a',
    '*a',
    '!t',
    '!!str',
    '<<',
    '%',
    '---',
    '...',
    '@',
    '`',
    '\t',
  ],
  ...['\n', '\n', '\n ', '\n  ', '\n- ', '\r\n', ' ', '  ', 'é', '__proto__', '\u0085', '\u2028'],
);

test('the quick reader of YAML says what the one says that knows places, or nothing', () => {
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 20 }), (drawn) => {
      const text = drawn.join('');
      const value = readQuickly(text);
      if (value === undefined) return;
      const { value: read, faults } = readYaml(text);
      expect({ value, faults }).toEqual({ value: read, faults: [] });
    }),
    { numRuns: 20_000 },
  );
});

test('whatever text it is, it is read or refused', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), formats, (text, format) =>
      refusesWell(text, { format }),
    ),
    { numRuns: 500 },
  );
});

test('whatever values stand in its fields, a file is read or refused', () => {
  const whole = fc.record({
    name: fc.constant('x'),
    variables: anything,
    operations: fc.array(operation, { maxLength: 4 }),
  });
  fc.assert(
    fc.property(fc.oneof(whole, anything), fc.dictionary(words, anything, { maxKeys: 3 }), (file, variables) =>
      refusesWell(JSON.stringify(file), { variables }),
    ),
    { numRuns: 1000 },
  );
});

test('whatever is done to a sound file, it is read or refused', () => {
  fc.assert(
    fc.property(
      files,
      formats,
      fc.nat(),
      fc.nat(20),
      fc.string({ unit: 'binary', maxLength: 5 }),
      ({ file }, format, at, cut, put) => {
        const text = print[format](file);
        const from = at % text.length;
        refusesWell(text.slice(0, from) + put + text.slice(from + cut), { format });
      },
    ),
    { numRuns: 300 },
  );
});

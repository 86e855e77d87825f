import { expect, test } from 'vitest';
import { holds, operationsIn, type Passed } from '../../src/batch/condition.ts';
import type { Condition } from '../../src/batch/file.ts';
import { parseBatch } from '../../src/batch/parse.ts';
import { MillwrightError } from '../../src/errors.ts';
import { catalog, faultsOf, marked } from './parsing.ts';

const passed: Record<string, Passed> = {
  'db-1': { state: 'SUCCEEDED', outputs: { address: '10.0.0.2', sizeGib: 50, ratio: 2 } },
  keys: { state: 'SUCCEEDED', outputs: { 'tpe-1': { address: 'y' } } },
  left: { state: 'SKIPPED' },
  'site/web': { state: 'SUCCEEDED', outputs: { blue: { address: 'x' } } },
};
const condition = (expression: string, rest: Partial<Condition> = {}): Condition => ({
  expression,
  variables: {},
  scope: '',
  ...rest,
});
const decide = (...conditions: Condition[]): boolean => holds(conditions, (id) => passed[id]);

test.each([
  ['operations.db-1.outputs.address == "10.0.0.2"', true],
  ['operations["db-1"].outputs.address.startsWith("192.")', false],
  ['operations.db-1.outputs.sizeGib + 1 == 51', true],
  ['operations.db-1.outputs.sizeGib * 1.5 > 74.5', true],
  ['operations.db-1.state in ["FAILED", "SKIPPED"]', false],
  ['has(operations.db-1.outputs.nothing)', false],
  ['has(operations.keys.outputs.tpe-1.address)', true],
  ['operations.keys.outputs.tpe-1.address == "y"', true],
  ['variables.env == "prod" && variables.list.exists(x, x == "b")', true],
  ['"operations.db-1" == "operations.db-1"', true],
  ['each.value.size > 1 && each.index == 0', true],
])('%s is %s', (expression, result) => {
  const rest = { variables: { env: 'prod', list: ['a', 'b'] }, each: { key: 'a', value: { size: 2 }, index: 0 } };
  expect(decide(condition(expression, rest))).toBe(result);
});

test('all conditions have to hold', () => {
  expect(decide(condition('true'), condition('1 < 2'))).toBe(true);
  expect(decide(condition('true'), condition('1 > 2'))).toBe(false);
  expect(decide()).toBe(true);
});

test('what was left out gives nothing, and what looks at it is left out too', () => {
  expect(decide(condition('operations.left.outputs.address == "x"'))).toBe(false);
  expect(decide(condition('operations.left.state == "SKIPPED"'))).toBe(true);
});

test('a condition says which operations it looks at, those behind its variables as well', () => {
  const looks = condition('operations.web.outputs.blue.address == variables.host', {
    scope: 'site/',
    variables: { host: `\${operations.db-1.outputs.address}` },
  });
  expect(operationsIn([looks])).toEqual(['site/web', 'db-1']);
  expect(decide(looks)).toBe(false);
});

test.each([
  ['operations.db-1.outputs.adress == "x"', 'No such key: adress (at character 25)'],
  ['operations.db-1.outputs.address', 'is neither true nor false'],
  ['operations.db-1.outputs.sizeGib == 50 && 1 / 0 == 1', 'division by zero'],
])('%s cannot be decided, and says why', (expression, why) => {
  try {
    decide(condition(expression));
  } catch (error) {
    expect(error).toBeInstanceOf(MillwrightError);
    expect(String(error)).toContain(why);
    return;
  }
  throw new Error('it was decided');
});

const file = (when: string, rest = ''): string => `name: x
variables: { env: { default: prod }, pw: { secret: true } }
operations:
  - { id: db-1, type: volume.create, region: tpe-1, with: { name: db, sizeGib: 1 } }
  - id: web
    type: volume.create
    region: tpe-1
    when: ${when}${rest}
    with: { name: web, sizeGib: 1 }
`;
const variables = { pw: 'secret' };
const read = (text: string) =>
  parseBatch(text, catalog, { variables }).operations.find(({ id }) => id.startsWith('web'));

test('an operation waits for what its condition looks at: for its outputs hard, for its state soft', () => {
  expect(read(file('operations.db-1.outputs.sizeGib > 1'))).toMatchObject({ dependsOn: ['db-1'], softDependsOn: [] });
  expect(read(file('operations.db-1.state == "FAILED"'))).toMatchObject({ dependsOn: [], softDependsOn: ['db-1'] });
  expect(read(file('operations.db-1.state == "FAILED"', '\n    dependsOn: [db-1]'))).toMatchObject({
    dependsOn: ['db-1'],
    softDependsOn: [],
  });
});

test('a soft dependency is waited for in any case, and is a hard one where outputs are needed', () => {
  const soft = '\n    dependsOn: [{ id: db-1, soft: true }]';
  expect(read(file('1 == 1', soft))).toMatchObject({ dependsOn: [], softDependsOn: ['db-1'] });
  expect(read(file('operations.db-1.outputs.sizeGib > 1', soft))).toMatchObject({
    dependsOn: ['db-1'],
    softDependsOn: [],
  });
});

test('a condition keeps what it may look at, and nothing else', () => {
  expect(read(file('variables.env == "prod" && each.key == "a"', '\n    forEach: [a]'))?.conditions).toEqual([
    {
      expression: 'variables.env == "prod" && each.key == "a"',
      variables: { env: 'prod' },
      each: { key: 'a', value: 'a', index: 0 },
      scope: '',
    },
  ]);
});

const states =
  'There are: PENDING, RUNNING, WAITING, SUCCEEDED, UNCHANGED, FAILED, SKIPPED, CANCELED, ROLLING_BACK, ROLLED_BACK, ROLLBACK_FAILED';

test.each([
  ['▸variables.env = "prod"', 'This is no condition in CEL: Unexpected character: = (at character 15).'],
  ['▸variables.env ==', 'This is no condition in CEL: the expression ends too early (at character 17).'],
  ['▸variables.evn == "prod"', 'There is no variable "evn"; did you mean "env"? There are: env, pw.'],
  ['▸variables.pw == "x" || true', 'The variable "pw" is secret: no condition may look at it.'],
  ['▸operations.db1.outputs.sizeGib > 1', 'There is no operation "db1"; did you mean "db-1"? There are: db-1, web.'],
  [
    '▸operations.db-1.outputs.sizeGb > 1',
    'There is no output "sizeGb" of a volume.create; did you mean "sizeGib"? There are: id, name, region, provider, providerReference, sizeGib, attachedTo.',
  ],
  ['▸operations.db-1.sizeGib > 1', 'Expected operations.db-1.state or operations.db-1.outputs.NAME.'],
  [
    '▸operations.db-1.state == "FAIELD"',
    `There is no state "FAIELD"; did you mean "FAILED"? ${states} (at character 26).`,
  ],
  [
    '▸each.key == "a"',
    'There is no "each" here: it stands for the member of a "forEach", which this operation has not.',
  ],
  ['▸"prod"', 'Expected a condition that is true or false; this one is a string.'],
  ['▸env == "prod"', 'This is no condition: Unknown variable: env (at character 1).'],
  [
    '▸variables.env > 1',
    'The condition "variables.env > 1" cannot be decided: no such overload: string > int (at character 1).',
  ],
  ['▸variables.env.matches("(a+)+")', '"matches" is not supported. Expected startsWith, endsWith, contains or "in".'],
  ['▸[1].all(x, [2].all(y, x == y))', '"all" within another such call is not supported (at character 12).'],
  ['▸operations.web.state == "FAILED"', 'Operation "web" depends on itself.'],
])('%s is told in its place', (when, detail) => {
  const quoted = `▸${JSON.stringify(when.slice(1))}`;
  const { text, places } = marked(file(quoted));
  expect(faultsOf(text, { variables })).toEqual([`${places[0]} /operations/1/when ${detail}`]);
});

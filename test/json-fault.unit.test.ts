import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { jsonFault } from '../src/json-fault.ts';

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

describe('where a text stops being JSON', () => {
  test.each([
    ['', 1, 1, 'an object, an array'],
    ['{"name": ', 1, 10, 'an object, an array'],
    ['{"a": 1,\n  b: 2}', 2, 3, 'a name in double quotes'],
    ['{"a": 1,}', 1, 9, 'a name in double quotes'],
    ['{x', 1, 2, 'a name in double quotes, or "}"'],
    ['{"a" 1}', 1, 6, '":"'],
    ['{"a": 1 "b": 2}', 1, 9, '"," or "}"'],
    ['[1 2]', 1, 4, '"," or "]"'],
    ['[01]', 1, 3, '"," or "]"'],
    ['[nul]', 1, 2, 'or "]"'],
    ['"ab', 1, 4, 'the double quote'],
    ['"a\nb"', 1, 3, 'no line break'],
    ['"a\\x"', 1, 3, 'an escape'],
    ['{} {}', 1, 4, 'nothing more'],
    ['['.repeat(100_000), 1, 10_001, 'less that is nested'],
  ])('%.20j', (text, line, column, expected) => {
    expect(jsonFault(text)).toEqual({ line, column, expected: expect.stringContaining(expected) });
  });

  test('is found wherever the engine finds one, and nowhere else', () => {
    const broken = fc
      .tuple(fc.json(), fc.nat(), fc.constantFrom('', ',', '"', '}', ']', ':', '\\', '0', '-', 'e', '\n', 'null', ' '))
      .map(([text, at, put]) => {
        const where = at % (text.length + 1);
        return text.slice(0, where) + put + text.slice(where + (at % 2));
      });
    fc.assert(
      fc.property(broken, (text) => {
        expect(jsonFault(text) === undefined).toBe(isJson(text));
      }),
      { numRuns: 2000 },
    );
  });
});

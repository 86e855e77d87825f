import { describe, expect, test } from 'vitest';
import { refuseUnlessInOrder } from '../../activities/region/observe.ts';
import { highestId, lowestId } from '../../src/db/queries/compare.ts';
import { isObserverWrong } from '../../src/domain/observation.ts';

const page = (keys: readonly string[], more = false) => ({
  observations: keys.map((key) => ({ key, name: key, fields: {} })),
  more,
});
const check = (after: string, keys: readonly string[], more?: boolean) => () =>
  refuseUnlessInOrder('nimbus', 'vm', after, page(keys, more));

test('a page that skips, repeats or goes back is refused', () => {
  expect(check('b', ['c', 'd'])).not.toThrow();
  expect(check('b', [])).not.toThrow();
  expect(check('b', ['b'])).toThrow('order of the keys');
  expect(check('', ['b', 'a'])).toThrow('order of the keys');
  expect(check('', ['a', 'a'])).toThrow('order of the keys');
  expect(check('', [], true)).toThrow('says that there is more');
  expect(
    check(
      '',
      Array.from({ length: 501 }, (_, index) => String(index).padStart(4, '0')),
    ),
  ).toThrow('501');
});

describe('the ids between two texts are all among those that an index gives', () => {
  const ids = [
    '00000000-0000-0000-0000-000000000000',
    '019acd00-1111-7222-8333-444455556666',
    'ffffffff-ffff-ffff-ffff-ffffffffffff',
  ];
  const texts = [
    '',
    '0',
    '019acd00',
    '019acd00-1111-7222-8333-444455556666',
    '019acd00-1111-7222-8333-444455556666x',
    '019acd00/x',
    'Z/z',
    'g',
    'f',
    '01-',
    '019ACD00',
  ];
  test.each(texts)('%j', (text) => {
    for (const id of ids) {
      if (id > text) expect(id >= lowestId(text)).toBe(true);
      if (id <= text) expect(id <= highestId(text)).toBe(true);
    }
  });
});

test('a few things may be wrong whatever their share; more of them up to that share', () => {
  expect(isObserverWrong({ wanted: 5, found: 0, wrong: 5 }, 0.2)).toBe(false);
  expect(isObserverWrong({ wanted: 20, found: 14, wrong: 6 }, 0.2)).toBe(true);
  expect(isObserverWrong({ wanted: 30, found: 24, wrong: 6 }, 0.2)).toBe(false);
  expect(isObserverWrong({ wanted: 100_000, found: 100_000, wrong: 2001 }, 0.2)).toBe(true);
});

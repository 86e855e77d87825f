import { expect, test } from 'vitest';
import { fittingLines } from '../../activities/region/console.ts';

const sizeOf = (lines: readonly string[]): number => Buffer.byteLength(JSON.stringify(lines));

test('what fits is given as it is, and no more lines than are wanted', () => {
  expect(fittingLines(['a', 'b', 'c'], 5)).toEqual(['a', 'b', 'c']);
  expect(fittingLines(['a', 'b', 'c'], 2)).toEqual(['b', 'c']);
});

test.each([
  ['plain', 'x'],
  ['of many bytes', '漢'],
  ['of control characters, which JSON spells out', '\u001b'],
])('an answer stays within 512 KiB with lines %s, and has the newest', (_, character) => {
  const lines = Array.from({ length: 5000 }, (_, index) => `${index} ${character.repeat(5000)}`);
  const kept = fittingLines(lines, 5000);
  expect(sizeOf(kept)).toBeLessThanOrEqual(512 * 1024 + 2);
  expect(sizeOf(kept)).toBeGreaterThan(400 * 1024);
  expect(kept.at(-1)).toBe(lines.at(-1)?.slice(0, 4096));
});

import { expect, test } from 'vitest';
import { storable } from '../src/storable.ts';

test('what a row cannot hold is taken out of texts and names, and long texts are cut; later under outputs', () => {
  const long = 'x'.repeat(70_000);
  const given = { error: { message: `a\0b\ud800${long}` }, outputs: { status: 200, body: { 'n\0': [long, null] } } };
  const { error, outputs } = storable(given);
  expect(error.message).toMatch(/^ab\ufffdx+…$/);
  expect(error.message).toHaveLength(4096);
  expect(outputs).toEqual({ status: 200, body: { n: [`${long.slice(0, 65_535)}…`, null] } });
});

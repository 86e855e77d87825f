import { expect, test } from 'vitest';
import { wayOf } from './suite.ts';

test('without Go the suites on Kubernetes are left out, and fail where nobody would notice', () => {
  expect(wayOf(false, undefined)).toBe('skip');
  expect(wayOf(false, 'false')).toBe('skip');
  expect(wayOf(false, 'true')).toBe('fail');
  expect(wayOf(true, 'true')).toBe('run');
});

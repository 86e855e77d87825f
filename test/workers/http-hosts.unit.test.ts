import { expect, test } from 'vitest';
import { isAllowed } from '../../activities/region/http.ts';

const hosts = ['api.example.org', '*.inner.example', 'one.example:8443', '169.254.1.1', '[::1]:8080'];

test.each([
  ['https://api.example.org/x', true],
  ['http://API.example.org./x', true],
  ['https://api.example.org:8443/', false],
  ['https://x.api.example.org/', false],
  ['https://a.b.inner.example/', true],
  ['https://inner.example/', false],
  ['https://evilinner.example/', false],
  ['https://one.example:8443/', true],
  ['https://one.example/', false],
  ['http://169.254.1.1/', true],
  ['http://169.254.169.254/', false],
  ['http://[::1]:8080/', true],
  ['http://[::1]/', false],
])('%s may be called: %s', (url, allowed) => {
  expect(isAllowed(new URL(url), hosts)).toBe(allowed);
});

test('no host may be called where none is named', () => {
  expect(isAllowed(new URL('https://api.example.org/'), [])).toBe(false);
});

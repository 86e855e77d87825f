import { expect, test } from 'vitest';
import { ProviderError } from '../../src/errors.ts';
import { createMask, maskError, secretsIn } from '../../src/secrets/mask.ts';

const secret = '#cloud-config\nhostname: web-frontend-1\nchpasswd: { list: "root:Tr0ub4dor&3" }\n';
const mask = createMask([secret], ['web-frontend-1']);

test.each([
  ['as it is', secret],
  ['as JSON writes it', JSON.stringify(secret)],
  ['in base64', Buffer.from(secret).toString('base64')],
  ['in base64, inside of something longer', Buffer.from(`{"a":"${secret}"}`).toString('base64')],
  ['cut short', secret.slice(14, 70)],
  ['a line of it', secret.split('\n')[2] ?? ''],
  ['the password alone', 'root:Tr0ub4dor&3'],
])('a secret that is quoted %s is masked', (_how, quoted) => {
  const masked = mask(`The request ${quoted} is refused.`);
  expect(masked).toMatch(/^The request .*\[secret\].* is refused\.$/s);
  expect(masked).not.toContain('Tr0ub4dor');
  expect(masked.length).toBeLessThan(120);
});

test('what has nothing of a secret, and a name that is known, stay as they are', () => {
  const plain = 'The provider refused vm.create of web-frontend-1: no capacity.';
  expect(mask(plain)).toBe(plain);
  expect(createMask([], [])(secret)).toBe(secret);
});

test('a short secret is masked as a whole', () => {
  expect(createMask(['hunter2'], [])('Is hunter2 right? hunter')).toBe('Is [secret] right? hunter');
});

test('an error is masked with its stack, its causes and what hangs on them', () => {
  const inner = Object.assign(new Error(`inner ${secret}`), { response: { body: secret } });
  const error = new ProviderError('permanent', 'invalid', `outer ${secret}`, { cause: inner });
  maskError(error, mask);
  expect(error).toBeInstanceOf(ProviderError);
  expect(JSON.stringify([error.message, error.stack, inner.message, inner.stack, inner.response])).not.toContain(
    'Tr0ub',
  );
  expect(error.message).toBe('outer [secret]');
});

test('secrets are found among the arguments of a call', () => {
  expect(secretsIn([{ key: 'k' }, { name: 'web', userData: secret }])).toEqual([secret]);
  expect(secretsIn([{ key: 'k' }, { name: 'web', userData: '' }])).toEqual([]);
});

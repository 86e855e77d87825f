import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { codecSecret, ensurePayloadKeys, readPayloadKeys } from '../../temporal/payload-keys.ts';

let directory: string;
let file: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millwright-keys-'));
  file = join(directory, 'keys', 'payload.keys');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

test('a key is made once, for its owner alone, and stays', () => {
  ensurePayloadKeys(file);
  const made = readFileSync(file, 'utf8');
  ensurePayloadKeys(file);
  expect(readFileSync(file, 'utf8')).toBe(made);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readPayloadKeys(file)).toEqual([{ id: made.split(':')[0], key: expect.any(Buffer) }]);
});

test('the first key is the active one, and the secret comes from it', () => {
  ensurePayloadKeys(file);
  const [old] = readPayloadKeys(file);
  writeFileSync(
    file,
    `# put in front in May\nnew:${Buffer.alloc(32, 7).toString('base64')}\n\n${readFileSync(file, 'utf8')}`,
  );
  const keys = readPayloadKeys(file);
  expect(keys.map(({ id }) => id)).toEqual(['new', old?.id]);
  expect(codecSecret(keys)).toBe(codecSecret(keys.slice(0, 1)));
  expect(codecSecret(keys)).not.toBe(codecSecret(keys.slice(1)));
  expect(codecSecret(keys)).toMatch(/^[\w-]{43}$/);
});

test('a line that is no key is named by its place, and its content is not shown', () => {
  ensurePayloadKeys(file);
  writeFileSync(file, `${readFileSync(file, 'utf8')}k2:c2hvcnQ=\n`);
  expect(() => readPayloadKeys(file)).toThrow(`${file}, line 2 is not a payload key`);
  expect(() => readPayloadKeys(file)).not.toThrow('c2hvcnQ=');
});

test.each([
  ['is empty', '\n'],
  ['has one id twice', `a:${Buffer.alloc(32).toString('base64')}\na:${Buffer.alloc(32, 1).toString('base64')}\n`],
])('a file that %s is refused', (_, content) => {
  ensurePayloadKeys(file);
  writeFileSync(file, content);
  expect(() => readPayloadKeys(file)).toThrow(`The payload key file ${file} holds`);
});

test('a missing file says how to get one', () => {
  expect(() => readPayloadKeys(file)).toThrow(/cannot be read: start the platform with "millwright up"/);
});

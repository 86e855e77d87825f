import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ensureKeyFile, newKeyLine, readKeyFile } from '../../src/secrets/key-file.ts';
import { openKeyRing } from '../../src/secrets/key-ring.ts';
import { codecSecret, codecSecrets } from '../../temporal/payload-keys.ts';

let directory: string;
let file: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millwright-keys-'));
  file = join(directory, 'keys', 'some.keys');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

test('a key is made once, for its owner alone, and stays', () => {
  ensureKeyFile(file);
  const made = readFileSync(file, 'utf8');
  ensureKeyFile(file);
  expect(readFileSync(file, 'utf8')).toBe(made);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readKeyFile(file)).toEqual([{ id: made.split(':')[0], key: expect.any(Buffer) }]);
});

test('the first key is the active one, and blank lines and comments are none', () => {
  ensureKeyFile(file);
  const [old] = readKeyFile(file);
  writeFileSync(file, `# put in front in May\n${newKeyLine('new')}\n\n${readFileSync(file, 'utf8')}`);
  expect(readKeyFile(file).map(({ id }) => id)).toEqual(['new', old.id]);
});

test('a ring notices an unknown key at once, and goes on with what it has while the file cannot be read', () => {
  ensureKeyFile(file);
  const ring = openKeyRing(file);
  const old = ring.active();
  const before = readFileSync(file, 'utf8');
  writeFileSync(file, `${newKeyLine('new')}\n${before}`);
  expect(ring.find('new')?.key).toHaveLength(32);
  expect(ring.active().id).toBe('new');
  writeFileSync(file, 'half a li');
  expect(ring.find('other')).toBeUndefined();
  rmSync(file);
  expect(ring.find('other')).toBeUndefined();
  expect(ring.find(old.id)?.key).toEqual(old.key);
});

test('the address of the codec outlives the promotion of another key', () => {
  ensureKeyFile(file);
  const before = codecSecret(openKeyRing(file));
  expect(before).toMatch(/^[\w-]{43}$/);
  writeFileSync(file, `${newKeyLine('new')}\n${readFileSync(file, 'utf8')}`);
  const ring = openKeyRing(file);
  expect(codecSecret(ring)).not.toBe(before);
  expect(codecSecrets(ring)).toEqual([codecSecret(ring), before]);
});

test('a line that is no key is named by its place, and its content is not shown', () => {
  ensureKeyFile(file);
  writeFileSync(file, `${readFileSync(file, 'utf8')}k2:c2hvcnQ=\n`);
  expect(() => readKeyFile(file)).toThrow(`${file}, line 2 is not a key`);
  expect(() => readKeyFile(file)).not.toThrow('c2hvcnQ=');
});

test.each([
  ['is empty', '\n'],
  ['has one id twice', `a:${Buffer.alloc(32).toString('base64')}\na:${Buffer.alloc(32, 1).toString('base64')}\n`],
])('a file that %s is refused', (_, content) => {
  ensureKeyFile(file);
  writeFileSync(file, content);
  expect(() => readKeyFile(file)).toThrow(`The key file ${file} holds`);
});

test('a missing file says how to get one', () => {
  expect(() => readKeyFile(file)).toThrow(/cannot be read: start the platform with "millwright up"/);
});

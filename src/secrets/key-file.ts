import { randomBytes } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { MillwrightError } from '../errors.ts';

/** A key for AES-256, and the id that what is encrypted with it carries. */
export interface SecretKey {
  readonly id: string;
  readonly key: Buffer;
}

const keyBytes = 32;

/** A new key as a line of a key file. */
export const newKeyLine = (id = `k${randomBytes(4).toString('hex')}`): string =>
  `${id}:${randomBytes(keyBytes).toString('base64')}`;

/**
 * Makes a key file (mode 600, one line `<id>:<base64 of 32 bytes>` a key) where there is none. It appears whole or not
 * at all, and of two that make it at once the first one's stays.
 */
export function ensureKeyFile(file: string): void {
  if (existsSync(file)) return;
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, `${newKeyLine()}\n`, { mode: 0o600, flush: true });
  try {
    linkSync(draft, file);
  } catch (error) {
    if (!existsSync(file)) throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

/** The keys of a file: the first encrypts, the others open what was encrypted before it was put in front of them. */
export function readKeyFile(file: string): readonly [SecretKey, ...SecretKey[]] {
  const lines = contents(file)
    .split('\n')
    .map((line, index) => ({ line: line.trim(), number: index + 1 }))
    .filter(({ line }) => line !== '' && !line.startsWith('#'));
  const [first, ...others] = lines.map(({ line, number }) => parseKey(line, `${file}, line ${number}`));
  if (!first) throw new MillwrightError('invalid', `The key file ${file} holds no key.`);
  const keys = [first, ...others] as const;
  if (new Set(keys.map(({ id }) => id)).size < keys.length) {
    throw new MillwrightError('invalid', `The key file ${file} holds two keys with the same id.`);
  }
  return keys;
}

function contents(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new MillwrightError(
      'precondition',
      `The key file ${file} cannot be read: start the platform with "millwright up", which makes it, or name it in MILLWRIGHT_SECRET_KEY_FILE or MILLWRIGHT_PAYLOAD_KEY_FILE.`,
      { cause },
    );
  }
}

/** The fault names the place and never the line, which holds a secret. */
function parseKey(line: string, place: string): SecretKey {
  const [, id, encoded] = /^([\w.-]+):([A-Za-z0-9+/]+=*)$/.exec(line) ?? [];
  const key = Buffer.from(encoded ?? '', 'base64');
  if (id && key.length === keyBytes) return { id, key };
  throw new MillwrightError('invalid', `${place} is not a key: it must be "<id>:<base64 of ${keyBytes} bytes>".`);
}

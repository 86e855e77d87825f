import { createHmac, randomBytes } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { MillwrightError } from '../src/errors.ts';

/** A key for AES-256, and the id that a payload encrypted with it carries. */
export interface PayloadKey {
  readonly id: string;
  readonly key: Buffer;
}

const keyBytes = 32;

/**
 * Makes the key file (mode 600, one line `<id>:<base64 of 32 bytes>` a key) where there is none. It appears whole or not
 * at all, and of two that make it at once the first one's stays.
 */
export function ensurePayloadKeys(file: string): void {
  if (existsSync(file)) return;
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${process.pid}`;
  const id = `k${randomBytes(4).toString('hex')}`;
  writeFileSync(draft, `${id}:${randomBytes(keyBytes).toString('base64')}\n`, { mode: 0o600, flush: true });
  try {
    linkSync(draft, file);
  } catch (error) {
    if (!existsSync(file)) throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

/** The keys of a file: the first encrypts, the others open what was encrypted before it was put in front of them. */
export function readPayloadKeys(file: string): PayloadKey[] {
  const lines = contents(file)
    .split('\n')
    .map((line, index) => ({ line: line.trim(), number: index + 1 }))
    .filter(({ line }) => line !== '' && !line.startsWith('#'));
  const keys = lines.map(({ line, number }) => parseKey(line, `${file}, line ${number}`));
  if (keys.length === 0) throw new MillwrightError('invalid', `The payload key file ${file} holds no key.`);
  if (new Set(keys.map((key) => key.id)).size < keys.length) {
    throw new MillwrightError('invalid', `The payload key file ${file} holds two keys with the same id.`);
  }
  return keys;
}

/** Ends the path at which Temporal's Web UI has payloads decoded; only who has the keys can know it. */
export function codecSecret(keys: readonly PayloadKey[]): string {
  const [active] = keys;
  if (!active) throw new MillwrightError('invalid', 'There is no payload key to make the codec endpoint from.');
  return createHmac('sha256', active.key).update('codec endpoint').digest('base64url');
}

function contents(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new MillwrightError(
      'precondition',
      `The payload key file ${file} cannot be read: start the platform with "millwright up", which makes it, or set MILLWRIGHT_PAYLOAD_KEY_FILE.`,
      { cause },
    );
  }
}

/** The fault names the place and never the line, which holds a secret. */
function parseKey(line: string, place: string): PayloadKey {
  const [, id, encoded] = /^([\w.-]+):([A-Za-z0-9+/]+=*)$/.exec(line) ?? [];
  const key = Buffer.from(encoded ?? '', 'base64');
  if (id && key.length === keyBytes) return { id, key };
  throw new MillwrightError(
    'invalid',
    `${place} is not a payload key: it must be "<id>:<base64 of ${keyBytes} bytes>".`,
  );
}

import { statSync } from 'node:fs';
import { readKeyFile, type SecretKey } from './key-file.ts';

/** The keys of a file as they are now: a process that holds one notices what is added or promoted while it runs. */
export interface KeyRing {
  /** Encrypts. */
  active(): SecretKey;
  /** Opens what carries this id; undefined where the file does not hold it. */
  find(id: string): SecretKey | undefined;
  all(): readonly SecretKey[];
}

/** So old may be what is believed of the file; an id that is not known is looked for in it at once. */
const believedMs = 1000;

/**
 * Reads a key file, and again when it has changed. It is looked at when a key is asked for, so that nothing runs at
 * rest; one that cannot be read any more, as while somebody writes it, leaves the keys as they were.
 */
export function openKeyRing(file: string): KeyRing {
  let version = versionOf(file);
  let keys = readKeyFile(file);
  let lookedAt = Date.now();

  function look(): void {
    lookedAt = Date.now();
    const now = versionOf(file);
    if (now === undefined || now === version) return;
    try {
      keys = readKeyFile(file);
      version = now;
    } catch {
      // Tried again at the next look: `version` is still that of the keys we hold.
    }
  }

  function current(): readonly [SecretKey, ...SecretKey[]] {
    if (Date.now() - lookedAt >= believedMs) look();
    return keys;
  }

  return {
    active: () => current()[0],
    find: (id) => {
      const known = current().find((key) => key.id === id);
      if (known) return known;
      look();
      return keys.find((key) => key.id === id);
    },
    all: current,
  };
}

/** Changes with each write, also one that replaces the file; undefined where there is none. */
function versionOf(file: string): string | undefined {
  const seen = statSync(file, { throwIfNoEntry: false, bigint: true });
  return seen && `${seen.ino}/${seen.mtimeNs}/${seen.size}`;
}

/** Keys that never change: for tests, and for what is opened once. */
export function fixedKeyRing(keys: readonly [SecretKey, ...SecretKey[]]): KeyRing {
  return { active: () => keys[0], find: (id) => keys.find((key) => key.id === id), all: () => keys };
}

import { readFileSync, realpathSync, renameSync, writeFileSync } from 'node:fs';
import { MillwrightError } from '../errors.ts';
import { newKeyLine, readKeyFile } from './key-file.ts';

/**
 * A key of a file, as a person has to know it. `added`: it opens and has never encrypted. `active`: it encrypts.
 * `retiring`: it encrypted until `until`, or for all that is known until now where that is null.
 */
export interface KeyState {
  readonly id: string;
  readonly state: 'added' | 'active' | 'retiring';
  readonly until: string | null;
}

/** Comments beside the keys say what became of them; whoever reads keys alone passes over them. */
const note = {
  added: (id: string, at: string): string => `# ${id} added ${at}`,
  until: (id: string, at: string): string => `# ${id} encrypted until ${at}`,
};

export function keyStates(file: string): KeyState[] {
  const text = readFileSync(file, 'utf8');
  return readKeyFile(file).map(({ id }, index) => {
    if (index === 0) return { id, state: 'active', until: null };
    const until = textAfter(text, note.until(id, ''));
    const added = textAfter(text, note.added(id, '')) !== undefined;
    return { id, state: added && until === undefined ? 'added' : 'retiring', until: until ?? null };
  });
}

const textAfter = (text: string, start: string): string | undefined =>
  text
    .split('\n')
    .findLast((line) => line.startsWith(start))
    ?.slice(start.length);

/** First phase: a new key that opens, and encrypts nothing yet. Gives its id. */
export function addKey(file: string, now = new Date()): string {
  const line = newKeyLine();
  const id = line.slice(0, line.indexOf(':'));
  rewrite(file, (lines) => [...lines, note.added(id, now.toISOString()), line]);
  return id;
}

/** Second phase: the key encrypts from now on, and the one before it only opens. */
export function promoteKey(file: string, id: string, now = new Date()): void {
  const [active] = readKeyFile(file);
  if (stateOf(file, id).state === 'active') return;
  rewrite(file, (lines) => [
    ...lines.filter((line) => line.startsWith(`${id}:`)),
    note.until(active.id, now.toISOString()),
    ...lines.filter((line) => !line.startsWith(`${id}:`) && !isNoteOf(id, line)),
  ]);
}

/** Takes a key out; to be called only when nothing needs it any more. */
export function removeKey(file: string, id: string): void {
  if (stateOf(file, id).state === 'active') {
    throw new MillwrightError('conflict', `The key "${id}" is the active one. Promote another first.`);
  }
  rewrite(file, (lines) => lines.filter((line) => !line.startsWith(`${id}:`) && !isNoteOf(id, line)));
}

export function stateOf(file: string, id: string): KeyState {
  const state = keyStates(file).find((key) => key.id === id);
  if (state) return state;
  throw new MillwrightError('not_found', `The key file ${file} holds no key "${id}". See "millwright key list".`);
}

const isNoteOf = (id: string, line: string): boolean =>
  line.startsWith(note.added(id, '')) || line.startsWith(note.until(id, ''));

/** The file is replaced as a whole: a reader sees the keys before or the keys after. */
function rewrite(file: string, change: (lines: readonly string[]) => readonly string[]): void {
  const real = realpathSync(file);
  const lines = readFileSync(real, 'utf8').trimEnd().split('\n');
  const draft = `${real}.new`;
  try {
    writeFileSync(draft, `${change(lines).join('\n')}\n`, { mode: 0o600, flag: 'wx', flush: true });
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'EEXIST')) throw cause;
    const what = `${draft} is there: another change of this file is under way, or was cut short. Look, and remove it.`;
    throw new MillwrightError('conflict', what, { cause });
  }
  renameSync(draft, real);
}

import { closeSync, mkdirSync, openSync, readSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

const rotateBytes = 10 * 1024 * 1024;
const tailBytes = 16 * 1024;
const quotedLines = 5;

/** Opens a log for appending; one that has grown past 10 MB becomes `<file>.1` first, in place of the one before. */
export function openLog(file: string): number {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size > rotateBytes) renameSync(file, `${file}.1`);
  return openSync(file, 'a', 0o600);
}

/** The end of a log and where the rest is, to follow the sentence that says what died. */
export function lastWords(file: string): string {
  const lines = readableLines(end(file)).slice(-quotedLines);
  const quoted = lines.length > 0 ? ` Its last lines:\n  ${lines.join('\n  ')}\n` : ' ';
  return `${quoted}Its log: ${file}`;
}

function end(file: string): string {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size === 0) return '';
  const buffer = Buffer.alloc(Math.min(size, tailBytes));
  const log = openSync(file, 'r');
  try {
    readSync(log, buffer, 0, buffer.length, size - buffer.length);
  } finally {
    closeSync(log);
  }
  return buffer.toString('utf8');
}

/** Without what says nothing to people: the frames of stacks, and the other fields of a role's JSON lines. */
const readableLines = (text: string): string[] =>
  text
    .split('\n')
    .filter((line) => line.trim() !== '' && !/^\s+at |^Node\.js v/.test(line))
    .map((line) => /^\{.*"msg":"((?:[^"\\]|\\.)*)"\}$/.exec(line)?.[1] ?? line);

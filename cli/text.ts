import { stripVTControlCharacters } from 'node:util';
import { duration } from '../src/duration.ts';

export { duration };

/** What East Asian fonts show two columns wide (Unicode Standard Annex 11: W and F), and emoji. */
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;
// biome-ignore lint/suspicious/noControlCharactersInRegex: what a stranger's text must not do to a terminal
const control = /[\u0000-\u001f\u007f-\u009f]+/g;

/** How many columns a text takes on a terminal. */
export function widthOf(text: string): number {
  let width = 0;
  for (const character of text) width += wide.test(character) ? 2 : 1;
  return width;
}

export const pad = (text: string, width: number): string => text + ' '.repeat(Math.max(0, width - widthOf(text)));

/** At most `width` columns, with an ellipsis where something is left out. */
export function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let kept = '';
  let taken = 1;
  for (const character of text) {
    taken += widthOf(character);
    if (taken > width) break;
    kept += character;
  }
  return `${kept}…`;
}

/** A text of others on one line, without what would steer the terminal. */
export const oneLine = (text: string): string => stripVTControlCharacters(text).replaceAll(control, ' ').trim();

/** A word as a POSIX shell takes it. */
export const quoted = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;

/** How long ago, in its largest unit: `45s`, `3m`, `5h`, `12d`. Empty for what has not happened. */
export function age(time: string | null, now: number): string {
  if (time === null) return '';
  const seconds = Math.max(0, Math.floor((now - Date.parse(time)) / 1000));
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}

/** From one time to another, or to now while it goes on; empty where it has not begun. */
export function took(startedAt: string | null, endedAt: string | null, now: number): string {
  if (startedAt === null) return '';
  return duration((endedAt === null ? now : Date.parse(endedAt)) - Date.parse(startedAt));
}

/** The time of day, as the reader's clock has it: `12:03:04`. */
export function clock(time: string): string {
  const at = new Date(time);
  return [at.getHours(), at.getMinutes(), at.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':');
}

/** What is left until a time that is guessed: `about 45 s left`, `about 2 min left`; null where nobody can guess it. */
export function leftOf(estimatedEndAt: string | null, now: number): string | null {
  if (estimatedEndAt === null) return null;
  const seconds = Math.max(1, Math.ceil((Date.parse(estimatedEndAt) - now) / 1000));
  if (seconds < 90) return `about ${seconds} s left`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `about ${minutes} min left`;
  return `about ${Math.round(minutes / 60)} h left`;
}

/** `2GiB`, or `1536MiB` where it is not whole. */
export const mebibytes = (value: number): string => (value % 1024 === 0 ? `${value / 1024}GiB` : `${value}MiB`);

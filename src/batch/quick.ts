import { CORE_SCHEMA, load } from 'js-yaml';
import { deepest } from './read.ts';

/**
 * The value of a JSON or YAML text, many times sooner than by the reader that knows places; undefined where that one has
 * to be asked, because there may be something to say of the text.
 */
export function readQuickly(text: string): unknown {
  const value = readJson(text) ?? readPlainYaml(text);
  return typeof value === 'object' && value !== null ? value : undefined;
}

function readJson(text: string): unknown {
  if (!/^\s*[{[]/.test(text)) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    // JSON lets a key be there twice.
    return countKeys(value, 0) === writtenKeys(text) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** More lines and signs than this, and it is for the other reader to say whether there are too many. */
const mostSigns = 500_000;

/**
 * What one reader takes otherwise than the other, or needs a word: directives, the ends of documents, tabs that indent,
 * anchors, tags, block texts that keep empty lines or say how far they are indented, and numbers without end.
 */
const delicate =
  /^%|^[ \t]*\.\.\.|^[ \t]+---|^ *\t|(?:^|[\s,[{])(?:&[^\s&]|!!)|[|>](?:\+|-?\d)|\d[eE][+-]?\d{3}|\d{300}/m;

function readPlainYaml(text: string): unknown {
  if (delicate.test(text) || signsIn(text) > mostSigns) return undefined;
  try {
    const value = load(text, { schema: CORE_SCHEMA });
    return Number.isNaN(countKeys(value, 0)) ? undefined : value;
  } catch {
    return undefined;
  }
}

/** Keys that a batch file cannot have, or that stand for no text. */
const strange: ReadonlySet<string> = new Set(['__proto__', '<<', 'null']);

/** The keys of all mappings in a value; not a number where the other reader has something to say of them. */
function countKeys(value: unknown, depth: number): number {
  if (typeof value !== 'object' || value === null) return 0;
  if (depth > deepest) return Number.NaN;
  let count = 0;
  if (Array.isArray(value)) for (const entry of value) count += countKeys(entry, depth + 1);
  else
    for (const key of Object.keys(value)) {
      if (strange.has(key)) return Number.NaN;
      count += 1 + countKeys(Reflect.get(value, key), depth + 1);
    }
  return count;
}

/** The keys that a JSON text has: its texts before a colon. */
function writtenKeys(text: string): number {
  let count = 0;
  for (const match of text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?/g)) if (match[1]) count += 1;
  return count;
}

function signsIn(text: string): number {
  let count = 0;
  for (let at = 0; at < text.length; at += 1) if ('\n,:[]{}'.includes(text.charAt(at))) count += 1;
  return count;
}

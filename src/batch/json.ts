import { deepest } from './read.ts';

/**
 * The value of a JSON text; undefined where it is none, or where it has what JSON allows and a batch file does not (a
 * key twice in a mapping, one named `__proto__`, endless nesting): then it is to be read as YAML, which it is as well,
 * and which says what is wrong and where.
 */
export function readJson(text: string): unknown {
  if (!/^\s*[{[]/.test(text)) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return countKeys(value, 0) === writtenKeys(text) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The keys of all mappings in a value; not a number where it is not to be trusted. */
function countKeys(value: unknown, depth: number): number {
  if (typeof value !== 'object' || value === null) return 0;
  if (depth > deepest || Object.hasOwn(value, '__proto__')) return Number.NaN;
  let count = 0;
  if (Array.isArray(value)) for (const entry of value) count += countKeys(entry, depth + 1);
  else
    for (const key in value) count += 1 + (key === '<<' ? Number.NaN : countKeys(Reflect.get(value, key), depth + 1));
  return count;
}

/** The keys that a JSON text has: its texts before a colon. */
function writtenKeys(text: string): number {
  let count = 0;
  for (const match of text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?/g)) if (match[1]) count += 1;
  return count;
}

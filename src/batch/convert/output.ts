/** What is written: YAML, a line at a time, with a comment for each thing that could not be said. */

/** Words that YAML, of one version or another, takes for something else than a text. */
const taken = /^(true|false|yes|no|on|off|y|n|null|~|nan|inf)$/i;

/** A value on one line: a text bare where YAML takes it for itself, else as JSON, which is YAML. */
export function inline(value: unknown): string {
  if (typeof value === 'string')
    return /^[A-Za-z][\w./-]*$/.test(value) && !taken.test(value) ? value : JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(inline).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const pairs = Object.entries(value).map(([key, part]) => `${inline(key)}: ${inline(part)}`);
    return pairs.length === 0 ? '{}' : `{ ${pairs.join(', ')} }`;
  }
  return JSON.stringify(value) ?? 'null';
}

/** A comment, of several lines where the text has several. */
export const comment = (text: string, indent = ''): string[] =>
  text.split(/\r\n|[\n\r\u0085\u2028\u2029]/).map((line) => `${indent}# ${line}`.trimEnd());

import { MillwrightError } from '../errors.ts';
import { quoted } from './near.ts';

/**
 * References to what other operations give, in any string under `with`: `${operations.ID.outputs.NAME}`, or a part of
 * an output, `${operations.ID.outputs.addresses.0.address}`. `$${` stands for a plain `${`.
 */
export interface Reference {
  readonly operationId: string;
  /** The output's name, and behind it, dot by dot, the way to a part of it. */
  readonly path: string;
}

/** Text that begins like a reference and is none. */
interface Malformed {
  readonly malformed: string;
}
type Part = string | Reference | Malformed;

const form = /^operations\.([a-z][a-z0-9-]*)\.outputs\.(\w+(?:\.\w+)*)$/;

/** The parts of a string, in order, escapes undone. */
function partsOf(text: string): Part[] {
  if (!text.includes('${')) return [text];
  const parts: Part[] = [];
  let end = 0;
  for (const match of text.matchAll(/\$\$\{|\$\{([^}\n]*)(\}?)/g)) {
    parts.push(text.slice(end, match.index));
    end = match.index + match[0].length;
    const [whole, inner = '', close] = match;
    const [, operationId, path] = close ? (form.exec(inner) ?? []) : [];
    if (whole === '$${') parts.push('${');
    else if (operationId !== undefined && path !== undefined) parts.push({ operationId, path });
    else parts.push({ malformed: whole });
  }
  parts.push(text.slice(end));
  return parts.filter((part) => part !== '');
}

const isReference = (part: Part): part is Reference => typeof part === 'object' && 'operationId' in part;

/** Calls `visit` with each string in a value and the way to it. */
export function visitStrings(
  value: unknown,
  visit: (text: string, path: readonly (string | number)[]) => void,
  path: readonly (string | number)[] = [],
): void {
  if (typeof value === 'string') visit(value, path);
  else if (Array.isArray(value)) {
    for (const [index, entry] of value.entries()) visitStrings(entry, visit, [...path, index]);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, entry] of Object.entries(value)) visitStrings(entry, visit, [...path, key]);
  }
}

/** Every reference in a value, at any depth, in order. */
export function referencesIn(value: unknown): Reference[] {
  const references: Reference[] = [];
  visitStrings(value, (text) => references.push(...partsOf(text).filter(isReference)));
  return references;
}

/** What is wrong with a string's references, each in a sentence. */
export function malformedIn(text: string): string[] {
  return partsOf(text).flatMap((part) => (typeof part === 'object' && 'malformed' in part ? [sentence(part)] : []));
}

function sentence({ malformed }: Malformed): string {
  const [, operationId, path] = /^\$\{operations?\.([\w-]+)\.outputs?\.([\w.]+)\}$/i.exec(malformed) ?? [];
  const meant = operationId === undefined ? '.' : `; did you mean "\${operations.${operationId}.outputs.${path}}"?`;
  const found = malformed.endsWith('}')
    ? `${quoted(malformed)} refers to nothing`
    : `${quoted(malformed)} is not closed`;
  return `${found}${meant} Expected \${operations.ID.outputs.NAME}; write $\${ for a plain \${.`;
}

/** Whether a string waits for an output. */
export const hasReference = (text: string): boolean => text.includes('${') && partsOf(text).some(isReference);

/**
 * The value with each reference replaced by what `outputs` gives for it. A string that is one reference and nothing
 * else takes the output's own type; within a longer one, a list or mapping becomes JSON (which is YAML too, as
 * cloud-init reads it). Throws `invalid`, naming the reference, where an operation or its output is not there.
 */
export function resolveTemplates(
  value: unknown,
  outputs: (operationId: string) => Record<string, unknown> | undefined,
): unknown {
  return mapStrings(value, (text) => {
    const parts = partsOf(text).map((part) => outputOf(part, outputs));
    return parts.length === 1 ? parts[0] : parts.map(textOf).join('');
  });
}

/** The value with what waits for an output left as it is, and every other string's escapes undone. */
export const withoutEscapes = (value: unknown): unknown =>
  mapStrings(value, (text) => (hasReference(text) ? text : text.replaceAll('$${', '${')));

function mapStrings(value: unknown, map: (text: string) => unknown): unknown {
  if (typeof value === 'string') return value.includes('${') ? map(value) : value;
  if (Array.isArray(value)) return value.map((entry) => mapStrings(entry, map));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, mapStrings(entry, map)]));
}

function outputOf(part: Part, outputs: (operationId: string) => Record<string, unknown> | undefined): unknown {
  if (typeof part === 'string') return part;
  if ('malformed' in part) throw new MillwrightError('invalid', sentence(part));
  let value: unknown = outputs(part.operationId);
  for (const key of part.path.split('.')) {
    value =
      typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined;
  }
  if (value !== undefined && value !== null) return value;
  const reference = `\${operations.${part.operationId}.outputs.${part.path}}`;
  throw new MillwrightError(
    'invalid',
    `"${reference}" has no value: operation "${part.operationId}" gave no output "${part.path}". Look at what it did give, and refer to that.`,
  );
}

const textOf = (value: unknown): string => (typeof value === 'object' ? JSON.stringify(value) : String(value));

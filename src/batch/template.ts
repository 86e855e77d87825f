import { MillwrightError } from '../errors.ts';
import { quoted } from './near.ts';

/**
 * References in the strings of a batch file: `${operations.ID.outputs.NAME}`, or a part of an output,
 * `${operations.ID.outputs.addresses.0.address}`; `${variables.NAME}`, `${each.key}`, or a part of their values. `$${`
 * stands for a plain `${`.
 *
 * The parser puts variables and `each` in their places. What is left for the time when an operation begins are outputs,
 * by the id that an operation has once groups are spread out (`site/web`), and secret variables.
 */
export interface Reference {
  readonly operationId: string;
  /** The output's name, and behind it, dot by dot, the way to a part of it; `*` means every member of a group. */
  readonly path: string;
}
export interface VariableReference {
  readonly variable: string;
  readonly path: readonly string[];
}
export interface EachReference {
  readonly each: 'key' | 'value' | 'index';
  readonly path: readonly string[];
}
/** Text that begins like a reference and is none. */
interface Malformed {
  readonly malformed: string;
}
/** A string is plain text, escapes undone. */
export type Part = string | Reference | VariableReference | EachReference | Malformed;

const operationForm = /^operations\.([a-z][a-z0-9-]*(?:\/[\w-]+)*)\.outputs\.((?:[\w-]+|\*)(?:\.(?:[\w-]+|\*))*)$/;
const valueForm = /^(?:variables\.([A-Za-z]\w*)|each\.(key|value|index))((?:\.[\w-]+)*)$/;

/** The parts of a string, in order. */
export function partsOf(text: string): Part[] {
  if (!text.includes('${')) return [text];
  const parts: Part[] = [];
  let end = 0;
  for (const match of text.matchAll(/\$\$\{|\$\{([^}\n]*)(\}?)/g)) {
    parts.push(text.slice(end, match.index));
    end = match.index + match[0].length;
    const [whole, inner = '', close] = match;
    if (whole === '$${') parts.push('${');
    else parts.push((close ? referenceOf(inner.trim()) : undefined) ?? { malformed: whole });
  }
  parts.push(text.slice(end));
  return parts.filter((part) => part !== '');
}

function referenceOf(inner: string): Part | undefined {
  const [, operationId, output] = operationForm.exec(inner) ?? [];
  if (operationId !== undefined && output !== undefined) return { operationId, path: output };
  const [, variable, each, way = ''] = valueForm.exec(inner) ?? [];
  const path = way === '' ? [] : way.slice(1).split('.');
  if (variable !== undefined) return { variable, path };
  return each === 'key' || each === 'value' || each === 'index' ? { each, path } : undefined;
}

const isReference = (part: Part): part is Reference => typeof part === 'object' && 'operationId' in part;
const isVariable = (part: Part): part is VariableReference => typeof part === 'object' && 'variable' in part;

/** A string that has these parts. */
export function joined(parts: readonly Part[]): string {
  let text = '';
  for (const part of merged(parts)) text += typeof part === 'string' ? escaped(part) : written(part);
  return text;
}

/** Neighbouring texts are one text: a `$` at the end of one and a brace at the beginning of the next are no reference. */
function merged(parts: readonly Part[]): Part[] {
  const whole: Part[] = [];
  for (const part of parts) {
    const last = whole.at(-1);
    if (typeof part === 'string' && typeof last === 'string') whole[whole.length - 1] = last + part;
    else whole.push(part);
  }
  return whole;
}

/** A text as a string of a file has it. */
export const escaped = (text: string): string => (text.includes('${') ? text.replaceAll('${', () => '$${') : text);

function written(part: Exclude<Part, string>): string {
  if ('malformed' in part) return part.malformed;
  if ('operationId' in part) return `\${operations.${part.operationId}.outputs.${part.path}}`;
  const way = 'variable' in part ? ['variables', part.variable, ...part.path] : ['each', part.each, ...part.path];
  return `\${${way.join('.')}}`;
}

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

/** Every reference to an output in a value, at any depth, in order. */
export function referencesIn(value: unknown): Reference[] {
  const references: Reference[] = [];
  visitStrings(value, (text) => {
    if (text.includes('${')) references.push(...partsOf(text).filter(isReference));
  });
  return references;
}

/** The variables that a string refers to: once a file has been read, the secret ones. */
export const variablesIn = (text: string): string[] =>
  text.includes('${')
    ? partsOf(text)
        .filter(isVariable)
        .map(({ variable }) => variable)
    : [];

/** What is wrong with what begins like a reference, in a sentence. */
export function malformedSentence({ malformed }: Malformed): string {
  const [, operationId, path] = /^\$\{operations?\.([\w-]+)\.outputs?\.([\w.-]+)\}$/i.exec(malformed) ?? [];
  const [, variable] = /^\$\{(?:variables?|vars?)\.(\w+)\}$/i.exec(malformed) ?? [];
  const meant =
    operationId === undefined ? variable && `variables.${variable}` : `operations.${operationId}.outputs.${path}`;
  const hint = meant === undefined ? '.' : `; did you mean "\${${meant}}"?`;
  const found = malformed.endsWith('}')
    ? `${quoted(malformed)} refers to nothing`
    : `${quoted(malformed)} is not closed`;
  return `${found}${hint} Expected \${operations.ID.outputs.NAME}, \${variables.NAME} or \${each.key}; write $\${ for a plain \${.`;
}

/** Whether a string waits for what is known only when its operation begins. */
export const hasReference = (text: string): boolean =>
  text.includes('${') && partsOf(text).some((part) => isReference(part) || isVariable(part));

/** The outputs of an operation, by its id; undefined where it has none. */
export type Outputs = (operationId: string) => Readonly<Record<string, unknown>> | undefined;

/**
 * The value with each reference replaced by what `outputs` gives for it, and each secret variable by what `secrets`
 * gives. A string that is one reference and nothing else takes the output's own type; within a longer one, a list or
 * mapping becomes JSON (which is YAML too, as cloud-init reads it). A group's outputs are those of its members by key,
 * and `*` is the list over them in the order of their keys; a member without that output is left out of it. Throws
 * `invalid`, naming the reference, where an operation, its output or a variable is not there.
 */
export function resolveTemplates(
  value: unknown,
  outputs: Outputs,
  secrets: (name: string) => string | undefined = () => undefined,
): unknown {
  return mapStrings(value, (text) => {
    const parts = partsOf(text).map((part) => atLast(part, outputs, secrets));
    return parts.length === 1 ? parts[0] : parts.map(textOf).join('');
  });
}

/** The value with what is not known yet left as it is, and every other string's escapes undone. */
export const withoutEscapes = (value: unknown): unknown =>
  mapStrings(value, (text) => (hasReference(text) ? text : text.replaceAll('$${', '${')));

type Map = (text: string, path: readonly PropertyKey[]) => unknown;

/** The value with every string that may hold a reference mapped; the very same where none does. */
export const mapStrings = (value: unknown, map: Map): unknown =>
  mapTexts(value, (text, path) => (text.includes('${') ? map(text, path) : text));

/** The value with every string mapped; the very same where none changes. */
export function mapTexts(value: unknown, map: Map, path: readonly PropertyKey[] = []): unknown {
  if (typeof value === 'string') return map(value, path);
  if (typeof value !== 'object' || value === null) return value;
  let copy: object | undefined;
  for (const [key, entry] of Object.entries(value)) {
    if (typeof entry !== 'string' && (typeof entry !== 'object' || entry === null)) continue;
    const mapped = mapTexts(entry, map, [...path, Array.isArray(value) ? Number(key) : key]);
    if (mapped === entry) continue;
    copy ??= Array.isArray(value) ? [...value] : { ...value };
    Reflect.set(copy, key, mapped);
  }
  return copy ?? value;
}

function atLast(part: Part, outputs: Outputs, secrets: (name: string) => string | undefined): unknown {
  if (typeof part === 'string') return part;
  if ('malformed' in part) throw new MillwrightError('invalid', malformedSentence(part));
  if ('operationId' in part) return outputOf(part, outputs);
  const value = 'variable' in part && part.path.length === 0 ? secrets(part.variable) : undefined;
  if (value !== undefined) return value;
  throw new MillwrightError('invalid', `"${written(part)}" has no value here.`);
}

function outputOf(reference: Reference, outputs: Outputs): unknown {
  const { operationId, path } = reference;
  const value = partOf(outputs(operationId), path.split('.'));
  if (value !== undefined && value !== null) return value;
  throw new MillwrightError(
    'invalid',
    `"${written(reference)}" has no value: operation "${operationId}" gave no output "${path}". Look at what it did give, and refer to that.`,
  );
}

/** The part of a value that a path leads to; undefined where there is none. */
export function partOf(value: unknown, [key, ...rest]: readonly string[]): unknown {
  if (key === undefined) return value;
  if (typeof value !== 'object' || value === null) return undefined;
  if (key === '*') {
    const parts = Object.values(value).map((member) => partOf(member, rest));
    return parts.filter((part) => part !== undefined && part !== null);
  }
  return Object.hasOwn(value, key) ? partOf(Reflect.get(value, key), rest) : undefined;
}

export const textOf = (value: unknown): string => (typeof value === 'object' ? JSON.stringify(value) : String(value));

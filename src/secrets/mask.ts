import { secretsOf } from './fields.ts';

/** So many characters in a row that a text shares with a secret are no accident. */
const window = 12;
/** A shorter part of a secret that looks like a password, or a secret that is short itself. */
const shortest = 6;
const censored = '[secret]';

/** The secrets among the arguments of a call, wherever a kind's spec has them. */
export function secretsIn(values: readonly unknown[]): string[] {
  const paths = Object.values(secretsOf).flat();
  return values.flatMap((value) => paths.flatMap((path) => textsAt(value, path)));
}

function textsAt(value: unknown, [step, ...rest]: readonly string[]): string[] {
  if ((step === undefined || step === '**') && typeof value === 'string') return value === '' ? [] : [value];
  if (step === undefined || typeof value !== 'object' || value === null) return [];
  if (step === '**') return Object.values(value).flatMap((part) => textsAt(part, [step]));
  const parts: unknown[] = step === '*' ? Object.values(value) : [Reflect.get(value, step)];
  return parts.flatMap((part) => textsAt(part, rest));
}

/**
 * Takes out of a text whatever it has of the secrets: as they are, as JSON writes them, or in base64; whole, cut short,
 * or a line of them. A provider may quote any of it in a refusal. `known` may show: names that people look for, which
 * cloud-init repeats.
 */
export function createMask(secrets: readonly string[], known: readonly string[]): (text: string) => string {
  if (secrets.length === 0) return (text) => text;
  const forms = secrets.flatMap(formsOf);
  const windows = new Set(forms.flatMap(windowsOf));
  const words = new Set(secrets.flatMap(wordsOf));
  return (text) => censor(text, secretRanges(text, windows, words), rangesOf(text, known));
}

const formsOf = (secret: string): string[] => [
  secret,
  JSON.stringify(secret).slice(1, -1),
  // Three ways, for the three places that its first byte may have in a group of three.
  ...[0, 1, 2].map((before) =>
    Buffer.concat([Buffer.alloc(before), Buffer.from(secret)])
      .toString('base64')
      .slice(4),
  ),
];

function windowsOf(form: string): string[] {
  return Array.from({ length: Math.max(0, form.length - window + 1) }, (_, at) => form.slice(at, at + window));
}

/** Short secrets as they are, and of longer ones the words that mix digits with other characters, as passwords do. */
const wordsOf = (secret: string): string[] =>
  secret.length < window
    ? [secret]
    : secret.split(/[\s"'=,;:]+/).filter((word) => word.length >= shortest && /\d/.test(word) && /\D/.test(word));

type Range = readonly [from: number, to: number];

function secretRanges(text: string, windows: ReadonlySet<string>, words: ReadonlySet<string>): Range[] {
  const shared = Array.from({ length: Math.max(0, text.length - window + 1) }, (_, at): Range => [at, at + window]);
  return [...shared.filter(([from, to]) => windows.has(text.slice(from, to))), ...rangesOf(text, [...words])];
}

/** Every place at which one of these parts stands. */
function rangesOf(text: string, parts: readonly string[]): Range[] {
  return parts.flatMap((part) => {
    const ranges: Range[] = [];
    for (let at = part ? text.indexOf(part) : -1; at >= 0; at = text.indexOf(part, at + 1)) {
      ranges.push([at, at + part.length]);
    }
    return ranges;
  });
}

/** A run of secret text of which little is left without the names that may show is left as it is. */
function censor(text: string, secret: readonly Range[], shown: readonly Range[]): string {
  const names = merged(shown);
  let [masked, at] = ['', 0];
  for (const [from, to] of merged(secret)) {
    const open = names.reduce((sum, [low, high]) => sum + Math.max(0, Math.min(to, high) - Math.max(from, low)), 0);
    if (to - from - open < shortest) continue;
    masked += text.slice(at, from) + censored;
    at = to;
  }
  return masked + text.slice(at);
}

/** In order, and those that touch as one. */
function merged(ranges: readonly Range[]): Range[] {
  const runs: Range[] = [];
  for (const [from, to] of ranges.toSorted(([a], [b]) => a - b)) {
    const last = runs.at(-1);
    if (last && from <= last[1]) runs[runs.length - 1] = [last[0], Math.max(last[1], to)];
    else runs.push([from, to]);
  }
  return runs;
}

/** Masks all that an error says, and its causes: what people, the log and Temporal are told comes from there. */
export function maskError(error: unknown, mask: (text: string) => string, depth = 0): void {
  if (typeof error !== 'object' || error === null || depth > 8) return;
  const fields = error instanceof Error ? ['message', 'stack', 'cause', ...Object.keys(error)] : Object.keys(error);
  for (const field of fields) {
    const value: unknown = Reflect.get(error, field);
    if (typeof value === 'string') Reflect.set(error, field, mask(value));
    else maskError(value, mask, depth + 1);
  }
}

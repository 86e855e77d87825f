import type { Path } from '../place.ts';

export type Fields = Readonly<Record<string, unknown>>;

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
export const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;

/** A whole number, also where it is written as a text. */
export function wholeOf(value: unknown): number | undefined {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isInteger(number) && number >= 0 ? number : undefined;
}

/** The first of these fields that is there. */
export function pick(
  fields: Fields,
  ...names: readonly string[]
): { readonly name: string; readonly value: unknown } | undefined {
  const name = names.find((candidate) => fields[candidate] !== undefined && fields[candidate] !== null);
  return name === undefined ? undefined : { name, value: fields[name] };
}

/** Where in an older tool's file its workflow is: at `batch_workflow`, at the only key that has operations, or all of it. */
export function workflowIn(value: unknown): { readonly path: Path; readonly fields: Fields } | undefined {
  if (!isFields(value)) return undefined;
  if (Array.isArray(value.operations)) return { path: [], fields: value };
  const [found] = Object.entries(value).flatMap(([key, part]) =>
    isFields(part) && Array.isArray(part.operations) ? [{ path: [key], fields: part }] : [],
  );
  return found;
}

/** A name as ours are: 1 to 63 lower-case letters, digits and hyphens, beginning with a letter. */
export function nameFrom(text: string): string {
  const name = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+/, '')
    .slice(0, 63)
    .replace(/-+$/, '');
  return name === '' ? 'unnamed' : name;
}

import type { z } from 'zod';
import { refusedFor } from '../errors.ts';
import { pointerOf } from '../faults.ts';
import { type BodyOf, bodies } from './bodies.ts';
import { type BatchOperation, type FileOperationType, isWhereItsVolumeIs } from './file.ts';
import { type Problem, problemsOf, valueAt } from './issues.ts';
import { Spelling } from './near.ts';
import { hasReference, withoutEscapes } from './template.ts';

export type { BodyOf } from './bodies.ts';

type Body = { readonly [Type in FileOperationType]: z.ZodType<BodyOf<Type>> & z.ZodObject };

/** Fields that an operation has beside its `with`. */
const besideWith = ['region', 'provider'] as const;
/** Fields of a single request that stand beside `with` in a batch. */
const ofTheOperation: Readonly<Record<string, string>> = { onFailure: 'onFailure', timeoutSeconds: 'timeout' };

type Place = Pick<BatchOperation, 'region' | 'provider'>;

const bodyOf = (type: FileOperationType, { region, provider }: Place, given: object): object =>
  type.endsWith('.create') && !isWhereItsVolumeIs(type) ? { ...given, region, provider } : given;

/**
 * The body of the request that an operation makes, from its resolved `with`. Throws `invalid` with every fault, its
 * pointer within the operation (`/with/name`).
 */
export function checkWith<Type extends FileOperationType>(type: Type, place: Place, resolved: unknown): BodyOf<Type> {
  const schema: Body[Type] = bodies[type];
  const body = bodyOf(type, place, Object(resolved));
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const faults = problemsOf(schema, body, new Spelling()).map(({ path, detail }) => {
    const beside = besideWith.some((field) => field === path[0]);
    return { pointer: pointerOf(beside ? path : ['with', ...path]), detail };
  });
  throw refusedFor('invalid', faults);
}

/**
 * What is wrong with a `with` as the file has it. A value that waits for an output is let pass: it is checked when it
 * has come. So are region and provider, which stand beside it.
 */
export function problemsOfWith(
  type: FileOperationType,
  given: Readonly<Record<string, unknown>>,
  spelling: Spelling,
): Problem[] {
  const schema: z.ZodObject = bodies[type];
  const isBeside = (key: string): boolean => besideWith.some((field) => field === key);
  const isElsewhere = (key: string): boolean => isBeside(key) || Object.hasOwn(ofTheOperation, key);
  const fields = Object.keys(schema.shape).filter((key) => !isElsewhere(key));
  const misplaced = Object.keys(given).filter(isElsewhere);
  const own =
    misplaced.length > 0 ? Object.fromEntries(Object.entries(given).filter(([key]) => !isElsewhere(key))) : given;
  const body = bodyOf(type, { region: 'beside' }, Object(withoutEscapes(own)));
  const problems = problemsOf(schema, body, spelling, fields).filter(({ path, atKey }) => {
    const value = valueAt(body, path);
    return atKey || typeof value !== 'string' || !hasReference(value);
  });
  return [
    ...problems,
    ...misplaced.map((key) => ({
      path: [key],
      atKey: true,
      detail: isBeside(key)
        ? `"${key}" stands beside "with", as the operation's own. Move it there.`
        : `"${key}" is not part of "with": "${ofTheOperation[key]}" stands beside it. Move it there.`,
    })),
  ];
}

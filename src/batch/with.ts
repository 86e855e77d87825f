import { z } from 'zod';
import { referenceSchema } from '../domain/common.ts';
import { type OperationType, partsOf } from '../domain/kinds.ts';
import { networkCreateSchema } from '../domain/network.ts';
import { vmCreateSchema } from '../domain/vm.ts';
import { volumeCreateSchema } from '../domain/volume.ts';
import { MillwrightError } from '../errors.ts';
import { pointerOf } from '../faults.ts';
import type { BatchOperation } from './file.ts';
import { type Problem, problemsOf, valueAt } from './issues.ts';
import { Spelling } from './near.ts';
import { hasReference, withoutEscapes } from './template.ts';

const deleteSchema = z.strictObject({ name: referenceSchema });

/** What `with` holds: the body of the kind's request, whose region and provider stand beside it. */
const schemas = {
  'vm.create': vmCreateSchema,
  'vm.delete': deleteSchema,
  'network.create': networkCreateSchema,
  'network.delete': deleteSchema,
  'volume.create': volumeCreateSchema,
  'volume.delete': deleteSchema,
} as const satisfies Record<OperationType, z.ZodObject>;

export type BodyOf<Type extends OperationType> = z.infer<(typeof schemas)[Type]>;
type Body = { readonly [Type in OperationType]: z.ZodType<BodyOf<Type>> & z.ZodObject };

/** Fields that an operation has beside its `with`. */
const besideWith = ['region', 'provider'] as const;
/** Fields of a single request that the batch has for all its operations. */
const ofTheBatch = ['onFailure', 'timeoutSeconds'] as const;

type Place = Pick<BatchOperation, 'region' | 'provider'>;

const bodyOf = (type: OperationType, { region, provider }: Place, given: object): object =>
  partsOf(type).verb === 'create' ? { ...given, region, provider } : given;

/**
 * The body of the request that an operation makes, from its resolved `with`. Throws `invalid` with every fault, its
 * pointer within the operation (`/with/name`).
 */
export function checkWith<Type extends OperationType>(type: Type, place: Place, resolved: unknown): BodyOf<Type> {
  const schema: Body[Type] = schemas[type];
  const body = bodyOf(type, place, Object(resolved));
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const faults = problemsOf(schema, body, new Spelling()).map(({ path, detail }) => {
    const beside = besideWith.some((field) => field === path[0]);
    return { pointer: pointerOf(beside ? path : ['with', ...path]), detail };
  });
  throw new MillwrightError('invalid', faults.map(({ detail }) => detail).join(' '), { faults });
}

/**
 * What is wrong with a `with` as the file has it. A value that waits for an output is let pass: it is checked when it
 * has come. So are region and provider, which stand beside it.
 */
export function problemsOfWith(
  type: OperationType,
  given: Readonly<Record<string, unknown>>,
  spelling: Spelling,
): Problem[] {
  const schema: z.ZodObject = schemas[type];
  const isBeside = (key: string): boolean => besideWith.some((field) => field === key);
  const isElsewhere = (key: string): boolean => isBeside(key) || ofTheBatch.some((field) => field === key);
  const fields = Object.keys(schema.shape).filter((key) => !isElsewhere(key));
  const own = Object.fromEntries(Object.entries(given).filter(([key]) => !isElsewhere(key)));
  const body = bodyOf(type, { region: 'beside' }, Object(withoutEscapes(own)));
  const problems = problemsOf(schema, body, spelling, fields).filter(({ path, atKey }) => {
    const value = valueAt(body, path);
    return atKey || typeof value !== 'string' || !hasReference(value);
  });
  const misplaced = Object.keys(given).filter(isElsewhere);
  return [
    ...problems,
    ...misplaced.map((key) => ({
      path: [key],
      atKey: true,
      detail: isBeside(key)
        ? `"${key}" stands beside "with", as the operation's own. Move it there.`
        : `"${key}" is not of one operation: what the batch's own onFailure says holds for all.`,
    })),
  ];
}

import { z } from 'zod';
import type { ResourceKind } from '../domain/kinds.ts';
import { networkCreateSchema } from '../domain/network.ts';
import { vmCreateSchema } from '../domain/vm.ts';
import { volumeCreateSchema } from '../domain/volume.ts';

/** Where a secret lies: the keys that lead to it, `*` for every item of a list. */
export type SecretPath = readonly string[];

/**
 * The fields of a schema that are marked `writeOnly`, as `secretText` does: OpenAPI's word for what is taken and never
 * shown, and ours for what is sealed at rest.
 */
function secretPaths(schema: unknown): SecretPath[] {
  if (!(schema instanceof z.ZodType)) return [];
  if (schema.meta()?.writeOnly === true) return [[]];
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodNullable) {
    return secretPaths(schema.unwrap());
  }
  if (schema instanceof z.ZodArray) return secretPaths(schema.element).map((path) => ['*', ...path]);
  if (!(schema instanceof z.ZodObject)) return [];
  return Object.entries(schema.shape).flatMap(([field, part]) => secretPaths(part).map((path) => [field, ...path]));
}

/** The secrets of each kind's request. A job's spec, and what is kept of a request, have them in the same places. */
export const secretsOf: Readonly<Record<ResourceKind, readonly SecretPath[]>> = {
  vm: secretPaths(vmCreateSchema),
  network: secretPaths(networkCreateSchema),
  volume: secretPaths(volumeCreateSchema),
};

type Replace = (text: string, path: string) => Promise<unknown>;

/** A copy with each secret text replaced; the very same value where it holds none, or empty ones. */
export async function replaceSecrets(value: unknown, paths: readonly SecretPath[], replace: Replace): Promise<unknown> {
  let replaced = value;
  for (const path of paths) replaced = await replaceAt(replaced, path, '', replace);
  return replaced;
}

async function replaceAt(value: unknown, path: SecretPath, at: string, replace: Replace): Promise<unknown> {
  const [step, ...rest] = path;
  if (step === undefined) return typeof value === 'string' && value !== '' ? await replace(value, at) : value;
  if (typeof value !== 'object' || value === null) return value;
  const keys = step === '*' ? Object.keys(value) : [step];
  let copy = value;
  for (const key of keys) {
    const before: unknown = Reflect.get(value, key);
    const after = await replaceAt(before, rest, `${at}/${key}`, replace);
    if (after === before) continue;
    if (copy === value) copy = Array.isArray(value) ? [...value] : { ...value };
    Reflect.set(copy, key, after);
  }
  return copy;
}

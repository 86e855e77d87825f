import { z } from 'zod';
import { bucketKeyCreateSchema } from '../domain/bucket.ts';
import { type BatchOperationType, kindOf, type ResourceKind } from '../domain/kinds.ts';
import { networkCreateSchema } from '../domain/network.ts';
import { snapshotCreateSchema } from '../domain/snapshot.ts';
import { vmCreateSchema } from '../domain/vm.ts';
import { volumeCreateSchema } from '../domain/volume.ts';

/**
 * Where a secret lies: the keys that lead to it, `*` for every item of a list or mapping. It is a text; `**` at the end
 * means all that is there, of whatever type.
 */
export type SecretPath = readonly string[];

/**
 * The fields of a schema that are marked `writeOnly`, as `secretText` does: OpenAPI's word for what is taken and never
 * shown, and ours for what is sealed at rest.
 */
export function secretPaths(schema: unknown): SecretPath[] {
  if (!(schema instanceof z.ZodType)) return [];
  if (schema.meta()?.writeOnly === true) return [[]];
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodNullable) {
    return secretPaths(schema.unwrap());
  }
  if (schema instanceof z.ZodArray) return secretPaths(schema.element).map((path) => ['*', ...path]);
  if (!(schema instanceof z.ZodObject)) return [];
  return Object.entries(schema.shape).flatMap(([field, part]) => secretPaths(part).map((path) => [field, ...path]));
}

/** What has secrets: the request of a kind, or a call to another system. */
export type SecretKind = ResourceKind | 'http';

/** The secrets of each kind's request. A job's spec, and what is kept of a request, have them in the same places. */
export const secretsOf: Readonly<Record<SecretKind, readonly SecretPath[]>> = {
  vm: secretPaths(vmCreateSchema),
  network: secretPaths(networkCreateSchema),
  volume: secretPaths(volumeCreateSchema),
  snapshot: secretPaths(snapshotCreateSchema),
  bucket: secretPaths(bucketKeyCreateSchema),
  'bare-metal-host': [],
  cluster: [],
  /** A header may be a token, and a body hold anything. */
  http: [
    ['headers', '*'],
    ['body', '**'],
    ['undo', 'headers', '*'],
    ['undo', 'body', '**'],
  ],
};

/** Where the secrets of an operation of a batch are; undefined where its type has none. */
export const secretKindOf = (type: BatchOperationType): SecretKind | undefined =>
  type === 'http.request' ? 'http' : kindOf(type);

type Replace = (secret: NonNullable<unknown>, path: string) => Promise<unknown>;

/** A copy with each secret replaced; the very same value where it holds none, or empty texts. */
export async function replaceSecrets(value: unknown, paths: readonly SecretPath[], replace: Replace): Promise<unknown> {
  let replaced = value;
  for (const path of paths) replaced = await replaceAt(replaced, path, '', replace);
  return replaced;
}

async function replaceAt(value: unknown, path: SecretPath, at: string, replace: Replace): Promise<unknown> {
  const [step, ...rest] = path;
  const isWhole = step === '**' && value !== undefined && value !== null && value !== '';
  if (isWhole || (step === undefined && typeof value === 'string' && value !== '')) return await replace(value, at);
  if (step === undefined || step === '**') return value;
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

import type { Sql } from 'postgres';
import type { StartableJob } from '../domain/start.ts';
import { openDataKeys } from './data-keys.ts';
import { replaceSecrets, type SecretKind, secretsOf } from './fields.ts';
import { openKeyManagement } from './key-management.ts';
import { createSealer, type Sealer } from './sealer.ts';

/** The sealer of a process, for this configuration and database. */
export const openSealer = (config: { readonly secretKeyFile: string }, sql: Sql): Sealer =>
  createSealer(openDataKeys(sql, openKeyManagement(config)));

/** Stands in JSON where a secret stood; no secret field takes an object, so nobody can ask for one. */
interface Sealed {
  readonly $sealed: string;
  /** What is sealed is JSON of something that was no text. */
  readonly $json?: true;
}
const isSealed = (value: object): value is Sealed => '$sealed' in value && typeof value.$sealed === 'string';

type Input = StartableJob['input'];

const placeOfInput = (jobId: string): string => `jobs.input/${jobId}`;

/** Where the file's part of an operation is kept. */
export const placeOfOperation = (batchId: string, operationId: string): string =>
  `batch_operations.spec/${batchId}/${operationId}`;

/** Where a batch keeps a secret variable. */
export const placeOfVariable = (batchId: string, name: string): string => `batches.secrets/${batchId}/${name}`;

/** Where a cluster keeps its kubeconfig. */
export const placeOfKubeconfig = (clusterId: string): string => `clusters.kubeconfig/${clusterId}`;

/** A spec as it is stored: each secret of its kind sealed for its place. One without secrets is given back as it is. */
export const sealSpec = (sealer: Sealer, kind: SecretKind, spec: unknown, place: string): Promise<unknown> =>
  replaceSecrets(spec, secretsOf[kind], async (secret, path): Promise<Sealed> => {
    if (typeof secret === 'string') return { $sealed: await sealer.seal(secret, place + path) };
    return { $sealed: await sealer.seal(JSON.stringify(secret), place + path), $json: true };
  });

/** What `sealSpec` made of a spec, in clear again; what an older release stored in clear stays as it is. */
export async function openSpec(sealer: Sealer, value: unknown, place: string): Promise<unknown> {
  if (typeof value !== 'object' || value === null) return value;
  if (isSealed(value)) {
    const text = await sealer.unseal(value.$sealed, place);
    return value.$json ? JSON.parse(text) : text;
  }
  let copy = value;
  for (const key of Object.keys(value)) {
    const before: unknown = Reflect.get(value, key);
    if (typeof before !== 'object') continue;
    const after = await openSpec(sealer, before, `${place}/${key}`);
    if (after === before) continue;
    if (copy === value) copy = Array.isArray(value) ? [...value] : { ...value };
    Reflect.set(copy, key, after);
  }
  return copy;
}

/** A job's input as `jobs.input` keeps it. */
export async function sealInput(sealer: Sealer, kind: SecretKind, jobId: string, input: Input): Promise<Input> {
  if (!('spec' in input)) return input;
  const spec = await sealSpec(sealer, kind, input.spec, placeOfInput(jobId));
  return spec === input.spec ? input : { ...input, spec };
}

/** A job's input as its workflow gets it. Every reader of `jobs.input` goes through here. */
export async function openInput<Stored extends Input>(sealer: Sealer, jobId: string, input: Stored): Promise<Stored> {
  if (!('spec' in input)) return input;
  const spec = await openSpec(sealer, input.spec, placeOfInput(jobId));
  return spec === input.spec ? input : { ...input, spec };
}

/** A request as it may be kept, to be compared with another: its secrets replaced by their fingerprints. */
export const veiled = (sealer: Sealer, kind: SecretKind, request: object): Promise<unknown> =>
  replaceSecrets(request, secretsOf[kind], async (secret) => ({
    $fingerprint: await sealer.fingerprint(typeof secret === 'string' ? secret : JSON.stringify(secret)),
  }));

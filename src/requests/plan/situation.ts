import type { Sql } from 'postgres';
import type { BatchFile, BatchOperation } from '../../batch/file.ts';
import { referencesIn } from '../../batch/template.ts';
import { resourcesThere, type There } from '../../db/queries/plan.ts';
import { type ResourceView, resourcesById } from '../../db/queries/resources.ts';
import { isActType, kindOf, type ResourceKind, resourceKinds } from '../../domain/kinds.ts';
import { knownOutputs } from './resolve.ts';

export interface NamedResource {
  readonly kind: ResourceKind;
  readonly reference: string;
}

/** What is there of what a file names, read by a handful of queries however long the file is. */
export interface Situation {
  /** By name or id. */
  readonly find: (named: NamedResource) => There | undefined;
  /** With all its fields; only of what another operation refers to. */
  readonly view: (id: string) => ResourceView | undefined;
}

export async function lookAround(sql: Sql, projectId: string, file: BatchFile): Promise<Situation> {
  const names = namesIn(file.operations);
  const named = file.operations.flatMap((operation) => {
    const kind = kindOf(operation.type);
    return kind ? [...namedBy(names.get(operation.id), kind), ...usedBy(operation.with)] : [];
  });
  const there = await resourcesThere(sql, projectId, named);
  // What these use may be named nowhere in the file; a reason has to name it all the same.
  const found = new Set(there.map(({ id }) => id));
  const used = there.flatMap(({ requested }) => usedBy(requested)).filter(({ reference }) => !found.has(reference));
  const all = [...there, ...(await resourcesThere(sql, projectId, used))];
  const byKey = new Map(
    all.flatMap((one) => [[`${one.kind}/${one.name}`, one] as const, [`${one.kind}/${one.id}`, one] as const]),
  );
  const find = ({ kind, reference }: NamedResource) => byKey.get(`${kind}/${reference}`);
  const views = await viewsOf(sql, referredTo(file, names, find));
  return { find, view: (id) => views.get(id) };
}

/** What each operation's resource is called, as far as that is known before anything has run. */
function namesIn(operations: readonly BatchOperation[]): ReadonlyMap<string, string> {
  const byId = new Map(operations.map((operation) => [operation.id, operation]));
  return new Map(
    operations.flatMap((operation) => {
      const { name } = knownOutputs(operation, (id) => byId.get(id));
      return typeof name === 'string' ? [[operation.id, name] as const] : [];
    }),
  );
}

const namedBy = (name: string | undefined, kind: ResourceKind): NamedResource[] =>
  name === undefined ? [] : [{ kind, reference: name }];

/** The other resources that a `with`, or what is kept of a request, names. */
export const usedBy = (fields: Readonly<Record<string, unknown>>): NamedResource[] => [
  ...textsIn(fields.networks).map((reference) => ({ kind: 'network' as const, reference })),
  ...textsIn(fields.volumes).map((reference) => ({ kind: 'volume' as const, reference })),
  ...(['vm', 'volume', 'snapshot'] as const).flatMap((kind) =>
    textsIn([fields[kind]]).map((reference) => ({ kind, reference })),
  ),
];

const textsIn = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];

function referredTo(
  { operations }: BatchFile,
  names: ReadonlyMap<string, string>,
  find: (named: NamedResource) => There | undefined,
): There[] {
  const ids = new Set(operations.flatMap((operation) => referencesIn(operation.with)).map((each) => each.operationId));
  // What refers to a group refers to its members.
  const isMeant = (id: string): boolean =>
    id.split('/').some((_, at, parts) => ids.has(parts.slice(0, at + 1).join('/')));
  return operations.flatMap(({ id, type }) => {
    const [kind, name] = [kindOf(type), names.get(id)];
    // What an act does depends on what its resource is like.
    if (!kind || name === undefined || !(isMeant(id) || isActType(type))) return [];
    return find({ kind, reference: name }) ?? [];
  });
}

async function viewsOf(sql: Sql, there: readonly There[]): Promise<ReadonlyMap<string, ResourceView>> {
  const ofKind = (kind: ResourceKind) => there.filter((one) => one.kind === kind).map(({ id }) => id);
  const views = await Promise.all(resourceKinds.map((kind) => resourcesById(sql, kind, ofKind(kind))));
  return new Map(views.flatMap((some) => [...some]));
}

import type { z } from 'zod';
import { type BatchOperationType, kindOf, plural, type ResourceKind } from '../domain/kinds.ts';
import { isSecretField } from './bodies.ts';
import { type Checking, tellAll } from './checking.ts';
import type { LookedAt } from './condition-names.ts';
import {
  type BatchOperation,
  type Condition,
  type FileOperationType,
  isWhereItsVolumeIs,
  needsRegion,
  operationSchema,
} from './file.ts';
import { type Problem, problemsOf } from './issues.ts';
import { type Where, within } from './report.ts';
import { type Scope, substitute } from './substitute.ts';
import { hasReference, type Reference, referencesIn, variablesIn, visitStrings } from './template.ts';
import { problemsOfWith } from './with.ts';

/** Something found in a file, and where. */
export type At<Thing> = Thing & { readonly at: Where };
export interface Named {
  readonly kind: ResourceKind;
  readonly name: string;
}
export type Given = Readonly<Record<string, unknown>>;
export type Policy = Pick<BatchOperation, 'retry' | 'timeoutSeconds' | 'onFailure' | 'replace'>;

/** What an operation says that it waits for, by ids that are unique in the whole batch. */
export interface Waits {
  readonly dependsOn: readonly At<{ readonly id: string; readonly soft: boolean }>[];
  readonly conditions: readonly Condition[];
  /** Of what its conditions look at. */
  readonly looks: readonly At<Omit<LookedAt, 'at'>>[];
}

/** What is right about an operation once groups are spread out, whatever else is wrong with it. */
export interface Draft extends Waits {
  readonly at: Where;
  readonly id: string | undefined;
  readonly type: BatchOperationType | undefined;
  readonly region: string | undefined;
  readonly provider: string | undefined;
  readonly with: Given;
  readonly policy: Policy;
  readonly references: readonly At<Reference>[];
  readonly creates: At<Named> | undefined;
  /** Resources that it names: those that it joins, attaches, changes or deletes. */
  readonly uses: readonly At<Named & { readonly deletes: boolean }>[];
}

/** An operation's own fields, variables and `each` in their places. */
export interface Fields {
  readonly type: FileOperationType | undefined;
  readonly region: string | undefined;
  readonly provider: string | undefined;
  readonly limit: number | undefined;
  readonly policy: Policy;
  readonly with: Given;
}

/** Fields in which variables may stand; what an operation is and what it waits for is written out. */
const written = new Set(['id', 'type', 'dependsOn', 'when', 'forEach', 'with']);

/** Reads one operation, or one member of a `forEach`, by itself, reporting everything that is wrong with it. */
export function readFields(raw: Given, scope: Scope, at: Where, checking: Checking): Fields {
  const own: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(raw)) {
    const placed = written.has(key) ? value : substitute(value, scope, within(at, key), checking);
    if (written.has(key) || !tellsUnknown(placed, within(at, key), checking)) own[key] = placed;
  }
  delete own.forEach;
  tellNew(problemsOf(operationSchema, own, checking.spelling), at, checking);
  const { shape } = operationSchema;
  const type = right(shape.type, own.type);
  const isWith = typeof raw.with === 'object' && raw.with !== null && !Array.isArray(raw.with);
  const given = isWith ? readWith(type, Object(raw.with), scope, within(at, 'with'), checking) : {};
  const fields = { type, region: right(shape.region, own.region), provider: right(shape.provider, own.provider) };
  if (type) checkPlace(type, raw, fields, at, checking);
  return { ...fields, limit: right(shape.limit, own.limit), policy: policyOf(own), with: given };
}

/** Tells of problems; not of those that follow from what is wrong in their place already. */
function tellNew(problems: readonly Problem[], at: Where, { report }: Checking): void {
  tellAll(
    problems.filter(({ path }) => !report.isTold(within(at, ...path))),
    at,
    report,
  );
}

/** What a file says of how an operation, or each of a nested batch, is to be run. */
export function policyOf(fields: Given): Policy {
  const { shape } = operationSchema;
  const { maximumAttempts, initialSeconds, maximumSeconds } = right(shape.retry, fields.retry) ?? {};
  const timeoutSeconds = right(shape.timeout, fields.timeout);
  const onFailure = right(shape.onFailure, fields.onFailure);
  const replace = right(shape.replace, fields.replace);
  const retry = {
    ...(maximumAttempts !== undefined && { maximumAttempts }),
    ...(initialSeconds !== undefined && { initialSeconds }),
    ...(maximumSeconds !== undefined && { maximumSeconds }),
  };
  return {
    ...(fields.retry !== undefined && { retry }),
    ...(timeoutSeconds !== undefined && { timeoutSeconds }),
    ...(onFailure !== undefined && { onFailure }),
    ...(replace !== undefined && { replace }),
  };
}

export const right = <Value>(schema: z.ZodType<Value>, value: unknown): Value | undefined =>
  value === undefined ? undefined : schema.safeParse(value).data;

/** Tells of what will be known only once the batch runs, where it has to be known before. */
function tellsUnknown(value: unknown, at: Where, { report }: Checking): boolean {
  let tells = false;
  visitStrings(value, (text, path) => {
    if (!hasReference(text)) return;
    tells = true;
    if (report.isTold(at)) return;
    report.tell(
      within(at, ...path),
      variablesIn(text).length > 0
        ? 'A secret variable cannot stand here: it may stand only where a field is secret.'
        : 'This has to be known before the batch begins: an output cannot stand here.',
    );
  });
  return tells;
}

function readWith(type: FileOperationType | undefined, raw: Given, scope: Scope, at: Where, checking: Checking): Given {
  // A batch that is written out has variables of its own.
  const { batch, ...rest } = raw;
  const isNested = type === 'batch.apply' && Object.hasOwn(raw, 'batch');
  const placed: Given = Object(substitute(isNested ? rest : raw, scope, at, checking));
  const given = isNested ? { ...placed, batch } : placed;
  if (!type) return given;
  tellNew(problemsOfWith(type, given, checking.spelling), at, checking);
  if (type !== 'batch.apply') checkSecrets(type, given, at, checking);
  if (type === 'vm.create' || type === 'cluster.create') checkNames(given, at, checking);
  return given;
}

function checkSecrets(type: FileOperationType, given: Given, at: Where, { report }: Checking): void {
  visitStrings(given, (text, path) => {
    const [secret] = text.includes('${') && !isSecretField(type, path) ? variablesIn(text) : [];
    if (secret === undefined || report.isTold(within(at, ...path))) return;
    report.tell(
      within(at, ...path),
      `The variable "${secret}" is secret: it may stand only where a field is secret (userData of a VM; headers and body of an http.request).`,
    );
  });
}

function checkPlace(
  type: FileOperationType,
  raw: Given,
  { region, provider }: Pick<Fields, 'region' | 'provider'>,
  at: Where,
  { catalog, spelling, report }: Checking,
): void {
  const isResource = type !== 'batch.apply' && kindOf(type) !== undefined && !isWhereItsVolumeIs(type);
  for (const field of ['region', 'provider'] as const) {
    const takes = isResource || (field === 'region' && type === 'http.request');
    if (raw[field] !== undefined && !takes)
      report.tell(within(at, field), `A ${type} has no ${field}. Remove it.`, 'key');
    if (raw[field] !== undefined && !takes) return;
  }
  const names = catalog.regions.map(({ name }) => name);
  if (needsRegion(type) && raw.region === undefined)
    report.tell(within(at, 'region'), `Missing "region": a ${type} needs one. There are: ${names.join(', ')}.`);
  if (region === undefined) return;
  const known = catalog.regions.find(({ name }) => name === region);
  if (!known) report.tell(within(at, 'region'), spelling.unknown('region', region, names));
  else if (provider !== undefined && !known.providers.includes(provider)) {
    const where = ` in region "${region}"`;
    report.tell(within(at, 'provider'), spelling.unknown('provider', provider, known.providers, where));
  } else if (raw.provider === undefined && type.endsWith('.create') && known.providers.length > 1) {
    report.tell(
      within(at, 'provider'),
      `Missing "provider": region "${region}" has several. There are: ${known.providers.join(', ')}.`,
    );
  }
}

function checkNames(given: Given, at: Where, { catalog, spelling, report }: Checking): void {
  for (const [field, known] of [
    ['flavor', catalog.flavors],
    ['image', catalog.images],
  ] as const) {
    const name = literal(given[field]);
    if (name !== undefined && !known.includes(name))
      report.tell(within(at, field), spelling.unknown(field, name, known));
  }
}

const literal = (value: unknown): string | undefined =>
  typeof value === 'string' && !hasReference(value) ? value : undefined;

/** What an operation creates, and the resources that it names. */
export function namesIn(type: BatchOperationType, given: Given, at: Where): Pick<Draft, 'creates' | 'uses'> {
  const kind = kindOf(type);
  const name = literal(given.name);
  if (!kind) return { creates: undefined, uses: [] };
  const own = name === undefined ? undefined : { kind, name, at: within(at, 'name') };
  if (!type.endsWith('.create')) {
    const others = (['vm', 'snapshot'] as const).flatMap((other) => usedIn(other, given, at));
    return { creates: undefined, uses: [...(own ? [{ ...own, deletes: type.endsWith('.delete') }] : []), ...others] };
  }
  if (kind === 'snapshot') return { creates: own, uses: usedIn('volume', given, at) };
  if (kind !== 'vm' && kind !== 'cluster') return { creates: own, uses: [] };
  const uses = (['network', 'volume'] as const).flatMap((used) =>
    textsIn(given[plural[used]], within(at, plural[used])).map((named) => ({ kind: used, ...named, deletes: false })),
  );
  return { creates: own, uses };
}

/** What a field that is called by its kind names. */
function usedIn(kind: 'vm' | 'volume' | 'snapshot', given: Given, at: Where): Draft['uses'] {
  const name = literal(given[kind]);
  return name === undefined ? [] : [{ kind, name, at: within(at, kind), deletes: false }];
}

/** The texts in what should be a list of texts. */
function textsIn(list: unknown, at: Where): At<{ readonly name: string }>[] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((name: unknown, index) => (typeof name === 'string' ? [{ name, at: within(at, index) }] : []));
}

/** The outputs that a value refers to, and where. */
export function referencesOf(value: unknown, at: Where): At<Reference>[] {
  const references: At<Reference>[] = [];
  visitStrings(value, (text, path) => {
    if (!text.includes('${')) return;
    const where = within(at, ...path);
    for (const reference of referencesIn(text)) references.push({ ...reference, at: where });
  });
  return references;
}

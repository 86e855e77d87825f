import type { z } from 'zod';
import { type OperationType, partsOf, plural, type ResourceKind } from '../domain/kinds.ts';
import { type Catalog, operationSchema } from './file.ts';
import { type Problem, problemsOf } from './issues.ts';
import type { Spelling } from './near.ts';
import type { Path } from './place.ts';
import { hasReference, malformedIn, type Reference, referencesIn, visitStrings } from './template.ts';
import { problemsOfWith } from './with.ts';

/** What the reading of one file needs everywhere. */
export interface Checking {
  readonly catalog: Catalog;
  readonly spelling: Spelling;
  /** Tells a fault; its place is the value's unless the key is what is wrong. */
  readonly report: (path: Path, detail: string, at?: 'key' | 'value') => void;
  /** Where another fault points to. */
  readonly lineOf: (path: Path) => number;
}

/** Something found in a file, and where. */
type At<Thing> = Thing & { readonly at: Path };
export interface Named {
  readonly kind: ResourceKind;
  readonly name: string;
}

type Given = Readonly<Record<string, unknown>>;

/** What is right about an operation of a file, whatever else is wrong with it. */
export interface Draft {
  /** Its place among the operations. */
  readonly position: number;
  readonly at: Path;
  readonly id: string | undefined;
  readonly type: OperationType | undefined;
  readonly region: string | undefined;
  readonly provider: string | undefined;
  readonly with: Given;
  readonly dependsOn: readonly At<{ id: string }>[];
  readonly references: readonly At<Reference>[];
  readonly creates: At<Named> | undefined;
  /** Resources that it names: those that it joins, attaches or deletes. */
  readonly uses: readonly At<Named & { readonly deletes: boolean }>[];
}

/** Reads one operation by itself, reporting everything that is wrong with it. */
export function readOperation(raw: unknown, position: number, checking: Checking): Draft {
  const at: Path = ['operations', position];
  const inWith: Path = [...at, 'with'];
  reportAll(problemsOf(operationSchema, raw, checking.spelling), at, checking);
  const { shape } = operationSchema;
  const fields: Readonly<Record<string, unknown>> = Object(raw);
  const type = right(shape.type, fields.type);
  const region = right(shape.region, fields.region);
  const provider = right(shape.provider, fields.provider);
  const given = right(shape.with, fields.with) ?? {};

  if (type && partsOf(type).verb === 'create' && fields.region === undefined) {
    const { regions } = checking.catalog;
    checking.report(
      [...at, 'region'],
      `Missing "region": a ${type} needs one. There are: ${regions.map(({ name }) => name).join(', ')}.`,
    );
  }
  if (region !== undefined) checkPlace({ type, region, provider, at }, checking);
  if (type && right(shape.with, fields.with)) checkGiven(type, given, inWith, checking);

  return {
    position,
    at,
    id: right(shape.id, fields.id),
    type,
    region,
    provider,
    with: given,
    dependsOn: textsIn(fields.dependsOn, [...at, 'dependsOn']).map(({ text, at }) => ({ id: text, at })),
    references: readReferences(given, inWith, checking),
    ...(type ? namesIn(type, given, inWith) : { creates: undefined, uses: [] }),
  };
}

const right = <Value>(schema: z.ZodType<Value>, value: unknown): Value | undefined => schema.safeParse(value).data;

function reportAll(problems: readonly Problem[], at: Path, { report }: Checking): void {
  for (const { path, detail, atKey } of problems) report([...at, ...path], detail, atKey ? 'key' : 'value');
}

function checkPlace(
  { type, region, provider, at }: At<Pick<Draft, 'type' | 'provider'> & { region: string }>,
  checking: Checking,
): void {
  const { catalog, spelling, report } = checking;
  const known = catalog.regions.find(({ name }) => name === region);
  if (!known) {
    const names = catalog.regions.map(({ name }) => name);
    report([...at, 'region'], spelling.unknown('region', region, names));
  } else if (provider !== undefined && !known.providers.includes(provider)) {
    report([...at, 'provider'], spelling.unknown('provider', provider, known.providers, ` in region "${region}"`));
  } else if (provider === undefined && type && partsOf(type).verb === 'create' && known.providers.length > 1) {
    report(
      [...at, 'provider'],
      `Missing "provider": region "${region}" has several. There are: ${known.providers.join(', ')}.`,
    );
  }
}

function checkGiven(type: OperationType, given: Given, at: Path, checking: Checking): void {
  const { catalog, spelling, report } = checking;
  reportAll(problemsOfWith(type, given, spelling), at, checking);
  if (type !== 'vm.create') return;
  for (const [field, known] of [
    ['flavor', catalog.flavors],
    ['image', catalog.images],
  ] as const) {
    const name = literal(given[field]);
    if (name !== undefined && !known.includes(name)) report([...at, field], spelling.unknown(field, name, known));
  }
}

const literal = (value: unknown): string | undefined =>
  typeof value === 'string' && !hasReference(value) ? value : undefined;

/** What an operation creates, and the resources that it names. */
function namesIn(type: OperationType, given: Given, at: Path): Pick<Draft, 'creates' | 'uses'> {
  const { kind, verb } = partsOf(type);
  const name = literal(given.name);
  const own = name === undefined ? undefined : { kind, name, at: [...at, 'name'] };
  if (verb === 'delete') return { creates: undefined, uses: own ? [{ ...own, deletes: true }] : [] };
  if (kind !== 'vm') return { creates: own, uses: [] };
  const uses = (['network', 'volume'] as const).flatMap((used) =>
    textsIn(given[plural[used]], [...at, plural[used]]).map(({ text, at }) => ({
      kind: used,
      name: text,
      at,
      deletes: false,
    })),
  );
  return { creates: own, uses };
}

/** The texts in what should be a list of texts. */
function textsIn(list: unknown, at: Path): At<{ readonly text: string }>[] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((text: unknown, index) => (typeof text === 'string' ? [{ text, at: [...at, index] }] : []));
}

function readReferences(given: Given, at: Path, { report }: Checking): At<Reference>[] {
  const references: At<Reference>[] = [];
  visitStrings(given, (text, path) => {
    if (!text.includes('${')) return;
    for (const detail of malformedIn(text)) report([...at, ...path], detail);
    for (const reference of referencesIn(text)) references.push({ ...reference, at: [...at, ...path] });
  });
  return references;
}

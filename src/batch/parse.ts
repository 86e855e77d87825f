import { Budget, type Checking, TooLarge } from './checking.ts';
import { dependenciesOf } from './dependencies.ts';
import type { BatchFile, BatchOperation, Catalog, Condition } from './file.ts';
import { Spelling } from './near.ts';
import { type Draft, policyOf } from './operation.ts';
import { Report, type Where } from './report.ts';
import { type Format, formatOf, readSource, type Source } from './source.ts';
import { type Header, nothing, Spread } from './spread.ts';
import { joined, mapStrings, partsOf, type Reference } from './template.ts';
import type { Variables } from './variables.ts';

export interface ParseOptions {
  /** YAML where it is left out, or JSON, which is YAML. */
  readonly format?: Format | undefined;
  /** What the batch file is called in its faults. */
  readonly name?: string | undefined;
  /** Values for the variables that it declares; texts take the type that is declared. */
  readonly variables?: Readonly<Record<string, unknown>> | undefined;
  /** Other files by the path, from where the batch file lies, by which a `batch.apply` names them. */
  readonly files?: ReadonlyMap<string, string> | undefined;
}

/**
 * Reads a batch file, in YAML, JSON or TOML, with the files that it names, and checks it against itself and the
 * catalogue. Throws `invalid` with every fault at once, file by file in the order of the text, each with its JSON pointer,
 * line and column.
 */
export function parseBatch(text: string, catalog: Catalog, options: ParseOptions = {}): BatchFile {
  const files = options.files ?? new Map<string, string>();
  const checking: Checking = {
    catalog,
    spelling: new Spelling(),
    report: new Report(),
    budget: new Budget(),
    open: opener(files),
    files: [...files.keys()],
  };
  const source = readSource(text, options.format, options.name);
  checking.report.tellSyntax(source);
  const file = source.value === undefined ? undefined : readBatch({ source, path: [] }, options, checking);
  if (!file || !checking.report.isEmpty) throw checking.report.error();
  return file;
}

/** Reads each file once. */
function opener(files: ReadonlyMap<string, string>): (file: string) => Source | undefined {
  const sources = new Map<string, Source>();
  return (file) => {
    const text = files.get(file);
    if (text === undefined) return undefined;
    const source = sources.get(file) ?? readSource(text, formatOf(file), file);
    sources.set(file, source);
    return source;
  };
}

function readBatch(at: Where, options: ParseOptions, checking: Checking): BatchFile | undefined {
  const spread = new Spread(checking);
  const { value } = at.source;
  const given = { values: options.variables ?? {}, at: () => undefined, fromRequest: true };
  try {
    const read = spread.readHeader(value, at, '', given);
    if (!read) return undefined;
    const { header, scope } = read;
    spread.add(Object(value).operations, { at, scope, policy: {}, waits: nothing, files: [], depth: 0 });
    const dependencies = dependenciesOf(spread, checking);
    const operations = spread.drafts.flatMap((draft) => {
      const waits = dependencies.of.get(draft);
      return waits ? operationOf(draft, waits, dependencies.follow) : [];
    });
    return fileOf(header, { operations, limits: spread.limits, secrets: secretsOf(scope.variables, given.values) });
  } catch (error) {
    if (error instanceof TooLarge) return undefined;
    throw error;
  }
}

function fileOf(
  { data, fields }: Header,
  rest: Pick<BatchFile, 'operations' | 'limits' | 'secrets'>,
): BatchFile | undefined {
  if (!data) return undefined;
  const { name, version, parallelLimit, onFailure, replace } = data;
  const { timeoutSeconds } = policyOf({ timeout: fields.timeout });
  return {
    name,
    version,
    parallelLimit,
    onFailure,
    replace,
    ...(timeoutSeconds !== undefined && { timeoutSeconds }),
    ...rest,
  };
}

function secretsOf(variables: Variables, values: Readonly<Record<string, unknown>>): Record<string, string> {
  const secrets = [...variables].filter(([, { secret }]) => secret !== undefined);
  return Object.fromEntries(secrets.map(([name]) => [name, String(values[name])]));
}

/** None where it has a fault that makes it no operation at all; that fault has been reported. */
function operationOf(
  { id, type, region, provider, conditions, policy, with: given }: Draft,
  waits: Pick<BatchOperation, 'dependsOn' | 'softDependsOn'>,
  follow: (reference: Reference) => Reference,
): BatchOperation[] {
  if (id === undefined || type === undefined) return [];
  return [
    {
      id,
      type,
      ...(region !== undefined && { region }),
      ...(provider !== undefined && { provider }),
      ...waits,
      conditions: conditions.map((condition) => linked(condition, follow)),
      ...policy,
      with: Object(linkedStrings(given, follow)),
    },
  ];
}

const linked = (condition: Condition, follow: (reference: Reference) => Reference): Condition => ({
  ...condition,
  variables: Object(linkedStrings(condition.variables, follow)),
  ...(condition.each && { each: { ...condition.each, value: linkedStrings(condition.each.value, follow) } }),
});

/** What refers to a group's member by its group refers to it by its own id. */
const linkedStrings = (value: unknown, follow: (reference: Reference) => Reference): unknown =>
  mapStrings(value, (text) => {
    const parts = partsOf(text);
    const followed = parts.map((part) => (typeof part === 'object' && 'operationId' in part ? follow(part) : part));
    return joined(followed);
  });

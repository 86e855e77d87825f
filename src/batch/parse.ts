import { type Fault, MillwrightError } from '../errors.ts';
import { pointerOf } from '../faults.ts';
import { dependenciesOf } from './dependencies.ts';
import { type BatchFile, type BatchOperation, type Catalog, fileSchema, mostOperations } from './file.ts';
import { found, problemsOf } from './issues.ts';
import { Spelling } from './near.ts';
import { type Checking, type Draft, readOperation } from './operation.ts';
import { readSource, type Source } from './source.ts';

/**
 * Reads a batch file, in YAML or JSON, and checks it against itself and the catalogue. Throws `invalid` with every fault
 * at once, in the order of the text, each with its JSON pointer, line and column.
 */
export function parseBatch(text: string, catalog: Catalog): BatchFile {
  const source = readSource(text);
  const faults: Fault[] = [...source.faults];
  const checking: Checking = {
    catalog,
    spelling: new Spelling(),
    report: (path, detail, at) => faults.push({ pointer: pointerOf(path), detail, ...source.place(path, at) }),
    lineOf: (path) => source.place(path).line,
  };
  const operations = source.value === undefined ? [] : readOperations(source, checking);
  const header = fileSchema.safeParse(source.value);
  if (faults.length > 0 || !header.success) throw invalid(faults);
  return { ...header.data, limits: {}, secrets: {}, operations };
}

function readOperations({ value }: Source, checking: Checking): BatchOperation[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    checking.report([], `Expected a mapping with "name" and "operations"; found ${found(value)}.`);
    return [];
  }
  for (const { path, detail, atKey } of problemsOf(fileSchema, value, checking.spelling)) {
    checking.report(path, detail, atKey ? 'key' : 'value');
  }
  const raw: unknown = Reflect.get(value, 'operations');
  if (!Array.isArray(raw) || raw.length > mostOperations) return [];
  const drafts = raw.map((operation: unknown, position) => readOperation(operation, position, checking));
  const dependencies = dependenciesOf(drafts, checking);
  return drafts.flatMap((draft) => operationOf(draft, dependencies.get(draft) ?? []));
}

/** None where it has a fault that makes it no operation at all; that fault has been reported. */
function operationOf(
  { id, type, region, provider, with: given }: Draft,
  dependsOn: readonly string[],
): BatchOperation[] {
  if (id === undefined || type === undefined) return [];
  return [
    {
      id,
      type,
      ...(region !== undefined && { region }),
      ...(provider !== undefined && { provider }),
      dependsOn,
      softDependsOn: [],
      conditions: [],
      with: given,
    },
  ];
}

function invalid(faults: Fault[]): MillwrightError {
  const ordered = faults.toSorted(
    (one, other) => (one.line ?? 0) - (other.line ?? 0) || (one.column ?? 0) - (other.column ?? 0),
  );
  const [first] = ordered;
  const where = first ? `in line ${first.line}, column ${first.column}: ${first.detail}` : '';
  const message =
    ordered.length === 1
      ? `The batch file has a fault ${where}`
      : `The batch file has ${ordered.length} faults; the first is ${where}`;
  return new MillwrightError('invalid', message, { faults: ordered });
}

import { posix } from 'node:path';
import type { Checking } from './checking.ts';
import type { Given } from './operation.ts';
import { type Where, within } from './report.ts';
import type { Batch } from './spread.ts';
import type { Given as GivenValues } from './variables.ts';

/** How deep batches may lie in each other. */
const deepest = 8;

/** A batch that lies in another, unread. */
interface Nested extends Pick<Batch, 'at' | 'files' | 'depth'> {
  readonly value: unknown;
  readonly given: GivenValues;
}

/** The batch that a `batch.apply` names or holds; undefined where it has none, which has then been told. */
export function nestedIn(given: Given, at: Where, batch: Batch, checking: Checking): Nested | undefined {
  const { report } = checking;
  const inWith = within(at, 'with');
  if (batch.depth === deepest) {
    report.tell(at, `Batches may lie in each other up to ${deepest} deep.`);
    return undefined;
  }
  const { variables } = given;
  const isMapping = typeof variables === 'object' && variables !== null && !Array.isArray(variables);
  const values: GivenValues = {
    values: isMapping ? { ...variables } : {},
    at: (name) => within(inWith, 'variables', name),
    fromRequest: false,
  };
  const common = { given: values, depth: batch.depth + 1 };
  if (typeof given.file === 'string') {
    const opened = openFile(given.file, within(inWith, 'file'), batch, checking);
    return opened && { ...common, ...opened };
  }
  if (typeof given.batch !== 'object' || given.batch === null || Array.isArray(given.batch)) return undefined;
  return { ...common, value: given.batch, at: within(inWith, 'batch'), files: batch.files };
}

function openFile(
  named: string,
  at: Where,
  { files }: Batch,
  { open, report, spelling, files: known }: Checking,
): Pick<Nested, 'value' | 'at' | 'files'> | undefined {
  const before = files.at(-1) ?? '';
  const file = resolved(named, before);
  const source = open(file);
  if (!source) {
    report.tell(at, `${spelling.unknown('file', file, known)} Every file that is named has to come with the request.`);
    return undefined;
  }
  if (files.includes(file)) {
    report.tell(at, `These files lie in themselves: ${[...files.slice(files.indexOf(file)), file].join(' → ')}.`);
    return undefined;
  }
  report.tellSyntax(source);
  if (source.value === undefined) return undefined;
  return { value: source.value, at: { source, path: [], member: at.member }, files: [...files, file] };
}

/** A path as it is from where the batch file lies; `before` is the file that names it. */
const resolved = (named: string, before: string): string => posix.join(posix.dirname(before), named);

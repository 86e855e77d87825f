import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join, posix } from 'node:path';
import { type Format, formatOf, readSource } from '../src/batch/source.ts';
import { MillwrightError } from '../src/errors.ts';
import { readText } from './read-text.ts';

/** A batch file with all that goes with it to the API. */
export interface BatchInput {
  /** What the user calls it, for the faults in it. */
  readonly name: string;
  readonly text: string;
  readonly format: Format;
  readonly variables: Readonly<Record<string, unknown>>;
  /** The files that it names, by their paths from where it lies. */
  readonly includes: ReadonlyMap<string, string>;
}

const mediaTypes = { yaml: 'application/yaml', json: 'application/json', toml: 'application/toml' } as const;

/** The body of a request, and its media type where fetch does not know it by itself. */
export function bodyOfBatch({ name, text, format, variables, includes }: BatchInput): {
  readonly body: string | FormData;
  readonly contentType?: string;
} {
  const contentType = mediaTypes[format];
  if (includes.size === 0 && Object.keys(variables).length === 0) return { body: text, contentType };
  const form = new FormData();
  form.append('file', new Blob([text], { type: contentType }), basename(name));
  form.append('variables', JSON.stringify(variables));
  for (const [path, content] of includes) {
    form.append('include', new Blob([content], { type: mediaTypes[formatOf(path)] }), path);
  }
  return { body: form };
}

interface Given {
  readonly stdin: () => Promise<string>;
  /** Each `name=value`. */
  readonly values: readonly string[];
  /** Names of variables whose values stand in the environment; what `values` says goes before them. */
  readonly named: readonly string[];
  readonly environment: (name: string) => string | undefined;
  /** A file of values; what `values` and `named` say goes before it. */
  readonly valueFile: string | undefined;
}

/** Reads a batch file, `-` for standard input, the files that it names, and values for its variables. */
export async function readBatchInput(file: string, given: Given): Promise<BatchInput> {
  const { values, named, valueFile, environment } = given;
  const isStdin = file === '-';
  const text = isStdin ? await given.stdin() : await readText(file, 'batch file');
  const format = formatOf(file);
  const base = isStdin ? '.' : dirname(file);
  return {
    name: isStdin ? '<stdin>' : file,
    text,
    format,
    variables: {
      ...(valueFile === undefined ? {} : await readValues(valueFile)),
      ...Object.fromEntries(named.map((name) => [name, valueIn(environment, name)])),
      ...Object.fromEntries(values.map(pairOf)),
    },
    includes: await includesOf({ text, format, path: '' }, base),
  };
}

function pairOf(value: string): [string, string] {
  const [, name, text] = /^([^=]+)=(.*)$/s.exec(value) ?? [];
  if (name === undefined || text === undefined)
    throw new MillwrightError('invalid', `--var ${value} cannot be read. It must have the form name=value.`);
  return [name, text];
}

function valueIn(environment: Given['environment'], name: string): string {
  const variable = `MILLWRIGHT_VAR_${name}`;
  const value = environment(variable);
  if (value !== undefined) return value;
  throw new MillwrightError('invalid', `--var-env ${name} has no value. Set it in the environment as ${variable}.`);
}

async function readValues(file: string): Promise<Record<string, unknown>> {
  const { value, faults } = readSource(await readText(file, 'file of variables'), formatOf(file));
  const [fault] = faults;
  if (fault) throw new MillwrightError('invalid', `${file}:${fault.line}:${fault.column}: ${fault.detail}`);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw new MillwrightError('invalid', `${file} is no mapping of variables to their values.`);
}

interface Text {
  readonly text: string;
  readonly format: Format;
  /** From where the batch file lies. */
  readonly path: string;
}

/** Every file that a file names, and those that they name. What cannot be read is left for the API to miss. */
async function includesOf(root: Text, base: string): Promise<Map<string, string>> {
  const includes = new Map<string, string>();
  const waiting = [root];
  for (let file = waiting.pop(); file; file = waiting.pop()) {
    const named = namedIn(readSource(file.text, file.format).value);
    for (const path of await pathsOf(named, posix.dirname(file.path), base)) {
      if (includes.has(path)) continue;
      const text = await readFile(join(base, path), 'utf8').catch(() => undefined);
      if (text === undefined) continue;
      includes.set(path, text);
      waiting.push({ text, format: formatOf(path), path });
    }
  }
  return includes;
}

/** What each `batch.apply` of a batch names, however deep. */
function namedIn(batch: unknown): string[] {
  const { operations }: { operations?: unknown } = Object(batch);
  if (!Array.isArray(operations)) return [];
  return operations.flatMap((operation: unknown) => {
    const { type, with: given }: { type?: unknown; with?: unknown } = Object(operation);
    const { file, batch: inner }: { file?: unknown; batch?: unknown } = type === 'batch.apply' ? Object(given) : {};
    return [...(typeof file === 'string' ? [file] : []), ...namedIn(inner)];
  });
}

/** The paths that names mean; where variables are part of a name, every file that it may come to. */
async function pathsOf(names: readonly string[], from: string, base: string): Promise<string[]> {
  const paths = names.map(async (name) => {
    const path = posix.join(from, name);
    if (!name.includes('${')) return [path];
    const [folder, last] = [posix.dirname(path), posix.basename(path)];
    if (folder.includes('${')) return [];
    const parts = last.split(/\$\{[^}]*\}/).map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));
    const form = new RegExp(`^${parts.join('.*')}$`);
    const files = await readdir(join(base, folder)).catch(() => []);
    return files.filter((file) => form.test(file)).map((file) => posix.join(folder, file));
  });
  return (await Promise.all(paths)).flat();
}

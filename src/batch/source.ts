import type { Locate, Path, Place } from './place.ts';
import { readQuickly } from './quick.ts';
import { type Read, unreadable } from './read.ts';
import { readToml } from './toml.ts';
import { readYaml } from './yaml.ts';

/** JSON is read by whoever reads YAML. */
const formats = ['yaml', 'json', 'toml'] as const;
export type Format = (typeof formats)[number];

/** A file as it was read: its value, and where in the text each part of it stands. */
export interface Source extends Read {
  /** The path by which others name it; undefined for the batch file itself where it has no name. */
  readonly file: string | undefined;
}

const mostBytes = 8 * 1024 * 1024;

export function readSource(given: string, format: Format = 'yaml', file?: string): Source {
  // Of a byte order mark nobody knows, least of all when counting columns.
  const text = given.replace(/^\uFEFF/, '');
  if (Buffer.byteLength(text) > mostBytes)
    return { ...unreadable('The file is larger than 8 MiB. Split it into several batches.'), file };
  return { ...read(text, format), file };
}

function read(text: string, format: Format): Read {
  if (format === 'toml') return readToml(text);
  const value = readQuickly(text);
  if (value === undefined) return readYaml(text);
  // Most files have no fault, and need no places.
  let places: Locate | undefined;
  const place = (path: Path, at?: 'key' | 'value'): Place => {
    places ??= readYaml(text).place;
    return places(path, at);
  };
  return { value, faults: [], place };
}

/** A file's format, from its name. */
export const formatOf = (file: string): Format =>
  file.endsWith('.toml') ? 'toml' : file.endsWith('.json') ? 'json' : 'yaml';

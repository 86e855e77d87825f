import { readFile } from 'node:fs/promises';
import { MillwrightError } from '../src/errors.ts';
import type { Io } from './output.ts';

/** A file that the user names; `-` is standard input. */
export async function readText(file: string, io: Io): Promise<string> {
  if (file === '-') return await io.input();
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const why =
      cause instanceof Error && 'code' in cause && cause.code === 'ENOENT' ? 'there is no such file' : String(cause);
    throw new MillwrightError('invalid', `The file ${file} cannot be read: ${why}.`, { cause });
  }
}

import { readFile } from 'node:fs/promises';
import { MillwrightError } from '../src/errors.ts';

/** The text of a file that the user names; `what` is what it should be. */
export async function readText(file: string, what: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const why =
      cause instanceof Error && 'code' in cause && cause.code === 'ENOENT' ? 'there is no such file' : String(cause);
    throw new MillwrightError('invalid', `The ${what} ${file} cannot be read: ${why}.`, { cause });
  }
}

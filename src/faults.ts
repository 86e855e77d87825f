import type { z } from 'zod';
import type { Fault } from './errors.ts';

type Issue = z.core.$ZodIssue;

/** RFC 6901: `~` and `/` inside a key are escaped. */
export const pointerOf = (path: readonly PropertyKey[]): string =>
  path.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

/** Every fault that zod found, each unknown key one of its own. */
export function faultsOf(error: z.core.$ZodError): Fault[] {
  return error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({
          pointer: pointerOf([...issue.path, key]),
          detail: `There is no field "${key}" here.`,
        }))
      : [{ pointer: pointerOf(issue.path), detail: sentence(issue) }],
  );
}

function sentence(issue: Issue): string {
  return /[.?]$/.test(issue.message) ? issue.message : `${issue.message}.`;
}

import type { Context } from 'hono';
import { type Fault, MillwrightError } from '../src/errors.ts';
import { jsonFault } from '../src/json-fault.ts';

/** What a body that is not JSON is refused with: where it stops being JSON, and nothing of what it holds. */
export function malformed(text: string): Fault | undefined {
  const fault = jsonFault(text);
  if (!fault) return undefined;
  const { line, column, expected } = fault;
  return {
    pointer: '',
    detail: `The body is not JSON: at line ${line}, column ${column}, expected ${expected}.`,
    line,
    column,
  };
}

/** The body as JSON. Throws `invalid`. */
export async function readJson({ req }: Context): Promise<unknown> {
  const text = await req.text();
  try {
    return JSON.parse(text);
  } catch {
    throw notJson(text);
  }
}

/** Without a cause: an engine's own message quotes the text. */
export function notJson(text: string): MillwrightError {
  const fault = malformed(text);
  return new MillwrightError('invalid', fault?.detail ?? 'The body is not JSON.', { faults: fault ? [fault] : [] });
}

const jsonType = /^application\/([\w.-]+\+)?json$/;
/** Names that YAML had before RFC 9512. */
const olderNames: Readonly<Record<string, string>> = {
  'application/x-yaml': 'application/yaml',
  'text/yaml': 'application/yaml',
  'text/x-yaml': 'application/yaml',
};

/** A media type without its parameters, under the name that contracts have for it. */
export function mediaTypeOf(header: string | null | undefined): string {
  const type = (header ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  return jsonType.test(type) ? 'application/json' : (olderNames[type] ?? type);
}

/** Throws `unsupported_media_type` where there is a body of a type that is not among these. */
export function assertMediaType({ req }: Context, taken: readonly string[]): void {
  const header = req.header('content-type');
  const empty = (req.header('content-length') ?? '0') === '0' && req.header('transfer-encoding') === undefined;
  if (header === undefined ? empty : taken.includes(mediaTypeOf(header))) return;
  const given =
    header === undefined ? 'The body has no Content-Type.' : 'The body is of a media type that is not taken here.';
  throw new MillwrightError('unsupported_media_type', `${given} Send it as ${taken.join(', or as ')}.`);
}

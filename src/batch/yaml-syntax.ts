import { type Document, type ErrorCode, isMap, isPair, isScalar, isSeq, type LineCounter, type YAMLError } from 'yaml';
import type { Fault } from '../errors.ts';
import { placeOf } from './place.ts';

/** What is wrong with a text as YAML; the first fault of each line, as others on it follow from that. */
export function faultsOfSyntax(
  document: Document.Parsed,
  second: Document.Parsed | undefined,
  lines: LineCounter,
): Fault[] {
  const found = [...document.errors, ...document.warnings].map((error) => ({
    offset: offsetOf(error, document),
    detail: sentence(error),
    swallowsRest: isUnclosedQuote(error),
  }));
  const add = (offset: number, detail: string) => found.push({ offset, detail, swallowsRest: false });
  if (document.directives.yaml.version !== '1.2') add(0, 'Expected YAML 1.2. Remove the %YAML line.');
  if (second) add(second.range[0], 'A second document begins here. Expected one in a file: write two files.');

  const byLine = new Map<number, Fault>();
  for (const { offset, detail, swallowsRest } of found.sort((one, other) => one.offset - other.offset)) {
    const place = placeOf(offset, lines);
    if (!byLine.has(place.line)) byLine.set(place.line, { pointer: '', detail, ...place });
    if (swallowsRest) break;
  }
  return [...byLine.values()];
}

const isUnclosedQuote = ({ code, message }: YAMLError): boolean =>
  code === 'MISSING_CHAR' && message.startsWith('Missing closing');

/** The parser sees a quote that is never closed at the end of the text; it is to be mended where it opens. */
function offsetOf(error: YAMLError, document: Document.Parsed): number {
  const [offset] = error.pos;
  if (!isUnclosedQuote(error)) return offset;
  let last: unknown = document.contents;
  while (isMap(last) || isSeq(last)) {
    const item: unknown = last.items.at(-1);
    last = isPair(item) ? (item.value ?? item.key) : item;
  }
  return isScalar(last) && last.range ? last.range[0] : offset;
}

const sentences: Partial<Record<ErrorCode, string>> = {
  BAD_DIRECTIVE: 'Lines that begin with "%" are not supported. Remove this one.',
  BAD_DQ_ESCAPE: 'There is no such escape in double quotes. Write \\\\ for a backslash, or use single quotes.',
  BAD_SCALAR_START: 'Text cannot begin with this character. Put it in quotes.',
  BLOCK_AS_IMPLICIT_KEY: 'A second ": " in one line. Put text that has ": " in it in quotes.',
  MULTILINE_IMPLICIT_KEY: 'Expected "key: value"; there is no ":" behind this key.',
  RESOURCE_EXHAUSTION: 'Nested too deeply.',
  TAB_AS_INDENT: 'A tab indents this line. Expected spaces.',
  TAG_RESOLVE_FAILED: 'Tags ("!…") are not supported. Remove it.',
};

function sentence(error: YAMLError): string {
  const { code, message } = error;
  if (isUnclosedQuote(error)) return 'The quote that opens here is never closed.';
  if (code === 'BAD_INDENT') {
    return message.startsWith('Flow')
      ? 'A "[" or "{" before this line is not closed, or this line is not indented as part of it.'
      : 'This line is indented otherwise than the lines it belongs to.';
  }
  return sentences[code] ?? `This is not YAML: ${message}.`;
}

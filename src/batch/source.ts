import { Composer, type Document, isScalar, Lexer, LineCounter, Parser } from 'yaml';
import type { Fault } from '../errors.ts';
import { type Locate, type Place, placer } from './place.ts';
import { Reader, Unreadable } from './reader.ts';
import { faultsOfSyntax } from './syntax.ts';

/** A file as it was read: its value, and where in the text each part of it stands. */
export interface Source {
  readonly value: unknown;
  /** What is wrong with it whatever it says. Where `value` is undefined, nothing more can be found. */
  readonly faults: readonly Fault[];
  readonly place: Locate;
}

const mostBytes = 8 * 1024 * 1024;
/** Lexemes cost some half a KiB each: this many are what 10,000 operations may need, and no more than a process can hold. */
const mostLexemes = 2_000_000;

const start: Place = { line: 1, column: 1 };

/** Reads YAML 1.2 as far as JSON's values go: no tags of one's own, no merge keys, one document. */
export function readSource(file: string): Source {
  // Of a byte order mark nobody knows, least of all when counting columns.
  const text = file.replace(/^\uFEFF/, '');
  const lines = new LineCounter();
  const unreadable = (...faults: Fault[]): Source => ({ value: undefined, faults, place: () => start });
  const refused = (detail: string): Source => unreadable({ pointer: '', detail, ...start });

  if (Buffer.byteLength(text) > mostBytes)
    return refused('The file is larger than 8 MiB. Split it into several batches.');
  const [document, second] = compose(text, lines) ?? [];
  if (!document)
    return refused(`The file has more than ${mostLexemes} words and signs. Split it into several batches.`);
  const syntax = faultsOfSyntax(document, second, lines);
  if (syntax.length > 0) return unreadable(...syntax);
  if (!document.contents || (isScalar(document.contents) && document.contents.value === null)) {
    return refused('The file is empty. Expected a mapping with "name" and "operations".');
  }
  const reader = new Reader(lines);
  try {
    const value = reader.read(document.contents, []);
    return { value, faults: reader.faults, place: placer(document.contents, reader.targets, lines) };
  } catch (error) {
    if (error instanceof Unreadable) return unreadable(...reader.faults, error.fault);
    throw error;
  }
}

/** The first two documents; undefined for a text of too many lexemes. */
function compose(text: string, lines: LineCounter): Document.Parsed[] | undefined {
  let lexemes = 0;
  const parser = new Parser(lines.addNewLine);
  lines.addNewLine(0);
  function* tokens() {
    for (const lexeme of new Lexer().lex(text)) {
      lexemes += 1;
      if (lexemes > mostLexemes) return;
      yield* parser.next(lexeme);
    }
    yield* parser.end();
  }
  const composer = new Composer({
    version: '1.2',
    schema: 'core',
    merge: false,
    uniqueKeys: false,
    resolveKnownTags: false,
  });
  const documents: Document.Parsed[] = [];
  for (const document of composer.compose(tokens(), true, text.length)) {
    documents.push(document);
    if (documents.length === 2) break;
  }
  return lexemes > mostLexemes ? undefined : documents;
}

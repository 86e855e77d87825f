import { Composer, type Document, isScalar, Lexer, LineCounter, Parser } from 'yaml';
import { placer } from './place.ts';
import { emptyFile, nowhere, type Read, Unreadable, unreadable } from './read.ts';
import { Reader } from './yaml-reader.ts';
import { faultsOfSyntax } from './yaml-syntax.ts';

/** Lexemes cost some half a KiB each: this many are what 10,000 operations may need, and no more than a process can hold. */
const mostLexemes = 2_000_000;

/** Reads YAML 1.2 as far as JSON's values go: no tags of one's own, no merge keys, one document. */
export function readYaml(text: string): Read {
  const lines = new LineCounter();
  const [document, second] = compose(text, lines) ?? [];
  if (!document)
    return unreadable(`The file has more than ${mostLexemes} words and signs. Split it into several batches.`);
  const syntax = faultsOfSyntax(document, second, lines);
  if (syntax.length > 0) return { value: undefined, faults: syntax, place: nowhere };
  const { contents } = document;
  if (!contents || (isScalar(contents) && contents.value === null)) return unreadable(emptyFile);
  const reader = new Reader(lines);
  try {
    const value = reader.read(contents, []);
    return { value, faults: reader.faults, place: placer(contents, reader.targets, lines) };
  } catch (error) {
    if (error instanceof Unreadable)
      return { value: undefined, faults: [...reader.faults, error.fault], place: nowhere };
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

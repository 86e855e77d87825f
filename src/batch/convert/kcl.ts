import type { Locate, Path, Place } from '../place.ts';
import { deepest, emptyFile, nowhere, type Read, Unreadable, unreadable } from '../read.ts';

/**
 * Reads what KCL files hold of plain values: `name = "x"`, `key: Type = { … }`, `Type { … }`, lists, texts, numbers, True,
 * False and None. Imports and the names of types are passed over. Anything that would have to be computed is a fault.
 */
export function readKcl(text: string): Read {
  try {
    const reader = new KclReader(tokensOf(text));
    const value = reader.file();
    if (Object.keys(value).length === 0) return unreadable(emptyFile);
    return { value, faults: [], place: placer(reader.places) };
  } catch (error) {
    if (error instanceof Unreadable) return { value: undefined, faults: [error.fault], place: nowhere };
    throw error;
  }
}

interface Token extends Place {
  readonly kind: 'name' | 'text' | 'number' | 'sign' | 'line' | 'end';
  readonly raw: string;
}

const token =
  /(?<space>(?:[ \t\r]|\\\n)+|#[^\n]*)|(?<line>\n)|(?<text>"""[\s\S]*?"""|'''[\s\S]*?'''|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|(?<number>[+-]?\d[\w.]*)|(?<name>[A-Za-z_$][\w.]*)|(?<sign>[{}[\],:=])/y;

function fault(detail: string, { line, column }: Place): Unreadable {
  return new Unreadable({ pointer: '', detail, line, column });
}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  let [line, lineStart] = [1, 0];
  token.lastIndex = 0;
  while (token.lastIndex < text.length) {
    const at = token.lastIndex;
    const place = { line, column: at - lineStart + 1 };
    const found = token.exec(text);
    if (!found?.groups)
      throw fault(`Only plain values are read; found "${text.slice(at, at + 20).split('\n')[0]}".`, place);
    const [kind, raw = ''] = Object.entries(found.groups).find(([, part]) => part !== undefined) ?? [];
    if (kind !== 'space') tokens.push({ kind: kindOf(kind), raw, ...place });
    for (let next = raw.indexOf('\n'); next >= 0; next = raw.indexOf('\n', next + 1)) {
      line += 1;
      lineStart = at + next + 1;
    }
  }
  return [...tokens, { kind: 'end', raw: 'the end of the file', line, column: text.length - lineStart + 1 }];
}

const kinds = ['name', 'text', 'number', 'sign', 'line'] as const;
const kindOf = (name: string | undefined): Token['kind'] => kinds.find((kind) => kind === name) ?? 'end';

/** A name that stands where a value should: a type's, if `=` follows, else something that would have to be computed. */
class Bare {
  readonly token: Token;
  constructor(token: Token) {
    this.token = token;
  }
}

class KclReader {
  readonly places = new Map<string, Place>();
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  file(): Record<string, unknown> {
    const value: Record<string, unknown> = {};
    for (;;) {
      this.#passLines();
      if (this.#now.kind === 'end') return value;
      if (this.#now.raw === 'import') {
        while (!this.#atLineEnd) this.#at += 1;
        continue;
      }
      this.#pair(value, []);
    }
  }

  get #now(): Token {
    const now = this.#tokens[this.#at] ?? this.#tokens.at(-1);
    if (!now) throw new Error('no tokens');
    return now;
  }

  get #atLineEnd(): boolean {
    const { kind } = this.#now;
    return kind === 'line' || kind === 'end';
  }

  #passLines(): void {
    while (this.#now.kind === 'line' || this.#now.raw === ',') this.#at += 1;
  }

  #take(raw: string): boolean {
    if (this.#now.kind !== 'sign' || this.#now.raw !== raw) return false;
    this.#at += 1;
    return true;
  }

  #expected(what: string): Unreadable {
    const { kind, raw } = this.#now;
    return fault(
      `Expected ${what}; found ${kind === 'end' ? raw : kind === 'line' ? 'the end of the line' : `"${raw}"`}.`,
      this.#now,
    );
  }

  #pair(into: Record<string, unknown>, before: Path): void {
    const key = this.#now;
    if (key.kind !== 'name' && key.kind !== 'text') throw this.#expected('a name and its value');
    this.#at += 1;
    const name = key.kind === 'text' ? textOf(key) : key.raw;
    if (name === '__proto__') throw fault('A key cannot have this name.', key);
    const path = [...before, name];
    this.places.set(spelled(path), key);
    const colon = this.#take(':');
    if (!colon && !this.#take('=')) throw this.#expected(`"=" after "${name}"`);
    let value = this.#value(path);
    if (colon && this.#take('=')) value = this.#value(path);
    into[name] = plain(value);
    const { kind, raw } = this.#now;
    if (kind !== 'line' && kind !== 'end' && raw !== ',' && raw !== '}')
      throw fault(`Only plain values are read; found "${raw}" after the value of "${name}".`, this.#now);
  }

  #value(path: Path): unknown {
    const now = this.#now;
    if (path.length > deepest) throw fault(`Nested more than ${deepest} levels deep.`, now);
    this.#at += 1;
    switch (now.kind) {
      case 'text':
        return textOf(now);
      case 'number':
        return numberOf(now);
      case 'name':
        if (Object.hasOwn(words, now.raw)) return words[now.raw];
        return this.#take('{') ? this.#mapping(path) : new Bare(now);
      case 'sign':
        if (now.raw === '{') return this.#mapping(path);
        if (now.raw === '[') return this.#list(path);
    }
    this.#at -= 1;
    throw this.#expected('a value');
  }

  #mapping(path: Path): Record<string, unknown> {
    const value: Record<string, unknown> = {};
    for (;;) {
      this.#passLines();
      if (this.#take('}')) return value;
      this.#pair(value, path);
    }
  }

  #list(path: Path): unknown[] {
    const items: unknown[] = [];
    for (;;) {
      this.#passLines();
      if (this.#take(']')) return items;
      const own = [...path, items.length];
      this.places.set(spelled(own), this.#now);
      items.push(this.#value(own));
      const { kind, raw } = this.#now;
      if (kind !== 'line' && raw !== ',' && raw !== ']')
        throw fault(`Only plain values are read; found "${raw}".`, this.#now);
    }
  }
}

const words: Readonly<Record<string, unknown>> = {
  True: true,
  False: false,
  None: null,
  Undefined: null,
  true: true,
  false: false,
};

function plain(value: unknown): unknown {
  if (value instanceof Bare)
    throw fault(`Only plain values are read; "${value.token.raw}" would have to be looked up.`, value.token);
  if (Array.isArray(value)) for (const item of value) plain(item);
  return value;
}

function textOf(of: Token): string {
  const { raw } = of;
  const quotes = raw.startsWith('"""') || raw.startsWith("'''") ? 3 : 1;
  const text = raw.slice(quotes, -quotes);
  if (/\$\{/.test(text)) throw fault('A text with a reference in it would have to be computed.', of);
  return text.replaceAll(/\\(.)/gs, (_, sign: string) => escapes[sign] ?? sign);
}
const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '0': '\0' };

function numberOf(of: Token): number {
  const value = Number(of.raw.replaceAll('_', ''));
  if (Number.isNaN(value)) throw fault(`"${of.raw}" is not a plain number.`, of);
  return value;
}

const spelled = (path: Path): string => JSON.stringify(path.map(String));

/** Finds places by path; for what is not there, its parent's. */
const placer =
  (places: ReadonlyMap<string, Place>): Locate =>
  (path) => {
    for (let length = path.length; length > 0; length -= 1) {
      const place = places.get(spelled(path.slice(0, length)));
      if (place) return { line: place.line, column: place.column };
    }
    return { line: 1, column: 1 };
  };

/** Where a text stops being JSON, both from 1, and what belongs there. Nothing of the text itself: it may hold secrets. */
export interface JsonFault {
  readonly line: number;
  readonly column: number;
  readonly expected: string;
}

/** What is to come next. */
type Next = 'value' | 'value or end' | 'name' | 'name or end' | 'colon' | 'comma or end' | 'nothing';

const scalar = /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)/y;
const escaped = /\\(?:["\\/bfnrt]|u[\dA-Fa-f]{4})/y;
/** Of what is nested deeper nobody has to be told where it ends. */
const deepest = 10_000;

/** The first fault of a text that is not JSON (RFC 8259); undefined where it has none. */
export function jsonFault(text: string): JsonFault | undefined {
  const fault = new Reader(text).read();
  if (!fault) return undefined;
  const before = text.slice(0, fault.at);
  const line = before.split('\n').length;
  return { line, column: fault.at - before.lastIndexOf('\n'), expected: fault.expected };
}

interface At {
  readonly at: number;
  readonly expected: string;
}

/** Goes through a text without recursion, so that none is nested too deep for it. */
class Reader {
  readonly #text: string;
  /** What ends each object and array that is open. */
  readonly #open: ('}' | ']')[] = [];
  #at = 0;
  #next: Next = 'value';

  constructor(text: string) {
    this.#text = text;
  }

  read(): At | undefined {
    for (;;) {
      while (' \t\n\r'.includes(this.#text[this.#at] ?? 'end')) this.#at++;
      if (this.#next === 'nothing' && this.#at === this.#text.length) return undefined;
      const fault = this.#step(this.#text[this.#at]);
      if (fault) return fault;
    }
  }

  #step(char: string | undefined): At | undefined {
    const end = this.#open.at(-1);
    const mayEnd = this.#next.endsWith('or end');
    if (mayEnd && char !== undefined && char === end) {
      this.#open.pop();
      return this.#pass('after');
    }
    switch (this.#next) {
      case 'value':
      case 'value or end':
        return this.#value(char, mayEnd);
      case 'name':
      case 'name or end':
        return char === '"'
          ? this.#string('colon')
          : this.#expected(`a name in double quotes${mayEnd ? ', or "}"' : ''}`);
      case 'colon':
        return char === ':' ? this.#pass('value') : this.#expected('":"');
      case 'comma or end':
        return char === ',' ? this.#pass(end === '}' ? 'name' : 'value') : this.#expected(`"," or "${end}"`);
      case 'nothing':
        return this.#expected('nothing more: the value has ended');
    }
  }

  #value(char: string | undefined, mayEnd: boolean): At | undefined {
    if (char === '{' || char === '[') {
      if (this.#open.push(char === '{' ? '}' : ']') > deepest) return this.#expected('less that is nested');
      return this.#pass(char === '{' ? 'name or end' : 'value or end');
    }
    if (char === '"') return this.#string('after');
    const length = this.#match(scalar);
    return length > 0
      ? this.#pass('after', length)
      : this.#expected(
          `an object, an array, a string in double quotes, a number, true, false or null${mayEnd ? ', or "]"' : ''}`,
        );
  }

  #string(next: Next | 'after'): At | undefined {
    for (this.#at++; ; ) {
      const char = this.#text[this.#at];
      if (char === undefined) return this.#expected('the double quote that ends this string');
      if (char === '"') return this.#pass(next);
      if (char < ' ')
        return this.#expected('an escape like \\n: a string has no line break or other control character');
      const length = char === '\\' ? this.#match(escaped) : 1;
      if (length === 0)
        return this.#expected('an escape: \\" \\\\ \\/ \\b \\f \\n \\r \\t, or \\u and four hexadecimal digits');
      this.#at += length;
    }
  }

  #match(pattern: RegExp): number {
    pattern.lastIndex = this.#at;
    return pattern.exec(this.#text)?.[0].length ?? 0;
  }

  #pass(next: Next | 'after', length = 1): undefined {
    this.#at += length;
    this.#next = next !== 'after' ? next : this.#open.length > 0 ? 'comma or end' : 'nothing';
  }

  #expected(expected: string): At {
    return { at: this.#at, expected };
  }
}

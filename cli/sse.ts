/** One message of a stream of server-sent events. */
interface ServerSentEvent {
  /** The last id that the stream has given, this message's or an earlier one's. */
  readonly id: string | undefined;
  /** Undefined: it only moves the id on. */
  readonly data: string | undefined;
}

/** Reads server-sent events (WHATWG HTML, section 9.2.6) from text in pieces. A message without its blank line is dropped. */
export async function* readEvents(pieces: AsyncIterable<string>): AsyncGenerator<ServerSentEvent> {
  let id: string | undefined;
  let given: string | undefined;
  let data: string[] = [];
  for await (const line of linesOf(pieces)) {
    if (line === '') {
      if (data.length > 0) yield { id, data: data.join('\n') };
      else if (id !== given) yield { id, data: undefined };
      given = id;
      data = [];
      continue;
    }
    const [field, value] = splitField(line);
    if (field === 'data') data.push(value);
    else if (field === 'id') id = value;
  }
}

async function* linesOf(pieces: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = '';
  for await (const piece of pieces) {
    const lines = (rest + piece).split(/\r?\n/);
    rest = lines.pop() ?? '';
    yield* lines;
  }
}

function splitField(line: string): [field: string, value: string] {
  const colon = line.indexOf(':');
  if (colon < 0) return [line, ''];
  return [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, '')];
}

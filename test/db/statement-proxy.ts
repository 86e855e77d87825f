import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** One execution of a statement, as it went over the wire (PostgreSQL documentation, 54.7, "Message Formats"). */
interface SentStatement {
  readonly text: string;
  /** OIDs as the client declared them; 0 where it left the type to the server. */
  readonly types: readonly number[];
  /** In text form. */
  readonly parameters: readonly (string | null)[];
}

export interface StatementProxy {
  readonly port: number;
  readonly sent: readonly SentStatement[];
  stop(): Promise<void>;
}

/** Stands between any release of Millwright and its database, and writes down every statement that is executed. */
export async function startStatementProxy(target: { host: string; port: number }): Promise<StatementProxy> {
  const sent: SentStatement[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(target);
    const read = createReader((statement) => sent.push(statement));
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        client.destroy();
        upstream.destroy();
        sockets.delete(socket);
      });
    }
    client.on('data', (data) => {
      read(data);
      upstream.write(data);
    });
    upstream.on('data', (data) => client.write(data));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    sent,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

interface Prepared {
  readonly text: string;
  readonly types: readonly number[];
}

/** Takes the frontend's bytes as they come, and tells each execution. The first message has no type byte. */
function createReader(tell: (statement: SentStatement) => void): (data: Buffer) => void {
  const prepared = new Map<string, Prepared>();
  let waiting = Buffer.alloc(0);
  let started = false;

  function message(type: string, body: Buffer): void {
    if (type === 'Q') tell({ text: textAt(body, 0).text, types: [], parameters: [] });
    if (type === 'P') {
      const name = textAt(body, 0);
      const query = textAt(body, name.next);
      const count = body.readInt16BE(query.next);
      const types = Array.from({ length: count }, (_, index) => body.readInt32BE(query.next + 2 + 4 * index));
      prepared.set(name.text, { text: query.text, types });
    }
    if (type === 'B') {
      const statement = textAt(body, textAt(body, 0).next);
      const known = prepared.get(statement.text);
      if (known) tell({ ...known, parameters: parametersAt(body, statement.next) });
    }
  }

  return (data) => {
    waiting = Buffer.concat([waiting, data]);
    for (;;) {
      const head = started ? 1 : 0;
      if (waiting.length < head + 4) return;
      const length = head + waiting.readInt32BE(head);
      if (waiting.length < length) return;
      if (started) message(waiting.toString('latin1', 0, 1), waiting.subarray(5, length));
      started = true;
      waiting = waiting.subarray(length);
    }
  };
}

function textAt(body: Buffer, from: number): { text: string; next: number } {
  const end = body.indexOf(0, from);
  return { text: body.toString('utf8', from, end), next: end + 1 };
}

function parametersAt(body: Buffer, from: number): (string | null)[] {
  let at = from + 2 + 2 * body.readInt16BE(from);
  const count = body.readInt16BE(at);
  at += 2;
  return Array.from({ length: count }, () => {
    const length = body.readInt32BE(at);
    at += 4;
    if (length < 0) return null;
    at += length;
    return body.toString('utf8', at - length, at);
  });
}

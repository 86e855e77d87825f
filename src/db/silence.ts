import { connect, type NetConnectOpts, type Socket } from 'node:net';

/**
 * Notices a PostgreSQL that takes connections and never answers: frozen, or behind a network that swallows everything.
 * Its own timeouts do not end such a wait, and TCP sees nothing wrong for a quarter of an hour.
 */
export interface SilenceWatch {
  /**
   * A connection that is watched; never throws. `closed` is called before anybody else hears that it is. `encrypted` makes
   * of it what is written to in clear; how long that takes is watched too.
   */
  open(
    address: NetConnectOpts,
    closed?: () => void,
    encrypted?: (socket: Socket) => Promise<Socket>,
  ): Socket | Promise<Socket>;
  /** Ends the watch, and every connection at once that is still open. */
  cutOff(): void;
}

interface SilenceLimits {
  /** How long an answer may take, and what begins a connection. */
  readonly answerMs: number;
  readonly connectMs: number;
}

const tickMs = 250;

/** `silent` is called, once, when a connection has waited for longer than it may. */
export function watchSilence({ answerMs, connectMs }: SilenceLimits, silent: () => void): SilenceWatch {
  const watched = new Map<Socket, Conversation>();
  // Counted in ticks: where this process itself stood still, what came in meanwhile is heard before it counts again.
  const timer = setInterval(() => {
    const waits = [...watched.values()].map((conversation) => conversation.tick());
    if (!waits.some(({ ticks, begun }) => ticks * tickMs > (begun ? answerMs : connectMs))) return;
    clearInterval(timer);
    silent();
  }, tickMs);
  timer.unref();
  return {
    open: (address, closed, encrypted) => {
      const socket = connect(address);
      const conversation = new Conversation();
      watched.set(socket, conversation);
      socket.on('close', () => {
        watched.delete(socket);
        closed?.();
      });
      if (!encrypted) return listened(socket, conversation);
      conversation.awaited();
      return encrypted(socket).then((clear) => listened(clear, conversation));
    },
    cutOff: () => {
      clearInterval(timer);
      for (const socket of watched.keys()) socket.destroy();
    },
  };
}

/** Tells the conversation what goes over its connection, in clear. */
function listened(socket: Socket, conversation: Conversation): Socket {
  socket.write = new Proxy(socket.write, {
    apply: (write, self, parameters: unknown[]) => {
      const [messages] = parameters;
      if (Buffer.isBuffer(messages)) conversation.asked(messages);
      return Reflect.apply(write, self, parameters);
    },
  });
  socket.on('data', (data) => conversation.answered(data));
  return socket;
}

/** Message types that are answered: Sync and Query by ReadyForQuery, Flush by whatever is ready. */
const sync = 'S'.charCodeAt(0);
const query = 'Q'.charCodeAt(0);
const flush = 'H'.charCodeAt(0);
const readyForQuery = 'Z'.charCodeAt(0);

/** What one connection has asked and not been answered (PostgreSQL documentation, 54.2 "Message Flow", 54.7 "Message Formats"). */
class Conversation {
  #started = false;
  #begun = false;
  /** How many ReadyForQuery are to come. */
  #due = 0;
  #flushed = false;
  #ticks = 0;
  /** Of the message that is coming in: its first five bytes, then how many of it are still to come. */
  #head: Buffer = Buffer.alloc(0);
  #left = 0;

  /** Something is to come before the client's first message. */
  awaited(): void {
    this.#due = 1;
  }

  /** Whole messages, as the client writes them; the first of all has no type, and begins the connection. */
  asked(messages: Buffer): void {
    let at = 0;
    if (!this.#started) {
      this.#started = true;
      this.#due = 1;
      at = messages.readUInt32BE(0);
    }
    for (; at + 5 <= messages.length; at += 1 + messages.readUInt32BE(at + 1)) {
      const type = messages[at];
      if (type === sync || type === query) this.#due += 1;
      if (type === flush) this.#flushed = true;
    }
  }

  /** Bytes, cut anywhere. */
  answered(bytes: Buffer): void {
    this.#ticks = 0;
    this.#flushed = false;
    for (let at = 0; at < bytes.length; ) {
      if (this.#left > 0) {
        const taken = Math.min(this.#left, bytes.length - at);
        this.#left -= taken;
        at += taken;
        continue;
      }
      const part = bytes.subarray(at, at + 5 - this.#head.length);
      this.#head = this.#head.length === 0 ? part : Buffer.concat([this.#head, part]);
      at += part.length;
      if (this.#head.length < 5) return;
      if (this.#head[0] === readyForQuery) {
        this.#due -= 1;
        this.#begun = true;
      }
      this.#left = this.#head.readUInt32BE(1) - 4;
      this.#head = Buffer.alloc(0);
    }
  }

  /** How many ticks it has waited for an answer. `begun`: the connection can be used. */
  tick(): { readonly ticks: number; readonly begun: boolean } {
    this.#ticks = this.#due > 0 || this.#flushed ? this.#ticks + 1 : 0;
    return { ticks: this.#ticks, begun: this.#begun };
  }
}

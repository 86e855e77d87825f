import { styleText } from 'node:util';

/** A screen that can be redrawn in place. */
export interface Terminal {
  readonly columns: number;
  readonly rows: number;
  hideCursor(): void;
  /** Puts the cursor back; called by itself when the process ends in the meantime. */
  showCursor(): void;
}

/** Where commands write: data to `out`, talk to `err`. Nothing else in the command line writes. */
export interface Io {
  out(text: string): void;
  err(text: string): void;
  /** Set where talk goes to a terminal. */
  readonly terminal: Terminal | undefined;
  /** All of standard input. */
  input(): Promise<string>;
  /** Asks whoever sits at the terminal, and gives the line typed; set only where somebody does. */
  readonly ask?: ((question: string) => Promise<string>) | undefined;
}

const hide = '\u001b[?25l';
const show = '\u001b[?25h';

/** The streams of this process. A reader of the data that goes away early (`| head`) ends it quietly. */
export function processIo(): Io {
  if (process.stdout.listenerCount('error') === 0) process.stdout.on('error', endWithReader);
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    terminal: process.stderr.isTTY ? processTerminal() : undefined,
    async input() {
      process.stdin.setEncoding('utf8');
      let text = '';
      for await (const chunk of process.stdin) text += chunk;
      return text;
    },
    ask: process.stdin.isTTY && process.stderr.isTTY ? askAtTerminal : undefined,
  };
}

async function askAtTerminal(question: string): Promise<string> {
  const { createInterface } = await import('node:readline/promises');
  // The terminal's own line editing: Ctrl-C then ends the program as ever.
  const lines = createInterface({ input: process.stdin, output: process.stderr, terminal: false });
  // Ctrl-D is no answer.
  const closed = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
  try {
    return await Promise.race([lines.question(question), closed]);
  } finally {
    lines.close();
  }
}

function endWithReader(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
}

function processTerminal(): Terminal {
  const restore = (): void => void process.stderr.write(show);
  return {
    get columns() {
      return process.stderr.columns || 80;
    },
    get rows() {
      return process.stderr.rows || 24;
    },
    hideCursor() {
      process.once('exit', restore);
      process.stderr.write(hide);
    },
    showCursor() {
      process.off('exit', restore);
      restore();
    },
  };
}

type Style = 'red' | 'green' | 'yellow' | 'dim';
export type Paint = (style: Style, text: string) => string;

/** Colours where talk goes to a terminal, unless NO_COLOR is set (https://no-color.org). */
export function painter(io: Io, noColor: string | undefined): Paint {
  if (!io.terminal || noColor) return (_, text) => text;
  return (style, text) => styleText(style, text, { validateStream: false });
}

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { onTestFinished } from 'vitest';
import { identityCommands, tenantCommands, workerList } from '../../cli/commands/index.ts';
import type { CliContext, Patience } from '../../cli/context.ts';
import type { Io, Terminal } from '../../cli/output.ts';
import { run } from '../../cli/run.ts';
import { readConfig } from '../../src/config/index.ts';

interface Circumstances {
  readonly env?: Readonly<Record<string, string>>;
  readonly terminal?: Terminal;
  readonly input?: string;
  /** What whoever sits at the terminal answers; nobody does where it is left out. */
  readonly answer?: string;
  readonly patience?: Partial<Patience>;
  /** Ctrl-C. */
  readonly interrupt?: AbortSignal;
  /** Called with all that has been said on standard error so far, whenever something is. */
  readonly onTalk?: (err: string) => void;
}

interface Result {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs the command line in this process, with streams of its own. */
export async function millwright(words: readonly string[], circumstances: Circumstances = {}): Promise<Result> {
  const { env = {}, terminal, input = '', answer, patience, interrupt, onTalk } = circumstances;
  let [out, err] = ['', ''];
  const io: Io = {
    out(text) {
      out += text;
    },
    err(text) {
      err += text;
      onTalk?.(err);
    },
    terminal,
    input: async () => input,
    ...(answer === undefined
      ? {}
      : {
          async ask(question: string) {
            err += question;
            return answer;
          },
        }),
  };
  const context: CliContext = {
    io,
    readConfig: ({ home }) => readConfig({ ...env, ...(home ? { MILLWRIGHT_HOME: home } : {}) }),
    environment: (name) => env[name],
    catchInterrupt: () => interrupt ?? new AbortController().signal,
    patience: { firstPauseMs: 1, requestMs: 2000, followMs: 2000, stillMs: 20, ...patience },
  };
  const program = new Command('millwright');
  for (const command of [...tenantCommands(() => context), ...identityCommands(() => context)])
    program.addCommand(command);
  program.addCommand(new Command('worker').addCommand(workerList(() => context)));
  const code = await run(program, ['node', 'millwright', ...words], () => io);
  return { code, out, err };
}

/** As whoever has the token of this API. */
export const millwrightAt = (
  { url, token }: { readonly url: string; readonly token: string },
  words: readonly string[],
) => millwright(words, { env: { MILLWRIGHT_URL: url, MILLWRIGHT_TOKEN: token } });

/** The environment that points at an API. */
export const at = (url: string) => ({ MILLWRIGHT_URL: url, MILLWRIGHT_TOKEN: 'secret' });

/** A directory of the running test's own. */
export function emptyHome(): string {
  const home = mkdtempSync(join(tmpdir(), 'millwright-cli-'));
  onTestFinished(() => rmSync(home, { recursive: true }));
  return home;
}

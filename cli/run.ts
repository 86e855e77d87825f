import { type Command, CommanderError } from 'commander';
import { readConfig } from '../src/config/index.ts';
import { describeError, Exit, tellsStack } from './errors.ts';
import { type Io, painter, processIo } from './output.ts';

const wrongUsage = 2;

/**
 * Runs the program and gives its exit code: 0 if what was asked came true, 1 if it did not, 2 for wrong usage, 130 after
 * Ctrl-C. Whatever is thrown is said on one line, with what to do next, and without a stack.
 */
export async function run(program: Command, argv: readonly string[], open: () => Io = processIo): Promise<number> {
  prepare(program, open);
  try {
    await program.parseAsync(argv);
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (error instanceof Exit) return error.code;
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : wrongUsage;
    const { noColor, debug } = preferences();
    const io = open();
    io.err(describeError(error, painter(io, noColor), debug));
    return 1;
  }
}

/** Commander passes such settings on only to commands made by their parent, not to those that were added. */
function prepare(command: Command, open: () => Io): void {
  command.exitOverride().configureOutput({
    writeOut: (text) => open().out(text),
    writeErr: (text) => open().err(text),
    outputError: (text, write) => write(`millwright: ${text}`),
  });
  for (const child of command.commands) prepare(child, open);
}

/** Read only once something went wrong; it may be the environment itself that is wrong. */
function preferences(): { readonly noColor: string | undefined; readonly debug: boolean } {
  try {
    const config = readConfig();
    return { noColor: config.NO_COLOR, debug: tellsStack(config) };
  } catch {
    return { noColor: 'yes', debug: false };
  }
}

import type { Command } from 'commander';
import type { BatchInput } from '../batch-input.ts';
import type { Session } from '../session.ts';
import { textOf } from './common.ts';

/** Adds the batch file, and values for its variables. */
export const withFile = (command: Command, argument: '<file>' | '[file]'): Command =>
  command
    .argument(argument, 'a YAML, JSON or TOML file; - for standard input')
    .option('--var <name=value>', 'a value for a variable of the file; again for each', collect)
    .option(
      '--var-env <name>',
      'a variable whose value is MILLWRIGHT_VAR_<name> of the environment; again for each',
      collect,
    )
    .option('--var-file <file>', 'values for variables, as a mapping in YAML, JSON or TOML');

const collect = (value: string, before: readonly string[] = []): string[] => [...before, value];

export async function inputOf(command: Command, session: Session, file: string): Promise<BatchInput> {
  const { readBatchInput } = await import('../batch-input.ts');
  const texts = (option: string): string[] => {
    const given: unknown = command.getOptionValue(option);
    return Array.isArray(given) ? given.map(String) : [];
  };
  return readBatchInput(file, {
    stdin: () => session.context.io.input(),
    values: texts('var'),
    named: texts('varEnv'),
    environment: session.context.environment,
    valueFile: textOf(command, 'varFile'),
  });
}

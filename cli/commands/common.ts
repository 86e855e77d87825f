import { randomUUID } from 'node:crypto';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { CliContext } from '../context.ts';
import { homeOption } from '../home.ts';
import type { Session } from '../session.ts';
import type { FollowMode } from '../watch/follow.ts';

const formats = ['table', 'json', 'yaml'] as const;

/** The options that every command to the API has. */
export interface CommonOptions {
  readonly output: (typeof formats)[number];
  readonly project: string | undefined;
  readonly organization: string | undefined;
  readonly home: string | undefined;
}

/** Called when a command runs, not when it is defined. */
export type OpenContext = () => CliContext;

/** A command that asks the API. */
export function apiCommand(name: string, summary: string): Command {
  return new Command(name)
    .description(summary)
    .addOption(
      new Option('-o, --output <format>', 'how to show what comes back: as a table, or as the API gave it')
        .choices(formats)
        .default('table'),
    )
    .option('--project <project>', "the project meant, by name or id; the token's own by default")
    .option('--organization <organization>', "the organization meant, by name or id; the token's own by default")
    .addOption(homeOption());
}

/** Adds the options of a command that begins a job. */
export const withJob = (command: Command): Command =>
  command
    .option('--wait', 'wait until the job has ended; succeeds only if it did')
    .option('--watch', 'as --wait, and show what happens')
    .option('--idempotency-key <key>', 'however often it is asked with this key, it is done once');

/** Adds the option of a command that lists. */
export const withLimit = (command: Command): Command =>
  command.option('--limit <count>', 'show so many at most; all by default', wholeNumber);

/** The session of a command that runs. What it needs is loaded only now, so that no other command pays for it. */
export async function openSession(command: Command, open: OpenContext): Promise<Session> {
  const { createSession } = await import('../session.ts');
  const format = textOf(command, 'output');
  return createSession(open(), {
    output: formats.find((candidate) => candidate === format) ?? 'table',
    project: textOf(command, 'project'),
    organization: textOf(command, 'organization'),
    home: textOf(command, 'home'),
  });
}

export function textOf(command: Command, option: string): string | undefined {
  const value: unknown = command.getOptionValue(option);
  return typeof value === 'string' ? value : undefined;
}

export function limitOf(command: Command): number {
  const value: unknown = command.getOptionValue('limit');
  return typeof value === 'number' ? value : Number.POSITIVE_INFINITY;
}

/** How to follow the job that a command began; undefined where it is left to itself. */
export function modeOf(command: Command): FollowMode | undefined {
  if (command.getOptionValue('watch') === true) return 'watch';
  return command.getOptionValue('wait') === true ? 'wait' : undefined;
}

/** The user's key, or one of this command's own: a lost answer can then be asked for again. */
export const idempotencyKeyOf = (command: Command): string => textOf(command, 'idempotencyKey') ?? randomUUID();

export function wholeNumber(value: string): number {
  const count = Number(value);
  if (Number.isInteger(count) && count > 0) return count;
  throw new InvalidArgumentError('It must be a whole number above 0.');
}

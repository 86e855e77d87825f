import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import type { BatchView } from '../../src/domain/batch.ts';
import { MillwrightError } from '../../src/errors.ts';
import type { Io } from '../output.ts';
import type { Session } from '../session.ts';
import { type Column, table } from '../table.ts';
import { age, took } from '../text.ts';
import type { FollowMode } from '../watch/follow.ts';
import { doneOf, getCommand, operationsCommand, timelineCommand, totalOf } from './batch-view.ts';
import {
  apiCommand,
  idempotencyKeyOf,
  limitOf,
  modeOf,
  type OpenContext,
  openSession,
  textOf,
  withJob,
  withLimit,
} from './common.ts';
import { finish, showItems } from './show.ts';

export const batchCommand = (open: OpenContext): Command =>
  new Command('batch')
    .description('plan, apply, list and show batches')
    .addCommand(planCommand(open))
    .addCommand(applyCommand(open))
    .addCommand(listCommand(open))
    .addCommand(getCommand(open))
    .addCommand(operationsCommand(open))
    .addCommand(timelineCommand(open));

const columns: readonly Column<BatchView>[] = [
  { header: 'NAME', value: ({ name }) => name },
  { header: 'ID', value: ({ id }) => id },
  { header: 'STATE', value: ({ state }) => state },
  { header: 'ROLLBACK', value: ({ rollback }) => rollback },
  { header: 'DONE', value: (batch) => `${doneOf(batch)}/${totalOf(batch)}` },
  { header: 'AGE', value: ({ createdAt }, now) => age(createdAt, now) },
  { header: 'TOOK', value: ({ startedAt, endedAt }, now) => took(startedAt, endedAt, now) },
  { header: 'ERROR', value: ({ error }) => error?.message ?? '', optional: true },
];

const fileArgument = ['<file>', 'a YAML or JSON file; - for standard input'] as const;

function planCommand(open: OpenContext): Command {
  const command = apiCommand('plan', 'show what applying a batch file would do, and do nothing')
    .argument(...fileArgument)
    .option('--all', 'show every operation, also those that do nothing')
    .addHelpText('after', '\nExit code: 0 where there is nothing to do, 2 where there is, 1 where it cannot be done.');
  return command.action(async (file: string) => {
    const session = await openSession(command, open);
    const { showPlan } = await import('../plan.ts');
    const text = await read(file, session.context.io);
    await showPlan(session, text, nameOf(file), command.getOptionValue('all') === true);
  });
}

const nameOf = (file: string): string => (file === '-' ? '<stdin>' : file);

function applyCommand(open: OpenContext): Command {
  const command = apiCommand('apply', 'do what a batch file says, as far as it is not so already')
    .argument(...fileArgument)
    .option('--plan <hash>', 'only if this is its plan still, as "batch plan" told it')
    .option('--yes', 'do not ask before something is deleted or replaced');
  return withJob(command).action(async (file: string) => {
    const session = await openSession(command, open);
    const text = await read(file, session.context.io);
    const { agreedHash } = await import('../plan.ts');
    const isAgreed = command.getOptionValue('yes') === true;
    const planHash = textOf(command, 'plan') ?? (isAgreed ? undefined : await agreedHash(session, text, nameOf(file)));
    const idempotencyKey = idempotencyKeyOf(command);
    await applyText(session, text, { name: nameOf(file), idempotencyKey, mode: modeOf(command), planHash });
  });
}

interface Applying {
  /** What the user calls the text, for the faults in it. */
  readonly name: string;
  readonly idempotencyKey: string;
  readonly mode: FollowMode | undefined;
  /** Of the plan that was agreed to. */
  readonly planHash?: string | undefined;
}

/** Applies a batch file's text; fails unless it came true, where it is to be followed. */
export async function applyText(
  session: Session,
  text: string,
  { name, idempotencyKey, mode, planHash }: Applying,
): Promise<void> {
  const accepted = await session.client.applyBatch(text, name, { idempotencyKey, planHash });
  const { operations, counts } = accepted.resource;
  const unchanged = counts.UNCHANGED ?? 0;
  if (unchanged === operations.length) {
    await session.show(accepted, () => table(columns, [accepted.resource], Date.now()));
    session.talk(
      `Nothing to do: ${operations.length === 1 ? 'the one operation is' : `all ${operations.length} operations are`} as the file says.`,
    );
    return;
  }
  if (unchanged > 0) session.talk(`${unchanged} of ${operations.length} operations are as the file says already.`);
  await finish(session, [accepted], mode, { columns, find: (id) => session.client.batch(id) });
}

function listCommand(open: OpenContext): Command {
  const command = withLimit(apiCommand('list', 'list batches, newest first'));
  return command.action(async () => {
    const session = await openSession(command, open);
    await showItems(session, await session.client.batches(limitOf(command)), columns, 'No batches in this project.');
  });
}

async function read(file: string, io: Io): Promise<string> {
  if (file === '-') return await io.input();
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const why =
      cause instanceof Error && 'code' in cause && cause.code === 'ENOENT' ? 'there is no such file' : String(cause);
    throw new MillwrightError('invalid', `The batch file ${file} cannot be read: ${why}.`, { cause });
  }
}

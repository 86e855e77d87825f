import { Command } from 'commander';
import { hasEnded } from '../../src/domain/job-states.ts';
import type { BatchInput } from '../batch-input.ts';
import type { Session } from '../session.ts';
import { properties, table } from '../table.ts';
import type { FollowMode } from '../watch/follow.ts';
import { convertCommand } from './batch-convert.ts';
import { approvalCommands, settleCommand, steerCommands } from './batch-decide.ts';
import { inputOf, withFile } from './batch-file.ts';
import { batchColumns, getCommand, operationsCommand, timelineCommand } from './batch-view.ts';
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

export function batchCommand(open: OpenContext): Command {
  const command = new Command('batch')
    .description('validate, plan, apply, list and show batches')
    .addCommand(validateCommand(open))
    .addCommand(planCommand(open))
    .addCommand(applyCommand(open))
    .addCommand(listCommand(open))
    .addCommand(getCommand(open))
    .addCommand(operationsCommand(open))
    .addCommand(timelineCommand(open))
    .addCommand(deleteCommand(open))
    .addCommand(settleCommand(open))
    .addCommand(convertCommand(open));
  for (const more of [...steerCommands(open), ...approvalCommands(open)]) command.addCommand(more);
  return command;
}

function planCommand(open: OpenContext): Command {
  const command = withFile(apiCommand('plan', 'show what applying a batch file would do, and do nothing'), '<file>')
    .option('--all', 'show every operation, also those that do nothing')
    .addHelpText('after', '\nExit code: 0 where there is nothing to do, 2 where there is, 1 where it cannot be done.');
  return command.action(async (file: string) => {
    const session = await openSession(command, open);
    const { showPlan } = await import('../plan.ts');
    await showPlan(session, await inputOf(command, session, file), command.getOptionValue('all') === true);
  });
}

function validateCommand(open: OpenContext): Command {
  const command = withFile(apiCommand('validate', 'say what is wrong with a batch file, and do nothing'), '<file>');
  return command.action(async (file: string) => {
    const session = await openSession(command, open);
    const summary = await session.client.validateBatch(await inputOf(command, session, file));
    const { name, operations, groups, types } = summary;
    await session.show(summary, () =>
      properties([
        ['Batch', name],
        ['Operations', String(operations)],
        ['Groups', groups === 0 ? null : String(groups)],
        ...Object.entries(types).map(([type, count]) => [type, String(count)] as const),
      ]),
    );
    session.talk('The file has no fault.');
  });
}

function applyCommand(open: OpenContext): Command {
  const command = withFile(apiCommand('apply', 'do what a batch file says, as far as it is not so already'), '<file>')
    .option('--plan <hash>', 'only if this is its plan still, as "batch plan" told it')
    .option('--yes', 'do not ask before something is deleted or replaced');
  return withJob(command).action(async (file: string) => {
    const session = await openSession(command, open);
    const input = await inputOf(command, session, file);
    const { agreedHash } = await import('../plan.ts');
    const isAgreed = command.getOptionValue('yes') === true;
    const planHash = textOf(command, 'plan') ?? (isAgreed ? undefined : await agreedHash(session, input));
    const idempotencyKey = idempotencyKeyOf(command);
    await applyInput(session, input, { idempotencyKey, mode: modeOf(command), planHash });
  });
}

interface Applying {
  readonly idempotencyKey: string;
  readonly mode: FollowMode | undefined;
  /** Of the plan that was agreed to. */
  readonly planHash?: string | undefined;
}

/** Applies a batch file; fails unless it came true, where it is to be followed. */
export async function applyInput(
  session: Session,
  input: BatchInput,
  { idempotencyKey, mode, planHash }: Applying,
): Promise<void> {
  const accepted = await session.client.applyBatch(input, { idempotencyKey, planHash });
  const { operations, counts } = accepted.resource;
  const unchanged = counts.UNCHANGED ?? 0;
  if (unchanged === operations.length) {
    await session.show(accepted, () => table(batchColumns, [accepted.resource], Date.now()));
    session.talk(
      `Nothing to do: ${operations.length === 1 ? 'the one operation is' : `all ${operations.length} operations are`} as the file says.`,
    );
    return;
  }
  if (unchanged > 0) session.talk(`${unchanged} of ${operations.length} operations are as the file says already.`);
  await finish(session, [accepted], mode, { columns: batchColumns, find: (id) => session.client.batch(id) });
}

function listCommand(open: OpenContext): Command {
  const command = withLimit(apiCommand('list', 'list batches, newest first'));
  return command.action(async () => {
    const session = await openSession(command, open);
    await showItems(
      session,
      await session.client.batches(limitOf(command)),
      batchColumns,
      'No batches in this project.',
    );
  });
}

function deleteCommand(open: OpenContext): Command {
  const command = apiCommand('delete', 'delete all that a batch made or found, what uses others first')
    .argument('<name>', 'its id, or its name for the newest of that name that made anything')
    .option('--dry-run', 'show what would be deleted, and delete nothing');
  return withJob(command).action(async (name: string) => {
    const session = await openSession(command, open);
    const { oneBatch } = session.client;
    if (command.getOptionValue('dryRun') === true) {
      const [plan, { planText }] = await Promise.all([oneBatch.planDelete(name), import('../plan-text.ts')]);
      await session.show(plan, () => planText(plan, { all: false, paint: session.paint }));
      return;
    }
    const accepted = await oneBatch.delete(name, idempotencyKeyOf(command));
    if (hasEnded(accepted.job.state)) {
      await session.show(accepted, () => table(batchColumns, [accepted.resource], Date.now()));
      session.talk('Nothing to do: all of it is deleted already.');
      return;
    }
    await finish(session, [accepted], modeOf(command), {
      columns: batchColumns,
      find: (id) => session.client.batch(id),
    });
  });
}

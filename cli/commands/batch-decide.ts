import { Argument, type Command } from 'commander';
import { type Settlement, settlements } from '../../src/domain/job-states.ts';
import type { Session } from '../session.ts';
import { table } from '../table.ts';
import { inputOf, withFile } from './batch-file.ts';
import { batchColumns } from './batch-view.ts';
import { apiCommand, type OpenContext, openSession, textOf } from './common.ts';
import { settlement } from './job.ts';

const reference = ['<name>', 'its id, or its name for the newest of that name'] as const;
const reason = ['--reason <text>', 'why, for the record'] as const;

/** `batch pause`, `batch resume` and `batch cancel`. */
export const steerCommands = (open: OpenContext): Command[] => [
  steerCommand(open, 'pause', 'begin no more of its operations; those under way are seen through'),
  resumeCommand(open),
  steerCommand(open, 'cancel', 'have a batch stop and take back what it did'),
];

function steerCommand(open: OpenContext, act: 'pause' | 'cancel', summary: string): Command {
  const command = apiCommand(act, summary)
    .argument(...reference)
    .requiredOption(...reason);
  return command.action(async (name: string) => {
    const session = await openSession(command, open);
    await session.client.oneBatch.steer(name, act, textOf(command, 'reason') ?? '');
    await showNow(session, name);
  });
}

function resumeCommand(open: OpenContext): Command {
  const summary = 'go on with a batch that is paused, or from where one failed or was canceled';
  const command = withFile(apiCommand('resume', summary).argument(...reference), '[file]')
    .requiredOption(...reason)
    .addHelpText('after', '\nWith a file, what is not done is done as it says; without one, as the batch was applied.');
  return command.action(async (name: string, file?: string) => {
    const given = ['var', 'varEnv', 'varFile'].some((option) => command.getOptionValue(option) !== undefined);
    if (given && file === undefined)
      command.error('error: values for variables need the file that has the variables: batch resume <name> <file>');
    const session = await openSession(command, open);
    const why = textOf(command, 'reason') ?? '';
    const { oneBatch } = session.client;
    if (file === undefined) await oneBatch.steer(name, 'resume', why);
    else await oneBatch.resumeAs(name, await inputOf(command, session, file), why);
    await showNow(session, name);
  });
}

/** `batch approve` and `batch reject`: of an operation that waits for somebody's word. */
export const approvalCommands = (open: OpenContext): Command[] =>
  (['approve', 'reject'] as const).map((act) => {
    const command = apiCommand(act, `${act} what an operation of a batch asks`)
      .argument(...reference)
      .argument('<operation>', 'the operation that waits for it')
      .requiredOption(...reason);
    return command.action(async (name: string, operation: string) => {
      const session = await openSession(command, open);
      await session.client.oneBatch.answer(name, operation, act, textOf(command, 'reason') ?? '');
      await showNow(session, name);
    });
  });

export function settleCommand(open: OpenContext): Command {
  const command = apiCommand('settle', 'decide how a held operation of a batch goes on')
    .argument(...reference)
    .argument('<operation>', 'the operation that is held')
    .addArgument(new Argument('<action>', `one of ${settlements.join(', ')}`).argParser(settlement))
    .requiredOption(...reason);
  return command.action(async (name: string, operation: string, action: Settlement) => {
    const session = await openSession(command, open);
    await session.client.oneBatch.settle(name, operation, action, textOf(command, 'reason') ?? '');
    await showNow(session, name);
  });
}

async function showNow(session: Session, name: string): Promise<void> {
  const batch = await session.client.oneBatch.basic(name);
  await session.show(batch, () => table(batchColumns, [batch], Date.now()));
  session.talk(`Watch it with: ${session.command(`job watch ${batch.jobId}`)}`);
}

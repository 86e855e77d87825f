import { Argument, type Command } from 'commander';
import { type Settlement, settlements } from '../../src/domain/job-states.ts';
import type { Session } from '../session.ts';
import { table } from '../table.ts';
import { batchColumns } from './batch-view.ts';
import { apiCommand, type OpenContext, openSession, textOf } from './common.ts';
import { settlement } from './job.ts';

const reference = ['<name>', 'its id, or its name for the newest of that name'] as const;
const reason = ['--reason <text>', 'why, for the record'] as const;

/** `batch pause`, `batch resume` and `batch cancel`. */
export const steerCommands = (open: OpenContext): Command[] =>
  (
    [
      ['pause', 'begin no more of its operations; those under way are seen through'],
      ['resume', 'go on with a batch that is paused, or from where one failed or was canceled'],
      ['cancel', 'have a batch stop and take back what it did'],
    ] as const
  ).map(([act, summary]) => {
    const command = apiCommand(act, summary)
      .argument(...reference)
      .requiredOption(...reason);
    return command.action(async (name: string) => {
      const session = await openSession(command, open);
      await session.client.oneBatch.steer(name, act, textOf(command, 'reason') ?? '');
      await showNow(session, name);
    });
  });

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
